import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { BareEngine } from './bare-engine.ts'
import { findGuest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { testLab } from './test-lab.ts'

let alpha: LabHost
let engine: BareEngine
const uuid = randomUUID()

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
})

afterEach(async () => {
  await alpha.run(`virsh destroy ${uuid}; virsh undefine ${uuid}; rm -f /var/lib/libvirt/images/${uuid}*`)
})

const escaped = (name: string): string => name.replace(/[&<>'"]/g, (character) => `&#${character.codePointAt(0) ?? 0};`)

/** A machine without a system to boot: enough to have a name, a disk and RAM. */
async function start(name: string): Promise<void> {
  const image = `/var/lib/libvirt/images/${uuid}.qcow2`
  await alpha.must(['qemu-img', 'create', '-q', '-f', 'qcow2', image, '8M'])
  const xml = `<domain type='qemu'><name>${escaped(name)}</name><uuid>${uuid}</uuid><memory unit='MiB'>32</memory>
    <os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk>
    </devices></domain>`
  await alpha.must('cat > /run/named.xml; virsh -q define /run/named.xml; rm /run/named.xml', { stdin: xml })
  await alpha.must(['virsh', '-q', 'start', uuid])
}

/** libvirt itself refuses names with a slash, and `..`. */
const names = [
  '1',
  '$(touch stillpoint-was-here)',
  '`touch stillpoint-was-here`',
  ';touch stillpoint-was-here;',
  '--help',
  '...',
  'it\'s "quoted"',
  '<img src=x onerror=alert(1)>',
  '{{7*7}} %s%n',
  '🦔 \u202Ereversed',
  'x'.repeat(200)
]

describe('a VM named', () => {
  it.each(names)('%s is backed up live, listed by its name, and restored', async (name) => {
    await start(name)
    const before = await takeBaseline(alpha)
    const guest = await findGuest(alpha, uuid)
    const report = await engine.backup(guest)
    expect(report).toMatchObject({ state: 'done', method: 'live' })
    const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: uuid })
    expect(points.at(-1)?.vm.name).toBe(name)
    expect(await leftoversOf(alpha, before)).toEqual([])
    const restored = await engine.restore(report.point ?? '', { uuid, name }, { replace: true })
    expect(restored).toMatchObject({ state: 'done-with-warnings', mode: 'resume' })
    expect(await guest.state()).toBe('running')
    expect((await alpha.run('find / -xdev -name stillpoint-was-here -maxdepth 3')).stdout).toBe('')
    await alpha.must(`rm -rf /var/lib/stillpoint/aside; rm -f /var/lib/libvirt/images/${uuid}*.kept-*`)
    await engine.ask('delete', { store: DEFAULT_STORE, point: report.point ?? '' })
  })
})
