import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { createEncrypted } from '../../src/libvirt/qemu-img.ts'
import type { BackupSpec, JobReport } from '../../src/shared/model/job.ts'
import type { Manifest, Method } from '../../src/shared/model/point.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import { findGuest, type Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { must } from './run.ts'
import { testLab } from './test-lab.ts'

/** Disks of kinds that people have and that once broke something. The machines have firmware only: what counts is the disks. */
const MIB = 1024 * 1024
const KEY = '11111111-2222-4333-8444-555555555555'
const DEVICE = '/dev/stillpoint-odd-disk'
const defineSecret = `
    printf '<secret ephemeral="no" private="no"><uuid>${KEY}</uuid></secret>' > /run/secret.xml
    virsh -q secret-define /run/secret.xml
    virsh -q secret-set-value ${KEY} --base64 $(printf xyz | base64) 2>/dev/null`
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let betaEngine: BareEngine
let before: Baseline
const machines: string[] = []

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  engine = await BareEngine.on(alpha)
  betaEngine = await BareEngine.on(beta)
  await alpha.must(`
    mkdir -p /srv/odd /srv/pool
    virsh -q pool-define-as odd dir --target /srv/pool
    virsh -q pool-start odd
    ${defineSecret}`)
})

afterAll(async () => {
  await alpha.run(
    `virsh pool-destroy odd; virsh pool-undefine odd; virsh secret-undefine ${KEY}; chattr -i /srv/odd/*; rm -rf /srv/odd /srv/pool`
  )
})

afterEach(async () => {
  for (const uuid of machines.splice(0)) {
    for (const host of [alpha, beta])
      await host.run(
        `virsh destroy ${uuid}; virsh undefine ${uuid}; rm -rf ${DEFAULT_STORE}/${uuid} /var/lib/libvirt/images/*`
      )
  }
  await alpha.run('umount /srv/odd/ro 2>/dev/null; chattr -i /srv/odd/*; rm -rf /srv/odd/* /srv/pool/*')
})

interface Machine {
  readonly disks: string
  readonly devices?: string
  /** Attributes of `<domain>`, and elements beside `<devices>`. */
  readonly attributes?: string
  readonly more?: string
  /** What it is started with. */
  readonly os?: string
  readonly off?: boolean
}

async function machine(
  name: string,
  { disks, devices = '', attributes = '', more = '', os = '', off }: Machine
): Promise<Guest> {
  const uuid = randomUUID()
  machines.push(uuid)
  const usb = devices.includes("type='usb'") ? '' : "<controller type='usb' model='none'/>"
  const xml = `<domain type='qemu' ${attributes}><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>64</memory>
    <os><type arch='x86_64' machine='q35'>hvm</type>${os}</os><features><acpi/></features>${more}
    <devices>${usb}${devices}<memballoon model='none'/>${disks}</devices></domain>`
  await alpha.must('cat > /run/odd.xml; virsh -q define /run/odd.xml', { stdin: xml })
  if (off !== true) await alpha.must(['virsh', '-q', 'start', uuid])
  before = await takeBaseline(alpha)
  return findGuest(alpha, uuid)
}

const disk = (target: string, source: string, more = '', format = 'qcow2'): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='${source}'/><target dev='${target}' bus='virtio'/>${more}</disk>`

/** An image with something in it that can be compared. */
async function image(path: string, format: 'qcow2' | 'raw' = 'qcow2', more = ''): Promise<string> {
  await alpha.must(`qemu-img create -q -f ${format} ${more} ${path} 16M
    qemu-io -f ${format} -c 'write -P 0x5a 1M 3M' ${path} >/dev/null`)
  return path
}

const system = async (): Promise<string> => disk('vda', await image('/srv/odd/a.qcow2'))

async function manifestOf({ point }: JobReport): Promise<Manifest> {
  const { points } = await engine.ask('points', { stores: [DEFAULT_STORE] })
  return points.find(({ id }) => id === point) ?? expect.fail(`no point ${point ?? ''}`)
}

const targetsOf = async (report: JobReport): Promise<string[]> =>
  (await manifestOf(report)).disks.map(({ target }) => target)

/** The job has ended, and the VM is as it was before it. */
async function backedUp(guest: Guest, options: Partial<BackupSpec> = {}): Promise<JobReport> {
  const report = await engine.backup(guest, options)
  expect(await leftoversOf(alpha, before, { roomTaken: 200 * MIB })).toEqual([])
  return report
}

/** Content of a disk of the point is that of the image. */
async function expectSame(report: JobReport, target: string, path: string, format: string): Promise<void> {
  const { vm } = await manifestOf(report)
  const copy = `${DEFAULT_STORE}/${vm.uuid}/${report.point ?? ''}/disks/${target}.qcow2`
  expect(await alpha.must(`qemu-img compare -U -f qcow2 -F ${format} ${copy} ${path}`)).toContain('identical')
}

/** The other host has the point too. */
async function carry(guest: Guest, { point = '' }: JobReport): Promise<void> {
  const folder = `${DEFAULT_STORE.slice(1)}/${guest.uuid}`
  await beta.must(['mkdir', '-p', `/${folder}`])
  await must(['cp', '-a', `${alpha.tree}/${folder}/${point}`, `${beta.tree}/${folder}/`])
}

/** The point can be restored on the other host: its disks are there, with their content, and the VM is defined. */
async function restoredOnBeta(guest: Guest, report: JobReport, mode: 'define' | 'resume'): Promise<string> {
  await carry(guest, report)
  const restored = await betaEngine.restore(report.point ?? '', guest, { mode })
  expect(restored).toMatchObject({ mode })
  expect(restored.failure).toBeUndefined()
  return beta.must(`virsh -q domblklist --details ${guest.uuid}`)
}

describe('a disk that a pool names', () => {
  // engine.md finding 8, field case 6
  it.each<Method>(['live', 'disk', 'classic', 'offline'])('is backed up by method %s', async (method) => {
    await image('/srv/pool/v.qcow2')
    await alpha.must('virsh -q pool-refresh odd')
    const volume = `<disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='odd' volume='v.qcow2'/><target dev='vda' bus='virtio'/></disk>`
    const guest = await machine('pooled', { disks: volume, off: method === 'offline' })
    const definition = await guest.xml('--inactive')
    const report = await backedUp(guest, { method })
    expect(report).toMatchObject({ state: 'done', method, warnings: [] })
    expect((await manifestOf(report)).disks).toMatchObject([{ target: 'vda', originalSource: '/srv/pool/v.qcow2' }])
    expect(await guest.xml('--inactive')).toBe(definition)
    await expectSame(report, 'vda', '/srv/pool/v.qcow2', 'qcow2')
    if (method === 'live') expect(await restoredOnBeta(guest, report, 'resume')).toMatch(/file +disk +vda /)
  })
})

describe('a VM of whose disks none can be taken', () => {
  it('gets no point, and is told why of each disk', async () => {
    const gluster = `<disk type='network' device='disk'><source protocol='gluster' name='v/i'><host name='store'/></source><target dev='vda' bus='virtio'/></disk>`
    const gone = `<disk type='volume' device='disk'><source pool='odd' volume='gone'/><target dev='vdb' bus='virtio'/></disk>`
    const guest = await machine('nothing', { disks: gluster + gone, off: true })
    const report = await backedUp(guest)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'no-disks' } })
    expect(report.point).toBeUndefined()
    expect(JSON.stringify(report.failure)).toMatch(/vda.*gluster.*vdb.*does not find its volume gone in pool odd/)
    expect((await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })).points).toEqual([])
  })

  it('gets none either where all of them are to be left out', async () => {
    const guest = await machine('unwanted', { disks: await system() })
    expect(await backedUp(guest, { excludeDisks: ['vda'] })).toMatchObject({ failure: { kind: 'no-disks' } })
  })

  it('is warned when a disk is missing that its last point has', async () => {
    const guest = await machine('shrunk', { disks: (await system()) + disk('vdb', await image('/srv/odd/b.qcow2')) })
    expect(await backedUp(guest)).toMatchObject({ state: 'done' })
    await guest.virsh('detach-disk', guest.uuid, 'vdb', '--config')
    await guest.destroy()
    before = await takeBaseline(alpha)
    const report = await backedUp(guest)
    expect(report.warnings.join()).toContain('The last point of this VM has vdb')
  })
})

describe('a read-only disk', () => {
  const READ_ONLY = '<readonly/>'

  // engine.md finding 18, field case 8
  it.each<[string, string]>([
    ['that nobody may write to', 'chmod 0444 /srv/odd/seed.raw'],
    [
      'on a read-only mount',
      'mkdir -p /srv/odd/ro && mount --bind /srv/odd /srv/odd/ro && mount -o remount,ro,bind /srv/odd/ro'
    ],
    ['that cannot be changed', 'chattr +i /srv/odd/seed.raw'],
    ['of an odd length', "printf 'x' >> /srv/odd/seed.raw"]
  ])('%s is copied as it is, by each method, and no overlay is put on it', async (what, prepare) => {
    const disks = await system()
    await image('/srv/odd/seed.raw', 'raw')
    await alpha.must(prepare)
    const path = what.includes('mount') ? '/srv/odd/ro/seed.raw' : '/srv/odd/seed.raw'
    const guest = await machine('seeded', { disks: disks + disk('vdb', path, READ_ONLY, 'raw') })
    for (const method of ['live', 'disk', 'classic'] as const) {
      const report = await backedUp(guest, { method })
      expect(report).toMatchObject({ state: 'done', method, warnings: [] })
      expect(await targetsOf(report)).toEqual(['vda', 'vdb'])
      await expectSame(report, 'vdb', path, 'raw')
      if (method === 'live') expect(await restoredOnBeta(guest, report, 'resume')).toMatch(/file +disk +vdb /)
    }
  })

  it('is left out, and said, while another VM writes to it', async () => {
    const disks = await system()
    const path = await image('/srv/odd/shared.raw', 'raw')
    const reader = await machine('reader', { disks: disks + disk('vdb', path, '<readonly/><shareable/>', 'raw') })
    await machine('writer', { disks: disk('vda', path, '<shareable/>', 'raw') })
    const report = await backedUp(reader)
    expect(report).toMatchObject({ state: 'done-with-warnings' })
    expect(await targetsOf(report)).toEqual(['vda'])
    expect(report.warnings.join()).toMatch(/vdb is not in the point: qemu-system-x86_64 .* has it open for writing/)
  })
})

describe('a disk whose writes are thrown away', () => {
  it('makes the point one of disks only, which has what it starts from', async () => {
    // engine.md finding 32
    const base = await image('/srv/odd/scratch.qcow2')
    const guest = await machine('forgetful', { disks: (await system()) + disk('vdb', base, '<transient/>') })
    const report = await backedUp(guest)
    expect(report).toMatchObject({ state: 'done', method: 'disk' })
    expect(report.methodReason).toContain('disk vdb, whose writes are thrown away')
    expect(await targetsOf(report)).toEqual(['vda', 'vdb'])
    await expectSame(report, 'vdb', base, 'qcow2')
    expect(await backedUp(guest, { method: 'live' })).toMatchObject({ failure: { kind: 'state-not-savable' } })
  })
})

describe('an encrypted disk', () => {
  const SECRET = `<encryption format='luks'><secret type='passphrase' uuid='${KEY}'/></encryption>`
  const LUKS = '--object secret,id=s,data=xyz -o '
  const RAW = '/srv/odd/raw.luks'
  const raw = (): string => disk('vdc', RAW, '', 'raw').replace("luks'/>", `luks'>${SECRET}</source>`)
  const makeRaw = (): Promise<void> =>
    createEncrypted(() => alpha.must(`qemu-img create -q -f luks ${LUKS}key-secret=s,iter-time=10 ${RAW} 16M`))
  const withRaw = async (name: string): Promise<Guest> => {
    const disks = await system()
    await makeRaw()
    return machine(name, { disks: disks + raw() })
  }
  /** What the guest sees of it, wherever it lies. */
  const reads = (host: LabHost, path: string, what: string): Promise<string> =>
    host.must(
      `qemu-io -r --object secret,id=s,data=xyz -c '${what}' "json:{\\"driver\\":\\"luks\\",\\"key-secret\\":\\"s\\",\\"file\\":{\\"driver\\":\\"file\\",\\"filename\\":\\"${path}\\"}}" 2>&1`
    )
  /** As its guest would: through the QEMU that it runs in, which keeps what nobody has flushed to itself. */
  const writes = async (guest: Guest, byte: string): Promise<void> => {
    for (const what of [`write -P ${byte} 1M 64k`, 'flush'])
      await guest.virsh(
        'qemu-monitor-command',
        guest.uuid,
        '--hmp',
        `qemu-io -d /machine/peripheral/virtio-disk2/virtio-backend "${what}"`
      )
  }
  const secretsOf = (host: LabHost): Promise<string> => host.must(`virsh -q secret-list | awk '{print $1}'`)
  const OVERLAYS = '/srv/odd/raw.luks.stillpoint-*'
  const isInClear = (path: string, byte: string): Promise<string> =>
    alpha.must(`grep -c -a -P '\\x${byte}{4096}' ${path} || true`)

  beforeEach(() => beta.must(defineSecret))
  afterEach(async () => {
    await beta.run(`virsh secret-undefine ${KEY}`)
  })

  it.each<Method>(['live', 'disk'])(
    'is in the points as it is, and nothing that its VM writes meanwhile lies in clear, by method %s',
    async (method) => {
      // field case 7, engine.md finding 32
      const guest = await withRaw('secret')
      await writes(guest, '0x66')
      const id = await engine.submit(backupSpec(guest, { method }), 'copy:1:hold')
      await heldAt(alpha, 'copy', id)
      await writes(guest, '0x77')
      expect(await alpha.must(`qemu-img info -U ${OVERLAYS}`)).toContain('encrypted: yes')
      expect((await isInClear(OVERLAYS, '77')).trim()).toBe('0')
      expect(await secretsOf(alpha)).not.toBe(`${KEY}\n`)
      await letGo(alpha, 'copy', id)
      const report = await engine.endOf(id)
      expect(report).toMatchObject({ state: 'done', method, warnings: [] })
      expect(await leftoversOf(alpha, before, { roomTaken: 200 * MIB })).toEqual([])
      expect(await targetsOf(report)).toEqual(['vda', 'vdc'])
      expect(await secretsOf(alpha)).toBe(`${KEY}\n`)
      await guest.destroy()
      expect(await reads(alpha, RAW, 'read -P 0x77 1M 64k')).not.toContain('Pattern verification failed')
      const listed = await restoredOnBeta(guest, report, method === 'live' ? 'resume' : 'define')
      const restored = /vdc +(\S+)/.exec(listed)?.[1] ?? expect.fail(listed)
      await beta.run(['virsh', 'destroy', guest.uuid])
      expect(await reads(beta, restored, 'read -P 0x66 1M 64k')).not.toContain('Pattern verification failed')
    }
  )

  it('has what its VM wrote, where the VM ends by a fault while its disks are copied', async () => {
    const guest = await withRaw('faulty')
    const id = await engine.submit(backupSpec(guest), 'copy.done:1:hold')
    await heldAt(alpha, 'copy.done', id)
    await writes(guest, '0x77')
    await alpha.must(`kill -9 $(cat /run/libvirt/qemu/${guest.name}.pid)`)
    await letGo(alpha, 'copy.done', id)
    await engine.endOf(id)
    expect(await guest.state()).toBe('running')
    expect(await alpha.must(`ls ${OVERLAYS} 2>/dev/null || true`)).toBe('')
    expect(await secretsOf(alpha)).toBe(`${KEY}\n`)
    await guest.destroy()
    expect(await reads(alpha, RAW, 'read -P 0x77 1M 64k')).not.toContain('Pattern verification failed')
  })

  it('is left out, and said, where no overlay of it could be written back: a private secret, a mirror, inside of qcow2', async () => {
    const disks = await system()
    await makeRaw()
    await createEncrypted(() =>
      alpha.must(
        `qemu-img create -q -f qcow2 ${LUKS}encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 /srv/odd/in.qcow2 16M`
      )
    )
    const guest = await machine('private', { disks: disks + disk('vdb', '/srv/odd/in.qcow2', SECRET) + raw() })
    const mirrored = await backedUp(guest, { method: 'classic' })
    expect(await targetsOf(mirrored)).toEqual(['vda'])
    expect(mirrored.warnings.join()).toMatch(/vdb.*encrypted inside of its qcow2.*vdc.*method classic.*in clear/)
    await alpha.must(`virsh -q secret-undefine ${KEY}
      printf '<secret ephemeral="no" private="yes"><uuid>${KEY}</uuid></secret>' > /run/secret.xml
      virsh -q secret-define /run/secret.xml
      virsh -q secret-set-value ${KEY} --base64 $(printf xyz | base64) 2>/dev/null`)
    try {
      const running = await backedUp(guest)
      expect(await targetsOf(running)).toEqual(['vda'])
      expect(running.warnings.join()).toMatch(/vdc.*gives out to nobody \(private\)/)
    } finally {
      await alpha.must(`virsh -q secret-undefine ${KEY}; ${defineSecret}`)
    }
  })

  it('is copied as it is where its VM is off, and its restore asks for the secret', async () => {
    const disks = await system()
    await makeRaw()
    const guest = await machine('secret', { disks: disks + raw(), off: true })
    const off = await backedUp(guest)
    expect(await targetsOf(off)).toEqual(['vda', 'vdc'])
    await expectSame(off, 'vdc', RAW, 'raw')
    await carry(guest, off)
    // field case 7
    await beta.must(`virsh -q secret-undefine ${KEY}`)
    const without = await betaEngine.restore(off.point ?? '', guest, { mode: 'boot' })
    expect(without).toMatchObject({ state: 'failed-clean', failure: { kind: 'preflight' } })
    expect(JSON.stringify(without.failure)).toMatch(/vdc is encrypted, and the secret .*11111111-2222.* is not on this/)
    await beta.must(defineSecret)
    expect(await betaEngine.restore(off.point ?? '', guest, { mode: 'boot' })).toMatchObject({ mode: 'boot' })
    expect(await beta.must(['virsh', 'domstate', guest.uuid])).toContain('running')
    expect(await beta.must(['virsh', 'dumpxml', '--inactive', guest.uuid])).toMatch(
      new RegExp(`<source file='[^']*raw\\.luks'>\\s*<encryption format='luks'[^>]*>\\s*<secret [^>]*uuid='${KEY}'`)
    )
    await beta.run(['virsh', 'destroy', guest.uuid])
  })
})

/** As older tools made images: the header names a backing file and not its format. */
function forgetBackingFormat(path: string): void {
  const image = readFileSync(path)
  image.writeUInt32BE(0x53505350, image.indexOf(Buffer.from('e2792aca', 'hex'))) // an extension that nobody knows
  writeFileSync(path, image)
}

describe('an image that does not say what lies below it', () => {
  it('is refused before anything is touched, with the line that mends it', async () => {
    // engine.md finding 32
    await image('/srv/odd/ground.qcow2')
    await image('/srv/odd/base.qcow2', 'qcow2', '-b /srv/odd/ground.qcow2 -F qcow2')
    await image('/srv/odd/top.qcow2', 'qcow2', '-b /srv/odd/base.qcow2 -F qcow2')
    forgetBackingFormat(join(alpha.tree, '/srv/odd/top.qcow2'))
    const guest = await machine('unsaid', { disks: disk('vda', '/srv/odd/top.qcow2'), off: true })
    const report = await backedUp(guest)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'preflight' } })
    expect(JSON.stringify(report.failure)).toContain('qemu-img rebase -u -b')
  })
})

describe('a block device', () => {
  let loop = ''
  beforeAll(async () => {
    await alpha.must('truncate -s 16M /srv/device.raw')
    loop = (await must(['losetup', '-f', '--show', join(`/proc/${alpha.machinePid}/root`, '/srv/device.raw')])).trim()
    const numbers = (await must(['stat', '-c', '%Hr %Lr', loop])).trim().split(' ')
    await alpha.must(['mknod', DEVICE, 'b', ...numbers])
  })
  afterAll(async () => {
    await alpha.run(['rm', '-f', DEVICE])
    await must(['losetup', '-d', loop])
    await alpha.run(['rm', '-f', '/srv/device.raw'])
  })

  it('that is called a file is taken as the device that it is', async () => {
    // engine.md finding 49: QEMU before 6 runs such a VM, whose overlay would have gone among the devices
    const guest = await machine('device', { disks: disk('vda', DEVICE, '', 'raw'), off: true })
    const report = await backedUp(guest)
    expect(report).toMatchObject({ state: 'done', warnings: [] })
    expect((await manifestOf(report)).disks).toMatchObject([{ originalType: 'block', originalSource: DEVICE }])
  })

  it('is not in a point if its VM ran meanwhile, though the device has no time of its own', async () => {
    // engine.md finding 33
    const device = `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='${DEVICE}'/><target dev='vda' bus='virtio'/></disk>`
    const guest = await machine('restless', { disks: device, off: true })
    const id = await engine.submit(backupSpec(guest), 'copy.done:1:hold')
    await heldAt(alpha, 'copy.done', id)
    await guest.start()
    await guest.destroy()
    await letGo(alpha, 'copy.done', id)
    const report = await engine.ask('follow', { id, from: 0 })
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'vm-state' } })
    expect(report.point).toBeUndefined()
  })
})

describe('a VM that is off, and whose disk another VM has', () => {
  it('is not backed up while that one writes; a disk that both may have is left out', async () => {
    // engine.md finding 33
    const disks = await system()
    const path = await image('/srv/odd/both.raw', 'raw')
    const off = await machine('off', { disks: disks + disk('vdb', path, '<shareable/>', 'raw'), off: true })
    const plain = await machine('plain', { disks: disk('vda', path, '', 'raw'), off: true })
    await machine('other', { disks: disk('vda', path, '<shareable/>', 'raw') })
    const report = await backedUp(off)
    expect(await targetsOf(report)).toEqual(['vda'])
    expect(report.warnings.join()).toMatch(/vdb is not in the point: qemu-system-x86_64 \(process \d+\) has it open/)
    expect(await backedUp(plain)).toMatchObject({ state: 'failed-clean', failure: { kind: 'foreign-work' } })
  })

  it('is backed up while others only read its image, as the base of theirs', async () => {
    const base = await image('/srv/odd/golden.qcow2')
    await alpha.must('qemu-img create -q -f qcow2 -b /srv/odd/golden.qcow2 -F qcow2 /srv/odd/clone.qcow2')
    const golden = await machine('golden', { disks: disk('vda', base), off: true })
    await machine('clone', { disks: disk('vda', '/srv/odd/clone.qcow2') })
    expect(await backedUp(golden)).toMatchObject({ state: 'done', method: 'offline' })
  })
})

/** A device that QEMU 7.2 cannot move, and that no definition shows. */
const NVME = [
  '-drive',
  'if=none,id=fast,file=null-co://,format=raw',
  '-device',
  'nvme,serial=fast,drive=fast,addr=0x1c'
]

describe('what a backup says though it takes the point', () => {
  it('that restoring will need a yes, where the definition passes arguments to QEMU; and why it saved no RAM', async () => {
    // engine.md finding 32, field case 11
    const guest = await machine('arguments', {
      disks: await system(),
      attributes: "xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'",
      more: `<q:commandline>${NVME.map((word) => `<q:arg value='${word}'/>`).join('')}</q:commandline>`
    })
    const report = await backedUp(guest)
    expect(report).toMatchObject({ state: 'done-with-warnings', method: 'disk' })
    expect(report.warnings.join()).toContain('Restoring this VM will need a yes')
    expect(report.methodReason).toMatch(/^its RAM cannot be saved: .*nvme/)
    const asked = await backedUp(guest, { method: 'live' })
    expect(asked).toMatchObject({ state: 'failed-clean', failure: { kind: 'state-not-savable' } })
    expect(asked.failure).toMatchObject({ because: expect.stringContaining('nvme') as string })
  })

  it('why it saved no RAM of a VM whose sound card has no state that could be saved, and of one that is paused', async () => {
    // field case 10
    const devices = "<controller type='usb' model='qemu-xhci'/><sound model='usb'/><audio id='1' type='none'/>"
    const guest = await machine('loud', { disks: await system(), devices })
    const report = await backedUp(guest)
    expect(report).toMatchObject({ state: 'done', method: 'disk' })
    expect(report.methodReason).toMatch(/^its RAM cannot be saved: .*usb/)
    const { files } = await manifestOf(report)
    expect(files.map(({ path }) => path)).toContain('running.xml')
    await guest.virsh('suspend', guest.uuid)
    before = await takeBaseline(alpha)
    expect(await backedUp(guest)).toMatchObject({ method: 'disk' })
    expect(await guest.state()).toBe('paused')
  })

  it('that its image has the name of an overlay, and is the whole disk', async () => {
    // engine.md finding 30
    const path = await image('/srv/odd/web.qcow2.stillpoint-20260101T000000Z-abcdef')
    const guest = await machine('migrated', { disks: disk('vda', path) })
    before = await takeBaseline(alpha)
    const report = await engine.backup(guest)
    expect(report).toMatchObject({ state: 'done-with-warnings' })
    expect(report.warnings.join()).toContain('mv it to /srv/odd/web.qcow2,')
    await expectSame(report, 'vda', path, 'qcow2')
    const found = await engine.ask('doctor', { stores: [], repair: true })
    expect(found.filter(({ what, repaired }) => what.includes(path) && repaired)).toEqual([])
    expect(await alpha.must(['ls', path])).toContain(path)
  })
})

/** A kernel that halts, as a Multiboot loader takes it: its header, then `hlt` and a jump back to it. */
function haltingKernel(): Buffer {
  const [magic, flags, at] = [0x1badb002, 0x10000, 0x100000]
  const words = [magic, flags, 2 ** 32 - magic - flags, at, at, 0, 0, at + 32]
  const kernel = Buffer.alloc(4096)
  for (const [n, word] of words.entries()) kernel.writeUInt32LE(word, 4 * n)
  kernel.set([0xf4, 0xeb, 0xfd], 32)
  return kernel
}

describe('a VM that is started with files of its host', () => {
  it('goes on from RAM on a host that has them not, and is started with those of its point', async () => {
    writeFileSync(join(alpha.tree, '/srv/odd/halting'), haltingKernel())
    const os = '<kernel>/srv/odd/halting</kernel><initrd>/srv/odd/a.qcow2.initrd</initrd>'
    const disks = await system()
    await alpha.must('head -c 5000 /dev/urandom > /srv/odd/a.qcow2.initrd')
    const guest = await machine('direct', { disks, os })
    const report = await backedUp(guest)
    expect(report).toMatchObject({ state: 'done', method: 'live', warnings: [] })
    await restoredOnBeta(guest, report, 'resume')
    const xml = await beta.must(['virsh', 'dumpxml', '--inactive', guest.uuid])
    for (const [role, source] of [
      ['kernel', '/srv/odd/halting'],
      ['initrd', '/srv/odd/a.qcow2.initrd']
    ] as const) {
      const path = new RegExp(`<${role}>(/var/lib/libvirt/images/.*)</${role}>`).exec(xml)?.[1] ?? expect.fail(xml)
      await must(['cmp', join(beta.tree, path), join(alpha.tree, source)])
    }
    await beta.must(`virsh -q destroy ${guest.uuid}; virsh -q start ${guest.uuid}`)
  })
})

describe('what lies in a drive', () => {
  it('is in the point where that is asked for, and in the drive of a host that has it not', async () => {
    const iso = '/srv/odd/a.iso'
    await alpha.must(`head -c 5000000 /dev/urandom > ${iso}`)
    const drive = `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${iso}'/><target dev='sda' bus='sata'/><readonly/></disk>`
    const guest = await machine('medium', { disks: (await system()) + drive })
    const plain = await backedUp(guest)
    expect((await manifestOf(plain)).boot).toBeUndefined()
    const report = await backedUp(guest, { media: true })
    expect(report).toMatchObject({ state: 'done', method: 'live', warnings: [] })
    expect((await manifestOf(report)).boot).toEqual([{ role: 'medium', file: 'boot/medium-0', originalPath: iso }])
    await restoredOnBeta(guest, report, 'resume')
    const path = /cdrom +sda +(\/\S+)/.exec(await beta.must(`virsh -q domblklist --details ${guest.uuid}`))?.[1]
    expect(path).toMatch(/^\/var\/lib\/libvirt\/images\//)
    await must(['cmp', join(beta.tree, path ?? ''), join(alpha.tree, iso)])
  })
})
