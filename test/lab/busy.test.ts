import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BackupSpec, JobReport } from '../../src/shared/model/job.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, heldOrEnded, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { hasBegun } from './journals.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous } from './ticks.ts'

const MIB = 1024 * 1024
let alpha: LabHost
let engine: BareEngine
let guest: Guest
let before: Baseline
let throttle: Promise<unknown>

/** What QEMU may write here: its guest rewrites RAM faster on any machine, so that it never converges. */
const MIB_PER_SECOND = 20

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({ name: 'restless', ramMiB: 256, rewrite: { mib: 128, mibPerSecond: 5000 } })
  await guest.start()
  await guest.waitForRewriting()
})

afterAll(async () => {
  await guest.destroy()
  await guest.undefine()
})

const VIRSH = '/usr/local/sbin/virsh'
const SILENCE = '/run/silent-about-jobs'

/** As often as the file has bytes it does not tell of jobs, in the words of a libvirt that cannot have the VM for itself. */
const SILENT_VIRSH = `#!/bin/sh
if [ "$1" = domjobinfo ] && [ -s ${SILENCE} ]; then
  truncate -s -1 ${SILENCE}
  echo 'error: Timed out during operation: cannot acquire state change lock (held by remoteDispatch)' >&2
  exit 1
fi
exec /usr/bin/virsh "$@"
`

beforeAll(async () => {
  await alpha.writeFile(VIRSH, SILENT_VIRSH)
  await alpha.must(['chmod', '+x', VIRSH])
})

afterAll(() => alpha.must(['rm', '-f', VIRSH, SILENCE]))

const isTaken = ({ state, method }: JobReport): boolean => state.startsWith('done') && method === 'live'

/**
 * The report of a live backup of a guest that has proved too busy. Where this machine lets the throttle come too late, its
 * RAM may be written within the budget once: then it is taken again.
 */
async function reportOf(start: () => Promise<string>): Promise<JobReport> {
  for (;;) {
    const id = await start()
    const report = await engine.endOf(id)
    if (!isTaken(report) || hasBegun(alpha, id, 'force-pause')) return report
  }
}

const backup = (onBusy: BackupSpec['onBusy'], fault?: string): Promise<string> =>
  engine.submit(backupSpec(guest, { budgetMs, onBusy }), fault)

/** So many questions in a row are not answered while its RAM is written. */
async function backupInSilence(questions: number): Promise<string> {
  const id = await backup('fail', 'snapshot:1:hold')
  await heldAt(alpha, 'snapshot', id)
  await alpha.must(`truncate -s ${questions} ${SILENCE}`)
  await letGo(alpha, 'snapshot', id)
  return id
}

/** A live backup that stands where it is about to pause its guest, which has proved too busy. */
async function backupHeldAtPause(): Promise<string> {
  for (;;) {
    const id = await backup('pause', 'force-pause:1:hold')
    const report = await heldOrEnded(alpha, 'force-pause', id)
    if (report === 'held') return id
    expect(report).toSatisfy(isTaken)
  }
}

beforeEach(async () => {
  await engine.thinOut(guest)
  before = await takeBaseline(alpha)
  // By one virsh, which is as quick on a busy machine: libvirt forgets it with each capture, and begins at full speed.
  throttle = alpha.run(
    `rm -f /run/unthrottled; for i in $(seq 12000); do [ -e /run/unthrottled ] && break; echo migrate-setspeed ${guest.uuid} ${MIB_PER_SECOND}; sleep 0.05; done | /usr/bin/virsh -q >/dev/null 2>&1`
  )
})

afterEach(async () => {
  await alpha.must('touch /run/unthrottled')
  await throttle
  expect(await leftoversOf(alpha, before, { roomTaken: 2048 * MIB })).toEqual([])
  expect((await guest.virsh('migrate-getmaxdowntime', guest.uuid)).trim()).toBe('300')
})

const budgetMs = 2

describe('a VM that rewrites its RAM faster than the pause budget allows for', () => {
  // engine.md finding 21
  it('is left alone, with the reason, where the job says fail, though libvirt does not always answer', async () => {
    const report = await reportOf(() => backupInSilence(7))
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'too-busy', budgetMs } })
  })

  it('is not left to a capture that nobody sees to where libvirt does not answer at all', async () => {
    expect(await reportOf(() => backupInSilence(20))).toMatchObject({
      state: 'failed-clean',
      failure: { kind: 'command-failed' }
    })
    await guest.waitForMoreTicks(3)
  })

  it('gets a disk point where the job says disk', async () => {
    const report = await reportOf(() => backup('disk'))
    expect(report).toMatchObject({ state: 'done-with-warnings', method: 'disk' })
  })

  it('is paused for longer where the job says pause, and goes on', async () => {
    const recorder = guest.recordTicks()
    const report = await reportOf(() => backup('pause'))
    await guest.waitForMoreTicks(5)
    expect(report).toMatchObject({ state: 'done-with-warnings', method: 'live' })
    expect(report.pauseMs).toBeGreaterThan(budgetMs)
    expect(isContiguous(recorder.stop())).toBe(true)
  })

  it('is said to be paused by somebody else where that one was faster, and the host is not blamed', async () => {
    const id = await backupHeldAtPause()
    await alpha.must('touch /run/unthrottled')
    await throttle
    await guest.virsh('migrate-setspeed', guest.uuid, '1') // lest its RAM be written before the job has looked
    await guest.virsh('suspend', guest.uuid)
    await letGo(alpha, 'force-pause', id)
    await waitFor('the job to have looked', () => Promise.resolve(hasBegun(alpha, id, 'stood-already') || undefined))
    await guest.virsh('migrate-setspeed', guest.uuid, '4096')
    const { state, warnings } = await engine.endOf(id)
    expect(state).toBe('done-with-warnings')
    expect(warnings.join()).toContain('it was paused by somebody else just then')
    expect(warnings.join()).not.toContain('the host was busy')
    // libvirt itself lets it go on behind a snapshot. Where that was over by then, on a starved machine, it stays paused.
    if ((await guest.state()) === 'paused') await guest.virsh('resume', guest.uuid)
    await guest.waitForMoreTicks(3)
  })
})
