import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { BareEngine } from './bare-engine.ts'
import { findGuest, type Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { must, waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

const uuid = randomUUID()
const image = `/var/lib/libvirt/images/${uuid}.qcow2`
const nvram = `/var/lib/libvirt/qemu/nvram/${uuid}_VARS.fd`
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let betaEngine: BareEngine
let guest: Guest
let point: string

/** A machine that only has firmware: UEFI with its variables, and a TPM. */
const xml = `<domain type='qemu'><name>firmware</name><uuid>${uuid}</uuid><memory unit='MiB'>128</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>${nvram}</nvram></os>
  <features><acpi/></features>
  <devices><memballoon model='none'/>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
  </devices></domain>`

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  engine = await BareEngine.on(alpha)
  betaEngine = await BareEngine.on(beta)
  await alpha.must(['qemu-img', 'create', '-q', '-f', 'qcow2', image, '16M'])
  await alpha.must('cat > /run/firmware.xml; virsh -q define /run/firmware.xml', { stdin: xml })
  await alpha.must(['virsh', '-q', 'start', uuid])
  guest = await findGuest(alpha, uuid)
  const written = `cmp -s ${nvram} /usr/share/OVMF/OVMF_VARS_4M.fd || echo written`
  await waitFor('the firmware to write its variables', async () =>
    (await alpha.must(written)) === '' ? undefined : true
  )
})

afterAll(async () => {
  for (const host of [alpha, beta])
    await host.run(
      `virsh destroy ${uuid}; virsh undefine ${uuid} --nvram; rm -rf /var/lib/libvirt/images/${uuid}* ${DEFAULT_STORE}/${uuid}`
    )
})

describe('firmware state', () => {
  it('goes into the point: NVRAM and TPM', async () => {
    const before = await takeBaseline(alpha)
    const report = await engine.backup(guest)
    expect(report).toMatchObject({ state: 'done', method: 'live' })
    point = report.point ?? ''
    const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: uuid })
    expect(points[0]).toMatchObject({ nvram: { file: 'nvram.fd', originalPath: nvram } })
    expect(points[0]?.tpm?.files.length).toBeGreaterThan(0)
    expect(await leftoversOf(alpha, before, { roomTaken: 256 * 1024 * 1024 })).toEqual([])
  })

  it("is a copy's own: another NVRAM, another TPM, beside a VM that goes on", async () => {
    const copy = { name: 'firmware twin', uuid: randomUUID() }
    const own = [`/var/lib/libvirt/qemu/nvram/${copy.uuid}_VARS.fd`, `/var/lib/libvirt/swtpm/${copy.uuid}`]
    const before = await takeBaseline(alpha)
    const report = await engine.restore(point, guest, { mode: 'boot', copy })
    try {
      expect(report).toMatchObject({ state: 'done', vm: copy, copyOf: { uuid } })
      const twin = await alpha.guest(copy.uuid)
      expect([await twin.state(), await guest.state()]).toEqual(['running', 'running'])
      expect(await twin.xml()).toContain(own[0])
      await alpha.must(['ls', ...own, nvram, `/var/lib/libvirt/swtpm/${uuid}`])
      expect(await leftoversOf(alpha, before, { roomTaken: 64 * 1024 * 1024, restored: [copy.uuid] })).toEqual([])
    } finally {
      await alpha.run(
        `virsh destroy ${copy.uuid}; virsh undefine ${copy.uuid} --nvram --tpm; rm -f "/var/lib/libvirt/images/firmware twin"-*`
      )
    }
  })

  it.each(['define.done', 'start'])('of a copy that is killed at %s goes with it', async (at) => {
    const copy = { name: 'firmware twin', uuid: randomUUID() }
    const files = (): Promise<string> =>
      alpha.must('ls /var/lib/libvirt/images /var/lib/libvirt/qemu/nvram /var/lib/libvirt/swtpm')
    const before = await files()
    expect(await engine.restore(point, guest, { mode: 'boot', copy }, `${at}:1:kill`)).toMatchObject({
      state: 'failed-clean'
    })
    expect(await files()).toBe(before)
    expect(await guest.state()).toBe('running')
  })

  it.each(['resume', 'boot'] as const)('comes back with the VM on another host, to %s', async (mode) => {
    const relative = `${DEFAULT_STORE.slice(1)}/${uuid}`
    await beta.must(['mkdir', '-p', `/${relative}`])
    await must(['cp', '-a', `${alpha.tree}/${relative}/${point}`, `${beta.tree}/${relative}/`])
    const report = await betaEngine.restore(point, guest, { mode })
    expect(report).toMatchObject({ state: 'done', mode })
    expect(await guest.on(beta).state()).toBe('running')
    expect((await beta.must(['ls', nvram])).trim()).toBe(nvram)
    await beta.must(
      `virsh destroy ${uuid}; virsh undefine ${uuid} --nvram; rm -rf /var/lib/libvirt/images/${uuid}* /${relative}`
    )
  })
})

describe('firmware variables on a block device', () => {
  const DEVICE = '/dev/stillpoint-nvram'
  const VARIABLES = '/srv/variables.fd'
  const other = randomUUID()
  const otherImage = `/var/lib/libvirt/images/${other}.qcow2`
  let loop = ''

  beforeAll(async () => {
    await alpha.must(`cp /usr/share/OVMF/OVMF_VARS_4M.fd ${VARIABLES}; qemu-img create -q -f qcow2 ${otherImage} 16M`)
    loop = (await must(['losetup', '-f', '--show', `/proc/${alpha.machinePid}/root${VARIABLES}`])).trim()
    const numbers = (await must(['stat', '-c', '%Hr %Lr', loop])).trim().split(' ')
    await alpha.must(['mknod', DEVICE, 'b', ...numbers])
    const stdin = xml
      .replaceAll(uuid, other)
      .replace(/<nvram[^]*<\/nvram>/, `<nvram type='block'><source dev='${DEVICE}'/></nvram>`)
      .replace(/<tpm[^]*<\/tpm>/, '')
      .replace('<name>firmware</name>', '<name>variables</name>')
    await alpha.must('cat > /run/variables.xml; virsh -q define /run/variables.xml', { stdin })
    await alpha.must(['virsh', '-q', 'start', other])
  })
  afterAll(async () => {
    for (const host of [alpha, beta])
      await host.run(
        `virsh destroy ${other}; virsh undefine ${other} --nvram || virsh undefine ${other} --keep-nvram; rm -rf ${otherImage}* ${DEFAULT_STORE}/${other}`
      )
    await must(['losetup', '-d', loop])
    await alpha.run(`rm -f ${DEVICE} ${VARIABLES}`)
  })

  it('are in the point, and a file where the VM goes on', async () => {
    const machine = await findGuest(alpha, other)
    const report = await engine.backup(machine)
    expect(report).toMatchObject({ state: 'done', method: 'live', warnings: [] })
    const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: other })
    expect(points[0]).toMatchObject({ nvram: { file: 'nvram.fd', originalPath: DEVICE } })
    const relative = `${DEFAULT_STORE.slice(1)}/${other}`
    await beta.must(['mkdir', '-p', `/${relative}`])
    await must(['cp', '-a', `${alpha.tree}/${relative}/${report.point ?? ''}`, `${beta.tree}/${relative}/`])
    const restored = await betaEngine.restore(report.point ?? '', machine)
    expect(restored).toMatchObject({ state: 'done', mode: 'resume' })
    const [, path = ''] = /<nvram type='file'[^>]*>\s*<source file='([^']+)'/.exec(await machine.on(beta).xml()) ?? []
    expect(path).toMatch(/^\/var\/lib\/libvirt\/qemu\/nvram\//)
    expect((await beta.must(['stat', '-c', '%s', path])).trim()).toBe(
      (await alpha.must(['stat', '-c', '%s', VARIABLES])).trim()
    )
  })
})
