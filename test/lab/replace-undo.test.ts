import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { BareEngine, restoreSpec } from './bare-engine.ts'
import { betweenTries } from './between-tries.ts'
import { heldAt, letGo } from './held.ts'
import { hasBegun } from './journals.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { guestFolder } from './root-tree.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { pictureOf } from './vm-picture.ts'

const IMAGES = '/var/lib/libvirt/images'
let alpha: LabHost
let engine: BareEngine

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
})

/** Disk files of the guest have an owner, a mode and content that no restore would make up. */
async function makeItsOwn(guest: Guest): Promise<void> {
  for (const { path } of guest.disks) await alpha.must(`chown 1000:1000 '${path}' && chmod 640 '${path}'`)
}

const sourcesOf = (guest: Guest): Promise<string> =>
  alpha.must(`virsh -q domblklist ${guest.uuid} | awk '{print $1, $2}'`)

async function forget(guest: Guest): Promise<void> {
  await alpha.run(
    `virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid} --nvram --managed-save --snapshots-metadata --checkpoints-metadata; rm -rf ${IMAGES}/*${guest.uuid}* /var/lib/stillpoint/aside ${DEFAULT_STORE}/${guest.uuid}`
  )
}

/** A restore that replaces it, while which this is done between the last look at it and its stop. */
async function meanwhile(guest: Guest, point: string, command: string): Promise<JobReport> {
  const spec = restoreSpec(alpha, point, guest, { replace: true, mode: 'define' })
  const id = await engine.submit(spec, 'displace:1:hold')
  await heldAt(alpha, 'displace', id)
  await alpha.must(command)
  await letGo(alpha, 'displace', id)
  return engine.endOf(id)
}

// engine.md finding 1, 26, 38; field case 15
describe('a VM that is off, with snapshots, a checkpoint, a managed save, autostart, and images of its own mode', () => {
  let guest: Guest
  let point: string
  let before: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'kept', ramMiB: 128, disks: 2, diskMiB: 24 })
    point = (await engine.backup(guest)).point ?? ''
    await guest.virsh('snapshot-create-as', guest.uuid, 's1')
    await guest.virsh('snapshot-create-as', guest.uuid, 's2')
    await guest.start()
    await guest.waitForTick(10)
    await guest.virsh('checkpoint-create-as', guest.uuid, 'c1')
    await guest.virsh('checkpoint-create-as', guest.uuid, 'c2')
    await guest.virsh('managedsave', guest.uuid)
    await guest.virsh('autostart', guest.uuid)
    await makeItsOwn(guest)
    before = await pictureOf(alpha, guest.uuid)
  })
  afterAll(() => forget(guest))

  const replace = (fault: string): ReturnType<BareEngine['restore']> =>
    engine.restore(point, guest, { replace: true, mode: 'define' }, fault)

  it.each(['prepare.done', 'stage.done', 'displace', 'displace.done', 'place', 'place.done', 'define', 'define.done'])(
    'is as it was, byte for byte, when the restore that replaces it fails at %s',
    async (at) => {
      const baseline = await takeBaseline(alpha)
      expect(await replace(`${at}:1:throw`)).toMatchObject({ state: 'failed-clean' })
      expect(await pictureOf(alpha, guest.uuid)).toBe(before)
      // libvirtd learns of a managed save only as it starts or makes one, and goes on from it all the same: see below.
      const allow = [/^managedSave of kept: was «yes», is «no»$/]
      expect(await leftoversOf(alpha, baseline, { allow })).toEqual([])
    }
  )

  // engine.md finding 1: each pass of an undo finds what the one before it has done, and no more is done. The fault kills the
  // undo in the job's own process and once more in the unit's recovery.
  it.each([
    'remove-vm',
    'file.vda',
    'rename.LABEL.0',
    'rename.LABEL.2',
    'define.LABEL',
    'records.LABEL',
    'start.LABEL',
    'forget'
  ])('is as it was when the undo is killed behind its step %s, and killed there again', async (step) => {
    const name = `undo.${step.replace('LABEL', guest.uuid)}`
    await replace(`define.done:1:throw,${name}.done:1:kill`)
    await engine.ask('recover', {})
    const [report] = await engine.ask('jobs', { limit: 1 })
    expect(report).toMatchObject({ kind: 'restore', state: 'failed-clean' })
    expect(await pictureOf(alpha, guest.uuid)).toBe(before)
  })

  it.each(['place.done', 'define.done'])(
    'is as it was when the engine dies at %s and the point is away: what was made of the point is kept beside',
    async (at) => {
      const dir = `${DEFAULT_STORE}/${guest.uuid}`
      const id = await engine.submit(
        restoreSpec(alpha, point, guest, { replace: true, mode: 'define' }),
        `${at}:1:hold`
      )
      await heldAt(alpha, at, id)
      await alpha.must(`mv '${dir}' /srv/away; systemctl kill -s KILL stillpoint-job-${id}.service`)
      const report = await engine.endOf(id)
      expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
      const picture = await pictureOf(alpha, guest.uuid)
      expect(picture.replaceAll(/^.*\.stillpoint-.*\n/gm, '')).toBe(before)
      const left = await alpha.must(`ls ${IMAGES} | grep stillpoint-${id}`)
      expect(left.trim().split('\n')).toHaveLength(guest.disks.length)
      expect(JSON.stringify(report.failure)).toContain(left.split('\n')[0])
      // Nobody takes it for a copy of a point that is not there; when it is there again it is one.
      await engine.ask('doctor', { stores: [], repair: true })
      expect(await alpha.must(`ls ${IMAGES} | grep stillpoint-${id}`)).toBe(left)
      await alpha.must(`mv /srv/away '${dir}'`)
      await engine.ask('doctor', { stores: [], repair: true })
      expect((await alpha.run(`ls ${IMAGES} | grep stillpoint-${id}`)).stdout).toBe('')
    }
  )

  // engine.md finding 9
  it('goes on from its managed save afterwards, and as well from a point that was taken of it while it was off', async () => {
    const saved = await engine.backup(guest)
    expect(saved.methodReason).toContain('libvirt has saved its RAM')
    const last = guest.lastTick()
    await guest.start()
    await guest.waitForMoreTicks(3)
    expect(guest.lastTick()?.bootId).toBe(last?.bootId)
    await guest.destroy()
    const before = guest.ticks().length
    expect(await engine.restore(saved.point ?? '', guest, { replace: true })).toMatchObject({ mode: 'resume' })
    await waitFor('new ticks', () => (guest.ticks().length > before + 5 ? true : undefined))
    expect(guest.lastTick()?.bootId).toBe(last?.bootId)
    await guest.destroy()
  })
})

// engine.md finding 1
describe('a VM that runs, stands still, and could not be started again as it is', () => {
  const ISO = '/srv/gone.iso'
  const KERNEL = '/srv/kernel-of-its-own'
  let guest: Guest
  let point: string
  let disk: string

  const checksum = (): Promise<string> => alpha.must(`stat -c '%i' '${disk}'; sha256sum < '${disk}'`)
  const replace = (fault: string): ReturnType<BareEngine['restore']> =>
    engine.restore(point, guest, { replace: true, mode: 'boot' }, fault)

  beforeAll(async () => {
    const cdrom = `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${ISO}'/><target dev='sda' bus='sata'/><readonly/></disk>`
    await alpha.must(`truncate -s 1M ${ISO}; cp ${guestFolder}/vmlinux ${KERNEL}`)
    guest = await alpha.defineGuest({ name: 'stuck', ramMiB: 128, diskMiB: 24, format: 'raw', devicesXml: cdrom })
    disk = guest.disks[0]?.path ?? ''
    const xml = (await guest.xml('--inactive')).replace(`${guestFolder}/vmlinux`, KERNEL)
    await alpha.must('cat | virsh -q define /dev/stdin', { stdin: xml })
    point = (await engine.backup(guest)).point ?? ''
    await guest.start()
    await guest.waitForTick(10)
    await guest.virsh('suspend', guest.uuid)
    await alpha.must(`rm ${ISO}`)
  })
  afterAll(async () => {
    await alpha.run(`rm -f ${ISO} ${KERNEL}`)
    await forget(guest)
  })

  it.each(['place.done', 'start'])(
    'is started without its medium that is gone when a restore fails at %s',
    async (at) => {
      const before = await checksum()
      const definition = await guest.xml('--inactive')
      const report = await replace(`${at}:1:throw`)
      expect(report).toMatchObject({ state: 'failed-clean' })
      expect(report.warnings.join()).toContain(ISO)
      expect(await guest.state()).toBe('paused')
      expect(await checksum()).toBe(before)
      expect(await guest.xml('--inactive')).toBe(definition)
    }
  )

  it('keeps its disk, byte for byte, while it cannot be started: through a repair, a backup and a reboot', async () => {
    const before = await checksum()
    await alpha.must(`mv ${KERNEL} ${KERNEL}.away`)
    await replace('place.done:1:throw')
    await engine.ask('doctor', { stores: [], repair: true }).catch(() => undefined)
    expect(await checksum()).toBe(before)
    await betweenTries(() => engine.backup(guest))
    expect(await checksum()).toBe(before)
    await alpha.reset()
    await engine.ask('recover', {}).catch(() => undefined)
    expect([await checksum(), await guest.state()]).toEqual([before, 'shut off'])
    await alpha.must(`mv ${KERNEL}.away ${KERNEL}`)
    await engine.ask('recover', {})
    expect([await checksum(), await guest.state()]).toEqual([before, 'paused'])
    const reports = await engine.ask('jobs', { limit: 10 })
    expect(reports.find(({ kind }) => kind === 'restore')).toMatchObject({ state: 'failed-clean' })
  })
})

describe('a transient VM', () => {
  let guest: Guest
  let point: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'passing', ramMiB: 128, diskMiB: 24 })
    point = (await engine.backup(guest)).point ?? ''
    await alpha.must(
      `virsh -q dumpxml ${guest.uuid} >/srv/passing.xml; virsh -q undefine ${guest.uuid}; virsh -q create --paused /srv/passing.xml`
    )
  })
  afterAll(() => forget(guest))

  it('is there again, as it was, when the restore that replaces it fails', async () => {
    const file = `stat -c '%i %a' '${guest.disks[0]?.path}'`
    const before = [await alpha.must(file), await guest.xml('--inactive'), await guest.state()]
    const report = await engine.restore(point, guest, { replace: true, mode: 'define' }, 'define.done:1:throw')
    expect(report).toMatchObject({ state: 'failed-clean' })
    expect([await alpha.must(file), await guest.xml('--inactive'), await guest.state()]).toEqual(before)
    expect(await guest.virsh('dominfo', guest.uuid)).toMatch(/^Persistent: +no$/m)
  })

  it('is made anew where its QEMU dies just before it was to be stopped', async () => {
    const file = `stat -c '%i %a' '${guest.disks[0]?.path}'`
    const before = [await alpha.must(file), await guest.xml('--inactive')]
    const report = await meanwhile(guest, point, 'kill -9 $(cat /run/libvirt/qemu/passing.pid)')
    expect(report).toMatchObject({ state: 'failed-clean' })
    expect(report.warnings.join()).toContain('was found off and was started again')
    expect([await alpha.must(file), await guest.xml('--inactive')]).toEqual(before)
    expect(await guest.virsh('dominfo', guest.uuid)).toMatch(/^Persistent: +no$/m)
  })
})

describe('a VM that its owner stops just before it was to make way', () => {
  let guest: Guest
  let point: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'hers', ramMiB: 128, diskMiB: 24 })
    point = (await engine.backup(guest)).point ?? ''
  })
  afterAll(() => forget(guest))

  it('stays off, though libvirt is started anew and knows no more why', async () => {
    await guest.virsh('start', guest.uuid, '--paused')
    const report = await meanwhile(
      guest,
      point,
      `virsh destroy ${guest.uuid} && systemctl restart libvirtd && virsh -q uri`
    )
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'vm-state' } })
    expect(report.warnings.join()).toContain('was stopped by somebody (destroyed)')
    expect(await alpha.must(`virsh -q domstate ${guest.uuid} --reason`)).toContain('shut off')
  })

  /** The restored VM is started in its place, and its QEMU does not come up: libvirt writes that to the log that both have. */
  async function restoredInVain(act: string): Promise<JobReport> {
    const id = await engine.submit(
      restoreSpec(alpha, point, guest, { replace: true, mode: 'boot' }),
      'stage.done:1:hold,start:1:hold'
    )
    await heldAt(alpha, 'stage.done', id)
    await alpha.must(act)
    await letGo(alpha, 'stage.done', id)
    await heldAt(alpha, 'start', id)
    await alpha.must(`virsh dumpxml ${guest.uuid} --inactive --security-info |
      sed "0,/<domain /s##<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' #;
        s#</domain>#<qemu:commandline><qemu:arg value='-nonsense'/></qemu:commandline></domain>#" >/srv/in-vain.xml
      virsh -q define /srv/in-vain.xml && rm /srv/in-vain.xml`)
    const log = '/var/log/libvirt/qemu/hers.log'
    const size = Number(await alpha.must(`stat -c %s ${log}`))
    await letGo(alpha, 'start', id)
    const report = await engine.endOf(id)
    expect(report).toMatchObject({ state: 'failed-clean' })
    expect(await alpha.must(`tail -c +${size + 1} ${log} | grep -o 'reason=.*'`)).toContain('reason=failed')
    return report
  }

  it('stays off where she stopped it before the restore looked, and the restored one does not come up', async () => {
    await guest.virsh('start', guest.uuid, '--paused')
    const report = await restoredInVain(`virsh destroy ${guest.uuid}`)
    expect(report.warnings.join()).toContain('was stopped by somebody (destroyed)')
    expect(await guest.state()).toBe('shut off')
  })

  it('runs again where a fault ended it before the restore looked, and the restored one does not come up', async () => {
    await guest.virsh('start', guest.uuid, '--paused')
    const report = await restoredInVain(
      `kill -9 $(cat /run/libvirt/qemu/hers.pid); until virsh -q domstate ${guest.uuid} | grep -q 'shut off'; do sleep 0.1; done`
    )
    expect(report.warnings.join()).toContain('was found off and was started again')
    expect(await guest.state()).toBe('paused')
    await guest.destroy()
  })

  it('stays undefined where she has undefined it too', async () => {
    await guest.virsh('start', guest.uuid, '--paused')
    const report = await meanwhile(guest, point, `virsh destroy ${guest.uuid} && virsh undefine ${guest.uuid}`)
    expect(report).toMatchObject({ state: 'failed-clean' })
    expect(await alpha.must('virsh -q list --all --uuid')).not.toContain(guest.uuid)
    expect(await alpha.must(`ls '${guest.disks[0]?.path}'`)).not.toBe('')
  })
})

describe('a VM that runs with a disk that it does not start with', () => {
  let guest: Guest
  let point: string
  const hot = (): string => `${IMAGES}/${guest.uuid}-hot.qcow2`

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'plugged', ramMiB: 128, diskMiB: 24 })
    point = (await engine.backup(guest)).point ?? ''
  })
  beforeEach(async () => {
    await guest.virsh('destroy', guest.uuid).catch(() => undefined)
    await guest.start()
    await guest.waitForMoreTicks(3)
    await alpha.must(`qemu-img create -q -f qcow2 ${hot()} 16M`)
    await guest.virsh(
      'attach-disk',
      guest.uuid,
      hot(),
      'vdc',
      '--subdriver',
      'qcow2',
      '--targetbus',
      'virtio',
      '--live'
    )
  })
  afterAll(() => forget(guest))

  it('starts as its definition says when the restore that replaces it fails, and what it had is named', async () => {
    const next = await guest.xml('--inactive')
    const report = await engine.restore(point, guest, { replace: true, mode: 'define' }, 'place.done:1:kill')
    expect(report).toMatchObject({ state: 'failed-clean' })
    expect(report.warnings.join()).toContain(`for that run only it had vdc (${hot()})`)
    expect([await guest.state(), await guest.xml('--inactive')]).toEqual(['running', next])
    await guest.virsh('attach-disk', guest.uuid, hot(), 'vdc', '--subdriver', 'qcow2', '--live')
    await guest.waitForMoreTicks(3)
  })

  it('is left as it is when its owner plugs one in as it is about to make way', async () => {
    await guest.virsh('detach-disk', guest.uuid, 'vdc', '--live')
    await waitFor('vdc to be gone', async () => ((await sourcesOf(guest)).includes('vdc') ? undefined : true))
    const report = await meanwhile(
      guest,
      point,
      `virsh attach-disk ${guest.uuid} ${hot()} vdc --subdriver qcow2 --targetbus virtio --live`
    )
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'foreign-work' } })
    expect(await sourcesOf(guest)).toContain(`vdc ${hot()}`)
  })
})

describe('a VM that runs with a disk whose writes are thrown away', () => {
  const BASE = `${IMAGES}/thrown-away.qcow2`
  let guest: Guest
  let point: string

  beforeAll(async () => {
    const disk = `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${BASE}'/><target dev='vdb' bus='virtio'/><transient/></disk>`
    await alpha.must(`qemu-img create -q -f qcow2 ${BASE} 8M`)
    guest = await alpha.defineGuest({ name: 'thrower', ramMiB: 128, diskMiB: 24, devicesXml: disk })
    point = (await engine.backup(guest)).point ?? ''
    await guest.virsh('start', guest.uuid, '--paused')
  })
  afterAll(async () => {
    await forget(guest)
    await alpha.run(`rm -f ${BASE}*`)
  })

  it('runs again on its own images when the restore that replaces it fails', async () => {
    const inodes = `stat -c %i '${guest.disks[0]?.path}' ${BASE}`
    const before = [await alpha.must(inodes), await guest.xml('--inactive')]
    expect(await alpha.must(`virsh -q domblklist ${guest.uuid}`)).toContain(`${BASE}.TRANSIENT-`)
    const report = await engine.restore(point, guest, { replace: true, mode: 'define' }, 'define.done:1:throw')
    expect(report).toMatchObject({ state: 'failed-clean' })
    expect([await alpha.must(inodes), await guest.xml('--inactive')]).toEqual(before)
    expect(await guest.state()).toBe('paused')
  })

  it('is replaced: its image is kept aside, and nothing of what it threw away', async () => {
    const report = await engine.restore(point, guest, { replace: true, mode: 'define' })
    expect(report.keptAside).toEqual([guest.disks[0]?.path, BASE].map((path) => `${path}.kept-${report.id}`))
    expect(await sourcesOf(guest)).toContain(`vdb ${BASE}`)
  })
})

// engine.md finding 29
describe('a restored VM that has run', () => {
  let guest: Guest
  let point: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'ran', ramMiB: 128, diskMiB: 24 })
    point = (await engine.backup(guest)).point ?? ''
  })
  afterAll(() => forget(guest))
  afterEach(() => guest.destroy().catch(() => undefined))

  const begin = async (fault: string): Promise<string> => {
    const id = await engine.submit(restoreSpec(alpha, point, guest, { mode: 'boot', replace: true }), fault)
    const step = fault.split(':')[0]?.replace('.done', '') ?? ''
    await waitFor(`step ${step}`, async () =>
      hasBegun(alpha, id, step) && (await guest.state()) === 'running' ? true : undefined
    )
    return id
  }
  const followed = (id: string): ReturnType<BareEngine['restore']> => engine.endOf(id)

  it.each(['start.done', 'settle'])('is not undone when its owner stops it and the engine dies at %s', async (at) => {
    const id = await begin(`${at}:1:hang`)
    await guest.destroy()
    const placed = await alpha.must(`virsh -q domblklist ${guest.uuid}`)
    await alpha.must(`systemctl kill -s KILL stillpoint-job-${id}.service`)
    const report = await followed(id)
    expect(report).toMatchObject({ state: 'done-with-warnings', mode: 'boot' })
    expect(report.keptAside).toHaveLength(1)
    expect([await guest.state(), await alpha.must(`virsh -q domblklist ${guest.uuid}`)]).toEqual(['shut off', placed])
  })

  it('runs again when its host had a power cut', async () => {
    const id = await begin('settle:1:hang')
    await alpha.reset()
    await engine.ask('recover', { id })
    expect(await followed(id)).toMatchObject({ state: 'done-with-warnings', mode: 'boot' })
    expect(await guest.state()).toBe('running')
  })
})
