import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JobReport } from '../../src/shared/model/job.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot } from './ticks.ts'

/**
 * Who does what when: each case is an act of somebody else while a backup has its VM's disks on overlays. Held at a fault
 * point, so that the moment is the same on any machine. docs/reliability.md has the table.
 */
const IMAGES = '/var/lib/libvirt/images'
let alpha: LabHost
let engine: BareEngine

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
})

/** Takes a live backup, does something while the images are being copied, and lets the job go on to its end. */
async function during(guest: Guest, act: () => Promise<unknown>, point = 'copy.done'): Promise<JobReport> {
  const id = await engine.submit(backupSpec(guest), `${point}:1:hold`)
  await heldAt(alpha, point)
  const toItsEnd = async (): Promise<JobReport> => {
    await letGo(alpha, point)
    return engine.ask('follow', { id, from: Number.MAX_SAFE_INTEGER })
  }
  try {
    await guest.waitForMoreTicks(3)
    await act()
  } catch (error) {
    await toItsEnd() // the next case finds the VM as it was
    throw error
  }
  return toItsEnd()
}

/** Live and defined disks name no overlay, and no overlay of any kind lies about. */
async function hasOwnDisks(guest: Guest): Promise<void> {
  const named = await alpha.must(
    `virsh -q domblklist ${guest.uuid}; virsh -q domblklist ${guest.uuid} --inactive; ls ${IMAGES}`
  )
  expect(named).not.toMatch(/\.stillpoint-2/)
}

/** Every tick that its guest reported is on its disks, found at its next boot. */
async function nothingLost(guest: Guest): Promise<void> {
  const written = guest.lastTick()?.counter ?? 0
  if ((await guest.state()) === 'shut off') await guest.start()
  await foundAtBoot(guest, written)
}

/** Waits for a boot that counts on from at least this tick, and looks how it found its disks. */
async function foundAtBoot(guest: Guest, written: number): Promise<void> {
  await guest.waitForTick(written + 1)
  for (const { lastTick, state } of guest.boots().at(-1)?.disks ?? []) {
    expect(lastTick).toBeGreaterThanOrEqual(written)
    expect(state).not.toBe('damaged')
  }
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

/** It has never stood still for good, nor booted, nor lost a count since then. */
async function goesOn(guest: Guest, since: number): Promise<void> {
  await guest.waitForMoreTicks(5)
  const ticks = guest.ticks().filter(({ counter }) => counter >= since)
  expect(isOneBoot(ticks)).toBe(true)
  expect(isContiguous(ticks)).toBe(true)
}

const isOff = async (guest: Guest): Promise<boolean> => (await guest.state()) === 'shut off'
const becomesOff = (guest: Guest): Promise<true> =>
  waitFor(`${guest.name} to be off`, async () => ((await isOff(guest)) ? true : undefined))
const powersOff = (guest: Guest): Promise<void> => tell(guest, 'poweroff', () => isOff(guest))

const pidOf = async (guest: Guest): Promise<string> =>
  (await alpha.must(`cat /run/libvirt/qemu/${guest.name}.pid`)).trim()

describe('while a persistent VM is on its overlays', () => {
  let guest: Guest

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'acted-on', ramMiB: 128, disks: 2, tickMs: 100 })
    await guest.start()
    await guest.waitForTick(5)
  })

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await guest.undefine()
  })

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
    await guest.waitForMoreTicks(3)
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

  it('its owner starts it again: it runs on its own images', async () => {
    const report = await during(guest, async () => {
      await guest.destroy()
      await guest.start()
    })
    expect(report.state).toMatch(/^done/)
    await hasOwnDisks(guest)
    await guest.waitForMoreTicks(3)
  })

  it('its owner has its state saved: it stays saved, and goes on where it was', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const report = await during(guest, () => guest.virsh('managedsave', guest.uuid))
    expect(report.state).toMatch(/^done/)
    expect(await guest.state()).toBe('shut off')
    await hasOwnDisks(guest)
    expect(await guest.virsh('managedsave-dumpxml', guest.uuid)).not.toMatch(/\.stillpoint-2/)
    await guest.start()
    await goesOn(guest, since)
  })

  it('its owner saves it to a file: the overlay that the file names stays, and is committed when it is back', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const report = await during(guest, () => guest.virsh('save', guest.uuid, '/srv/saved'))
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    await guest.virsh('restore', '/srv/saved')
    await alpha.must('rm /srv/saved')
    await engine.ask('doctor', { stores: [], repair: true })
    await hasOwnDisks(guest)
    await goesOn(guest, since)
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
    expect(await alpha.must(`ls ${IMAGES}`)).not.toMatch(/\.stillpoint-2/)
    expect(await guest.xml()).not.toMatch(/\.stillpoint-2/)
    expect(await guest.virsh('snapshot-dumpxml', guest.uuid, 'theirs')).not.toMatch(/\.stillpoint-2/)
    await guest.waitForMoreTicks(3)
    await guest.virsh('blockcommit', guest.uuid, 'vda', '--active', '--pivot', '--wait')
    await guest.virsh('snapshot-delete', guest.uuid, 'theirs', '--metadata')
    await alpha.must(`rm ${IMAGES}/*.theirs`)
    await goesOn(guest, since)
  })

  it('somebody takes a snapshot inside the overlay: it stays until that is gone', async () => {
    const report = await during(guest, () => guest.virsh('snapshot-create-as', guest.uuid, 'inside'))
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    expect(await guest.virsh('snapshot-list', guest.uuid, '--name')).toContain('inside')
    await guest.waitForMoreTicks(3)
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
    await alpha.must(`qemu-img create -q -f qcow2 ${IMAGES}/late.qcow2 16M`)
    const report = await during(guest, () =>
      guest.virsh(
        'attach-disk',
        guest.uuid,
        `${IMAGES}/late.qcow2`,
        'vdc',
        '--subdriver',
        'qcow2',
        '--live',
        '--config'
      )
    )
    expect(report.state).toMatch(/^done/)
    expect(await guest.virsh('domblklist', guest.uuid)).toContain(`${IMAGES}/late.qcow2`)
    await hasOwnDisks(guest)
    await guest.virsh('detach-disk', guest.uuid, 'vdc', '--live', '--config')
  })

  it('a disk is plugged in between the plan and the snapshot: its writes go back to its own image', async () => {
    await alpha.must(`[ -e ${IMAGES}/late.qcow2 ] || qemu-img create -q -f qcow2 ${IMAGES}/late.qcow2 16M`)
    const report = await during(
      guest,
      () => guest.virsh('attach-disk', guest.uuid, `${IMAGES}/late.qcow2`, 'vdc', '--subdriver', 'qcow2', '--live'),
      'snapshot'
    )
    expect(report.state).toBe('done-with-warnings')
    expect(report.warnings.join()).toContain('vdc')
    expect(await guest.virsh('domblklist', guest.uuid)).toContain(`${IMAGES}/late.qcow2`)
    await hasOwnDisks(guest)
    await guest.virsh('detach-disk', guest.uuid, 'vdc', '--live')
    await alpha.must(`rm ${IMAGES}/late.qcow2`)
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
    const report = await during(guest, () => guest.virsh('detach-disk', guest.uuid, 'vdb', '--live', '--config'))
    expect(report.state).toMatch(/^done/)
    await hasOwnDisks(guest)
    const vdb = guest.disks.find(({ target }) => target === 'vdb')?.path ?? ''
    await guest.destroy()
    await guest.virsh('attach-disk', guest.uuid, vdb, 'vdb', '--subdriver', 'qcow2', '--config')
    await guest.start()
    await waitFor('its boot', () => (guest.boots().at(-1)?.disks.length === 2 ? true : undefined))
    expect(
      guest
        .boots()
        .at(-1)
        ?.disks.every(({ lastTick }) => lastTick > 5)
    ).toBe(true)
  })
})

describe('while a transient VM is on its overlays', () => {
  let guest: Guest
  let xml: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'clustered', ramMiB: 128, tickMs: 100 })
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
    await guest.waitForMoreTicks(3)
    await during(guest, async () => {
      await act()
      await waitFor('it to be gone', async () => ((await isKnown()) ? undefined : true))
    })
    expect(await isKnown()).toBe(false)
    expect(await alpha.must(`ls ${IMAGES}`)).not.toMatch(/\.stillpoint-2/)
    await nothingLostAfter(guest.lastTick()?.counter ?? 0)
  })
})
