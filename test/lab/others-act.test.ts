import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BackupSpec, JobReport } from '../../src/shared/model/job.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { foundAtBoot, goesOn, hasOwnDisks, OVERLAY, whileOnOverlays } from './on-overlays.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { tickOnDisk } from './tick-on-disk.ts'

/**
 * Who does what when: each case is an act of somebody else while a backup has its VM's disks on overlays.
 * docs/reliability.md has the table.
 */
const IMAGES = '/var/lib/libvirt/images'
const LATE = `${IMAGES}/late.qcow2`
const disc = (name: string): string => `/srv/${name}.iso`
let alpha: LabHost
let engine: BareEngine

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
})

/** See {@link whileOnOverlays}. */
const during = (
  guest: Guest,
  act: () => Promise<unknown>,
  point?: string,
  options?: Partial<BackupSpec>
): Promise<JobReport> => whileOnOverlays(engine, guest, act, point, options)

/** Every tick that its guest reported is on its disks, found at its next boot. */
async function nothingLost(guest: Guest): Promise<void> {
  const written = guest.lastTick()?.counter ?? 0
  if ((await guest.state()) === 'shut off') await guest.start()
  await foundAtBoot(guest, written)
}

/** Says a word to the guest until it has done what was said: QEMU listens to its terminal only now and then. */
async function tell(
  guest: Guest,
  word: 'poweroff' | 'reboot',
  isDone: () => Promise<boolean> | boolean
): Promise<void> {
  await waitFor(
    `${guest.name} to ${word}`,
    async () => {
      if (await isDone()) return true
      await guest.command(word).catch(() => undefined)
      return (await isDone()) ? true : undefined
    },
    { everyMs: 2000 }
  )
}

const isOff = async (guest: Guest): Promise<boolean> => (await guest.state()) === 'shut off'
const becomesOff = (guest: Guest): Promise<true> =>
  waitFor(`${guest.name} to be off`, async () => ((await isOff(guest)) ? true : undefined))
const powersOff = (guest: Guest): Promise<void> => tell(guest, 'poweroff', () => isOff(guest))

const driveXml = (target: string, medium?: string): string =>
  `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>${medium === undefined ? '' : `<source file='${medium}'/>`}
    <target dev='${target}' bus='sata'/><readonly/></disk>`

const pidOf = async (guest: Guest): Promise<string> =>
  (await alpha.must(`cat /run/libvirt/qemu/${guest.name}.pid`)).trim()

/** Restored from the file that its owner has saved it to, and looked after again, it goes on, on its own disks. */
async function isBackFromItsFile(guest: Guest, since: number): Promise<void> {
  await guest.virsh('restore', '/srv/saved')
  await alpha.must('rm /srv/saved')
  await engine.ask('doctor', { stores: [], repair: true })
  await hasOwnDisks(guest)
  await goesOn(guest, since)
}

describe('while a persistent VM is on its overlays', () => {
  let guest: Guest

  beforeAll(async () => {
    await alpha.must(['truncate', '-s', '1M', disc('first'), disc('second')])
    await alpha.must(['qemu-img', 'create', '-q', '-f', 'qcow2', LATE, '16M'])
    const devicesXml = `${driveXml('sda', disc('first'))}${driveXml('sdb')}`
    guest = await alpha.defineGuest({ name: 'acted-on', ramMiB: 128, disks: 2, devicesXml })
    await guest.start()
    await guest.waitForTick(3)
  })

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await guest.undefine()
    await alpha.must(['rm', '-f', LATE, disc('first'), disc('second')])
  })

  const vdb = (): string => guest.disks.find(({ target }) => target === 'vdb')?.path ?? ''
  const attach = (path: string, target: string, ...flags: string[]): Promise<string> =>
    guest.virsh('attach-disk', guest.uuid, path, target, '--subdriver', 'qcow2', ...flags)
  const detach = (target: string, ...flags: string[]): Promise<string> =>
    guest.virsh('detach-disk', guest.uuid, target, ...flags)

  /** Takes vdb off. Answers what the guest had reported by then, all of which is on that. */
  async function unplug(...flags: string[]): Promise<number> {
    const written = guest.lastTick()?.counter ?? 0
    await detach('vdb', ...flags)
    await waitFor('vdb to go', async () => ('vdb' in (await disksOf()) ? undefined : true))
    return written
  }

  /** Target and source of each disk and medium. */
  async function disksOf(...flags: string[]): Promise<Record<string, string>> {
    const lines = (await guest.virsh('domblklist', guest.uuid, ...flags)).trim().split('\n')
    return Object.fromEntries(lines.map((line) => line.trim().split(/\s+/) as [string, string]))
  }

  it('its guest shuts down: it stays off, with all it wrote', async () => {
    const report = await during(guest, () => powersOff(guest))
    expect(report.state).toMatch(/^done/)
    expect(await guest.state()).toBe('shut off')
    await hasOwnDisks(guest)
    await nothingLost(guest)
  })

  it('its guest reboots: it runs on, with all it wrote', async () => {
    const restarts = (): number => guest.log().split('Restarting system').length
    const before = restarts()
    const report = await during(guest, () => tell(guest, 'reboot', () => restarts() > before))
    expect(report.state).toMatch(/^done/)
    await hasOwnDisks(guest)
    await guest.waitForMoreTicks(2)
  })

  it('somebody pulls its plug: it stays off, with all it wrote', async () => {
    const report = await during(guest, () => guest.destroy())
    expect(report.state).toMatch(/^done/)
    expect(await guest.state()).toBe('shut off')
    await hasOwnDisks(guest)
    await nothingLost(guest)
  })

  it('its QEMU crashes: it runs again, with all it wrote', async () => {
    let written = 0
    const report = await during(guest, async () => {
      await alpha.must(`kill -9 ${await pidOf(guest)}`)
      await becomesOff(guest)
      written = guest.lastTick()?.counter ?? 0
    })
    expect(report.state).toBe('done-with-warnings')
    await hasOwnDisks(guest)
    await foundAtBoot(guest, written)
  })

  it('a disk is attached and another detached for now only: so it is, and its next start is as it was', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const next = await disksOf('--inactive')
    let written = 0
    const report = await during(guest, async () => {
      await attach(LATE, 'vdc', '--live')
      written = await unplug('--live')
    })
    expect(report.state).toMatch(/^done/)
    expect(await disksOf()).toMatchObject({ vdc: LATE })
    expect(await disksOf()).not.toHaveProperty('vdb')
    expect(await disksOf('--inactive')).toEqual(next)
    await hasOwnDisks(guest)
    await goesOn(guest, since)
    expect(await tickOnDisk(alpha, vdb(), 'qcow2')).toBeGreaterThanOrEqual(written)
    await guest.destroy()
    await guest.start() // with both disks, as its definition says
    await guest.waitForMoreTicks(2)
  })

  it('its owner starts it again: it runs on its own images', async () => {
    const report = await during(guest, async () => {
      await guest.destroy()
      await guest.start()
    })
    expect(report.state).toMatch(/^done/)
    await hasOwnDisks(guest)
    await guest.waitForMoreTicks(2)
  })

  it('its owner has its state saved: it stays saved, and goes on where it was', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const report = await during(guest, () => guest.virsh('managedsave', guest.uuid))
    expect(report.state).toMatch(/^done/)
    expect(await guest.state()).toBe('shut off')
    await hasOwnDisks(guest)
    expect(await guest.virsh('managedsave-dumpxml', guest.uuid)).not.toMatch(OVERLAY)
    await guest.start()
    await goesOn(guest, since)
  })

  it('its owner saves it to a file: the overlay that the file names stays, and is committed when it is back', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const report = await during(guest, () => guest.virsh('save', guest.uuid, '/srv/saved'))
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    await isBackFromItsFile(guest, since)
  })

  it('its owner, who had paused it, saves it to a file: the file is good, though the overlays that it names hold nothing', async () => {
    const since = guest.lastTick()?.counter ?? 0
    await guest.virsh('suspend', guest.uuid)
    const save = (): Promise<string> => guest.virsh('save', guest.uuid, '/srv/saved', '--running')
    const report = await during(guest, save, 'copy.done', { method: 'disk' })
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    await isBackFromItsFile(guest, since)
  })

  it('its owner pauses it: it stays paused', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const report = await during(guest, () => guest.virsh('suspend', guest.uuid))
    expect(report.state).toMatch(/^done/)
    expect(await guest.state()).toBe('paused')
    await hasOwnDisks(guest)
    await guest.virsh('resume', guest.uuid)
    await goesOn(guest, since)
  })

  it('its owner pauses it in the moment in which its job is about to: it stays paused', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const pause = (): Promise<string> => guest.virsh('suspend', guest.uuid)
    const report = await during(guest, pause, 'suspend', { method: 'classic' })
    expect(report.state).toMatch(/^done/)
    expect(await guest.state()).toBe('paused')
    await guest.virsh('resume', guest.uuid)
    await goesOn(guest, since)
  })

  it.each(['suspend.done', 'save.done'])(
    'its owner pauses it in that moment, and the engine dies at %s: it stays paused',
    async (at) => {
      const since = guest.lastTick()?.counter ?? 0
      const id = await engine.submit(backupSpec(guest, { method: 'classic' }), `suspend:1:hold,${at}:1:kill`)
      await heldAt(alpha, 'suspend', id)
      await guest.virsh('suspend', guest.uuid)
      await letGo(alpha, 'suspend', id)
      expect(await engine.endOf(id)).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
      expect(await guest.state()).toBe('paused')
      await guest.virsh('resume', guest.uuid)
      await goesOn(guest, since)
    }
  )

  it.each(['mirror.done', 'suspend'])(
    'it stops, and nothing tells why, as its job is about to pause it, at %s: it stays so, with its RAM',
    async (at) => {
      const since = guest.lastTick()?.counter ?? 0
      const stop = (): Promise<string> => guest.virsh('qemu-monitor-command', guest.uuid, '--hmp', 'stop')
      expect((await during(guest, stop, at, { method: 'classic' })).state).toMatch(/^done/)
      expect(await guest.state()).toBe('paused')
      await guest.virsh('resume', guest.uuid)
      await goesOn(guest, since)
    }
  )

  it('somebody commits an overlay by hand: the point is none, the VM is as it was', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const report = await during(
      guest,
      () => guest.virsh('blockcommit', guest.uuid, 'vda', '--active', '--pivot', '--wait'),
      'copy'
    )
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'foreign-work' } })
    expect(report.point).toBeUndefined()
    await hasOwnDisks(guest)
    await goesOn(guest, since)
  })

  it('somebody begins to commit an overlay by hand, and leaves it: it is brought to its end', async () => {
    const report = await during(guest, () => guest.virsh('blockcommit', guest.uuid, 'vda', '--active'))
    expect(report.state).toMatch(/^done/)
    await hasOwnDisks(guest)
  })

  it('somebody aborts our commit: it is done again', async () => {
    const report = await during(guest, () => guest.virsh('blockjob', guest.uuid, 'vda', '--abort'), 'pivot.vda')
    expect(report.state).toBe('done-with-warnings')
    await hasOwnDisks(guest)
  })

  it('somebody takes an external snapshot: it stays, on the image itself', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const report = await during(guest, () =>
      guest.virsh('snapshot-create-as', guest.uuid, 'theirs', '--disk-only', '--diskspec', 'vdb,snapshot=no')
    )
    expect(report.state).toMatch(/^done/)
    expect(await alpha.must(`ls ${IMAGES}`)).not.toMatch(OVERLAY)
    expect(await guest.xml()).not.toMatch(OVERLAY)
    expect(await guest.virsh('snapshot-dumpxml', guest.uuid, 'theirs')).not.toMatch(OVERLAY)
    await guest.waitForMoreTicks(2)
    await guest.virsh('blockcommit', guest.uuid, 'vda', '--active', '--pivot', '--wait')
    await guest.virsh('snapshot-delete', guest.uuid, 'theirs', '--metadata')
    await alpha.must(`rm ${IMAGES}/*.theirs`)
    await goesOn(guest, since)
  })

  it('somebody takes a snapshot inside the overlay: it stays until that is gone', async () => {
    const report = await during(guest, () => guest.virsh('snapshot-create-as', guest.uuid, 'inside'))
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    expect(await guest.virsh('snapshot-list', guest.uuid, '--name')).toContain('inside')
    await guest.waitForMoreTicks(2)
    await guest.virsh('snapshot-delete', guest.uuid, 'inside')
    await engine.ask('doctor', { stores: [], repair: true })
    await hasOwnDisks(guest)
  })

  it('another tool makes a checkpoint and a backup: both stay as they are', async () => {
    const report = await during(guest, async () => {
      await guest.virsh('checkpoint-create-as', guest.uuid, 'other-tools')
      await alpha.writeFile(
        '/srv/push.xml',
        "<domainbackup mode='push'><disks><disk name='vda' type='file'><target file='/srv/push.img'/></disk><disk name='vdb' backup='no'/></disks></domainbackup>"
      )
      await guest.virsh('backup-begin', guest.uuid, '/srv/push.xml')
    })
    expect(report.state).toMatch(/^done/)
    expect(await guest.virsh('checkpoint-list', guest.uuid, '--name')).toContain('other-tools')
    await hasOwnDisks(guest)
    await guest.virsh('checkpoint-delete', guest.uuid, 'other-tools')
    await alpha.must('rm -f /srv/push.xml /srv/push.img')
  })

  it('somebody attaches a disk: it is attached still, and writes to its own image', async () => {
    const report = await during(guest, () => attach(LATE, 'vdc', '--live', '--config'))
    expect(report.state).toMatch(/^done/)
    for (const disks of [await disksOf(), await disksOf('--inactive')]) expect(disks['vdc']).toBe(LATE)
    await hasOwnDisks(guest)
    await detach('vdc', '--live', '--config')
  })

  it('a disk is attached and another detached for the next start only: so it starts next, and now it is as it was', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const [now, next] = [await disksOf(), await disksOf('--inactive')]
    const report = await during(guest, async () => {
      await attach(LATE, 'vdc', '--config')
      await detach('vdb', '--config')
    })
    expect(report.state).toMatch(/^done/)
    expect(await disksOf()).toEqual(now)
    const { vdb: _, ...rest } = next
    expect(await disksOf('--inactive')).toEqual({ ...rest, vdc: LATE })
    await hasOwnDisks(guest)
    await goesOn(guest, since)
    await detach('vdc', '--config')
    await attach(vdb(), 'vdb', '--config')
  })

  it('somebody changes its media: they stay as he left them, now and for the next start', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const change = (target: string, ...words: string[]): Promise<string> =>
      guest.virsh('change-media', guest.uuid, target, ...words)
    const report = await during(guest, async () => {
      await change('sda', '--eject', '--live', '--config', '--force')
      await change('sdb', disc('second'), '--insert', '--live')
    })
    expect(report.state).toMatch(/^done/)
    expect(await disksOf()).toMatchObject({ sda: '-', sdb: disc('second') })
    expect(await disksOf('--inactive')).toMatchObject({ sda: '-', sdb: '-' })
    await hasOwnDisks(guest)
    await goesOn(guest, since)
  })

  it('a disk is plugged in between the plan and the snapshot: its writes go back to its own image', async () => {
    const report = await during(guest, () => attach(LATE, 'vdc', '--live'), 'snapshot')
    expect(report.state).toBe('done-with-warnings')
    expect(report.warnings.join()).toContain('vdc')
    expect((await disksOf())['vdc']).toBe(LATE)
    await hasOwnDisks(guest)
    await detach('vdc', '--live')
  })

  it('a disk is plugged in between the plan and the snapshot, and unplugged before the copy ends: its overlay goes', async () => {
    const id = await engine.submit(backupSpec(guest), 'snapshot:1:hold,copy.done:1:hold')
    await heldAt(alpha, 'snapshot', id)
    await attach(LATE, 'vdc', '--live')
    await letGo(alpha, 'snapshot', id)
    await heldAt(alpha, 'copy.done', id)
    expect((await disksOf())['vdc']).toMatch(OVERLAY)
    await detach('vdc', '--live')
    await waitFor('vdc to go', async () => ('vdc' in (await disksOf()) ? undefined : true))
    await letGo(alpha, 'copy.done', id)
    const report = await engine.endOf(id)
    expect(report.state).toBe('done-with-warnings')
    await hasOwnDisks(guest)
  })

  it('another tool defines it later as it was meanwhile: doctor has it start with its own images', async () => {
    let read = ''
    await during(guest, async () => (read = await guest.xml('--inactive', '--security-info')))
    expect(read).toMatch(OVERLAY)
    await alpha.must('cat | virsh -q define /dev/stdin', { stdin: read })
    await engine.ask('doctor', { stores: [], repair: true })
    await hasOwnDisks(guest)
  })

  it('another controller wants a backup of it too: that one is refused', async () => {
    const report = await during(guest, async () => {
      await expect(engine.submit(backupSpec(guest))).rejects.toMatchObject({ failure: { kind: 'vm-busy' } })
    })
    expect(report.state).toMatch(/^done/)
  })

  it('its definition is taken away: it runs on as a transient one, on its own images', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const definition = await guest.xml('--inactive', '--security-info')
    const report = await during(guest, () => guest.virsh('undefine', guest.uuid, '--keep-nvram'))
    expect(report.state).toMatch(/^done/)
    expect(await guest.virsh('dominfo', guest.uuid)).toMatch(/Persistent:\s+no/)
    await hasOwnDisks(guest)
    await goesOn(guest, since)
    await alpha.must('cat | virsh -q define /dev/stdin', { stdin: definition })
  })

  it('it is shut down and renamed: it has its own images under its new name', async () => {
    const report = await during(guest, async () => {
      await powersOff(guest)
      await guest.virsh('domrename', guest.uuid, 'acted-on-again')
    })
    expect(report.state).toMatch(/^done/)
    await hasOwnDisks(guest)
    await guest.virsh('domrename', guest.uuid, 'acted-on')
    await nothingLost(guest)
  })

  it('a disk is unplugged, for now and for ever: its image has all that was written to it', async () => {
    let written = 0
    const report = await during(guest, async () => (written = await unplug('--live', '--config')))
    expect(report.state).toMatch(/^done/)
    await hasOwnDisks(guest)
    expect(await tickOnDisk(alpha, vdb(), 'qcow2')).toBeGreaterThanOrEqual(written)
  })
})

describe('while a transient VM is on its overlays', () => {
  let guest: Guest
  let xml: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'clustered', ramMiB: 128 })
    xml = await guest.xml('--inactive')
    await guest.virsh('undefine', guest.uuid)
  })

  const create = async (): Promise<void> => {
    await alpha.must('cat | virsh -q create /dev/stdin', { stdin: xml })
  }

  const isKnown = async (): Promise<boolean> => (await alpha.run(['virsh', 'domstate', guest.uuid])).exitCode === 0

  /** Runs it again as its cluster would, and looks how it finds its disk. */
  async function nothingLostAfter(written: number): Promise<void> {
    await create()
    await foundAtBoot(guest, written)
  }

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await alpha.must(['rm', '-f', ...guest.disks.map(({ path }) => path)])
  })

  it.each<[string, () => Promise<unknown>]>([
    ['its guest shuts down', () => tell(guest, 'poweroff', async () => !(await isKnown()))],
    ['its QEMU dies', async () => alpha.must(`kill -9 ${await pidOf(guest)}`)]
  ])('%s: its image has all it wrote, and it stays off', async (_what, act) => {
    if (!(await isKnown())) await create()
    await guest.waitForMoreTicks(2)
    await during(guest, async () => {
      await act()
      await waitFor('it to be gone', async () => ((await isKnown()) ? undefined : true))
    })
    expect(await isKnown()).toBe(false)
    expect(await alpha.must(`ls ${IMAGES}`)).not.toMatch(OVERLAY)
    await nothingLostAfter(guest.lastTick()?.counter ?? 0)
  })
})
