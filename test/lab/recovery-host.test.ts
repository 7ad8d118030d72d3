import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { isFailure } from '../../src/shared/failure.ts'
import { JOBS_DIR, jobUnit } from '../../src/shared/host-paths.ts'
import { newTimeSortedId } from '../../src/shared/model/ids.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import { betweenTries, NEXT_TRY_MS } from './between-tries.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { endOfRun, policyFor } from './policies.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

const MIB = 1024 * 1024
const TIMER = 'stillpoint-recover.timer'
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 })
const disc = '/srv/disc.iso'

let alpha: LabHost
let engine: BareEngine
/** Cannot be started while its disc is gone. */
let picky: Guest
let other: Guest
let before: Baseline

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  const devicesXml = `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${disc}'/>
    <target dev='sda' bus='sata'/><readonly/></disk>`
  await alpha.must(['truncate', '-s', '1M', disc])
  picky = await alpha.defineGuest({ name: 'picky', ramMiB: 128, tickMs: 200, devicesXml })
  other = await alpha.defineGuest({ name: 'other', ramMiB: 128, tickMs: 200 })
})

afterAll(async () => {
  for (const guest of [picky, other]) {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await engine.thinOut(guest)
    await guest.undefine()
  }
  await alpha.run(['rm', '-f', disc, `${disc}.away`])
})

beforeEach(async () => {
  await putDiscBack()
  for (const guest of [picky, other]) {
    await runs(guest)
    await engine.thinOut(guest)
  }
  before = await takeBaseline(alpha)
})

afterEach(async () => {
  expect(await leftoversOf(alpha, before, { roomTaken: 512 * MIB })).toEqual([])
  for (const guest of [picky, other]) await ticks(guest)
  await waitFor('the timer to go', async () => ((await isTimerArmed()) ? undefined : true), { timeoutMs: NEXT_TRY_MS })
})

const putDiscBack = (): Promise<string> => alpha.must(`[ ! -e ${disc}.away ] || mv ${disc}.away ${disc}`)
const takeDiscAway = (): Promise<string> => alpha.must(`mv ${disc} ${disc}.away`)

const ticks = (guest: Guest): Promise<unknown> => guest.waitForMoreTicks(3, NEXT_TRY_MS)

/** After a boot of its host, too, which starts no VM that no job is about. */
async function runs(guest: Guest): Promise<void> {
  if ((await guest.state()) !== 'running') await guest.start()
  await ticks(guest)
}

/** A job that hangs behind its copy, its overlays in place. */
async function hangingJob(guest: Guest, more = ''): Promise<string> {
  const id = await engine.submit(backupSpec(guest), `copy.done:1:hang${more}`)
  await waitFor(`job ${id} to have copied`, async () =>
    (await journal(id)).includes('"step":"copy"') && (await guest.xml()).includes(`.stillpoint-${id}`)
      ? true
      : undefined
  )
  await ticks(guest)
  return id
}

const journal = async (id: string): Promise<string> =>
  (await alpha.run(['cat', `${JOBS_DIR}/${id}/journal.jsonl`])).stdout
const endsIn = (text: string): number => text.split('\n').filter((line) => line.includes('"type":"end"')).length

async function reportOf(id: string): Promise<JobReport | undefined> {
  return (await engine.ask('jobs', {})).find((job) => job.id === id)
}

/** The report of a job once its journal has an end, whoever wrote it. */
const ended = (id: string): Promise<JobReport> =>
  waitFor(
    `the end of job ${id}`,
    async () => {
      const report = await reportOf(id)
      return report?.endedAt === undefined ? undefined : report
    },
    { timeoutMs: NEXT_TRY_MS, everyMs: 500 }
  )

const needsYou = (id: string): Promise<JobReport> =>
  waitFor(
    `job ${id} to need its operator`,
    async () => {
      const report = await reportOf(id)
      return report?.state === 'failed-needs-you' ? report : undefined
    },
    { timeoutMs: NEXT_TRY_MS, everyMs: 500 }
  )

async function isTimerArmed(): Promise<boolean> {
  return (await alpha.run(['systemctl', 'is-active', '--quiet', TIMER])).exitCode === 0
}

const crash = ({ name }: Guest): Promise<string> => alpha.must(`kill -9 $(cat /run/libvirt/qemu/${name}.pid)`)

describe('recovery without a last try', () => {
  // engine.md finding 12
  it('after a power cut the VM of one job runs though that of another cannot be started, which is tried until it can', async () => {
    const hopeless = await hangingJob(picky)
    const fine = await hangingJob(other)
    await takeDiscAway()
    await alpha.reset()
    await ticks(other)
    expect(await ended(fine)).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
    const report = await needsYou(hopeless)
    expect(report.endedAt).toBeUndefined()
    expect(report.failure).toMatchObject({ kind: 'left-behind', vm: 'picky', left: [{ path: disc }] })
    expect(JSON.stringify(report.failure)).toContain('systemctl start stillpoint-recover.service')
    expect(await isTimerArmed()).toBe(true)
    await putDiscBack()
    expect(await ended(hopeless)).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
  })

  it('a job whose engine is killed, and whose recovery is killed too, is taken up by the host itself', async () => {
    const id = await engine.submit(backupSpec(other), 'copy.done:1:kill,recover:1:kill')
    expect(await ended(id)).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
  })

  it('a run of a policy is closed, and tells the trouble, though the VM of its job cannot be put right', async () => {
    const policy = await engine.ask('policy-put', { policy: policyFor([picky]) })
    try {
      await alpha.must('systemctl set-environment STILLPOINT_FAULT=copy.done:1:hang')
      const { run } = await engine.ask('policy-run', { id: policy.id })
      await waitFor('the copy', async () => ((await picky.xml()).includes('.stillpoint-') ? true : undefined))
      await alpha.must('systemctl unset-environment STILLPOINT_FAULT')
      await takeDiscAway()
      await alpha.reset()
      const report = await endOfRun(engine, policy, run)
      expect(report).toMatchObject({ state: 'failed', vms: [{ outcome: 'failed' }] })
      expect(report.vms[0]?.reason).toContain('picky needs you')
      await putDiscBack()
      await ended(report.vms[0]?.job ?? '')
      await runs(other)
    } finally {
      await alpha.must('systemctl unset-environment STILLPOINT_FAULT')
      await engine.ask('policy-remove', { id: policy.id })
    }
  })
})

describe('a job before which an earlier one of its VM could not be put right', () => {
  // engine.md finding 20
  it('is told why, if it is a backup; as a restore it sets the earlier one aside, and says so', async () => {
    const point = (await engine.backup(picky, { method: 'disk' })).point ?? ''
    const hopeless = await hangingJob(picky)
    await takeDiscAway()
    await crash(picky)
    await alpha.must(['systemctl', 'kill', '--signal=KILL', jobUnit(hopeless)])
    await needsYou(hopeless)
    const refused = await betweenTries(() => engine.backup(picky))
    expect(refused).toMatchObject({ state: 'failed-clean', failure: { kind: 'left-behind', vm: 'picky' } })
    expect(JSON.stringify(refused.failure)).toContain(disc)
    expect(JSON.stringify(refused.failure)).toContain(hopeless)
    const ticked = picky.ticks().length
    const restored = await betweenTries(() => engine.restore(point, picky, { mode: 'boot', replace: true }))
    expect(restored).toMatchObject({ state: 'done-with-warnings', mode: 'boot' })
    expect(restored.warnings.join()).toContain(`Job ${hopeless} of this VM could not be put right, and is set aside`)
    expect(await ended(hopeless)).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    // It counts on from where it was in the point.
    await waitFor('it to count', () => (picky.ticks().length > ticked + 5 ? true : undefined), {
      timeoutMs: NEXT_TRY_MS
    })
    await engine.ask('let-go', { id: restored.id })
    before = await takeBaseline(alpha) // it is another VM now
  })
})

describe('a job that has not begun yet', () => {
  const slow = '/usr/local/sbin/systemd-run'
  afterEach(async () => {
    await alpha.must(['rm', '-f', slow])
  })

  // engine.md finding 41
  it('is left alone by a recovery, and has one end', async () => {
    await alpha.writeFile(slow, '#!/bin/sh\nsleep 4\nexec /usr/bin/systemd-run "$@"\n')
    await alpha.must(['chmod', '+x', slow])
    const id = newTimeSortedId(new Date(), randomBytes)
    const submitted = engine.ask('submit', { id, spec: backupSpec(other, { method: 'disk' }) })
    await waitFor('the order', async () =>
      (await alpha.run(['test', '-e', `${JOBS_DIR}/${id}/spec.json`])).exitCode === 0 ? true : undefined
    )
    expect(await engine.ask('recover', {})).toEqual([])
    expect(await engine.ask('recover', { id }).catch((error: unknown) => isFailure(error, 'vm-busy'))).toBe(true)
    await engine.ask('doctor', { stores: [], repair: true })
    await submitted
    expect((await ended(id)).state).toBe('done')
    expect(endsIn(await journal(id))).toBe(1)
  })
})

describe('a host that is shut down', () => {
  // engine.md finding 22
  it('leaves the overlay of a job for its next boot, and is off within the time of any other service', async () => {
    const policy = await engine.ask('policy-put', { policy: policyFor([other]) })
    try {
      await alpha.must('systemctl set-environment STILLPOINT_FAULT=copy.done:1:hang')
      const { run } = await engine.ask('policy-run', { id: policy.id })
      await waitFor('the copy', async () => ((await other.xml()).includes('.stillpoint-') ? true : undefined))
      await alpha.must('systemctl unset-environment STILLPOINT_FAULT')
      const overlay = /\/[^']+\.stillpoint-[^'.]+/.exec(await other.xml())?.[0] ?? ''
      await alpha.powerOff()
      expect(existsSync(join(alpha.tree, overlay))).toBe(true)
      await alpha.powerOn()
      const report = await endOfRun(engine, policy, run)
      expect(report).toMatchObject({ state: 'failed', reason: 'interrupted: the host went down' })
      expect(await ended(report.vms[0]?.job ?? '')).toMatchObject({ state: 'failed-clean' })
      expect(await other.state()).toBe('running')
      await picky.start() // no job had it, and nobody else starts it
    } finally {
      await alpha.must('systemctl unset-environment STILLPOINT_FAULT')
      await engine.ask('policy-remove', { id: policy.id })
    }
  })
})

describe('a full file system', () => {
  const small = '/srv/small'
  let cramped: Guest

  // engine.md finding 16
  it('with images, points and journal on it: the job is undone, its end is written, and the guest that stood still goes on', async () => {
    await alpha.mountSmall(small, 700)
    await alpha.must(`mkdir ${small}/jobs && mount --bind ${small}/jobs ${JOBS_DIR}`)
    cramped = await alpha.defineGuest({ name: 'cramped', ramMiB: 128, tickMs: 200, imageFolder: small, checking: true })
    try {
      await cramped.start()
      await cramped.waitForTick(5, NEXT_TRY_MS)
      const id = await engine.submit(backupSpec(cramped, { store: `${small}/points` }), 'copy.done:1:hang')
      await waitFor('the copy', async () => ((await cramped.xml()).includes('.stillpoint-') ? true : undefined))
      await waitFor('the end of the copy', async () =>
        (await alpha.run(`ls ${small}/points/*/*/disks/vda.qcow2`)).exitCode === 0 ? true : undefined
      )
      await alpha.run(`cat /dev/zero > ${small}/filler`)
      await waitFor('the guest to stand still for want of room', async () => {
        await alpha.run(`cat /dev/zero >> ${small}/filler`)
        return (await cramped.virsh('domstate', '--reason', cramped.uuid)).includes('I/O error') ? true : undefined
      })
      expect((await engine.ask('cancel', { id })).state).toBe('cancelled')
      await ticks(cramped)
      expect(await cramped.xml()).not.toContain('.stillpoint-')
    } finally {
      await alpha.run(['virsh', 'destroy', cramped.uuid])
      await cramped.undefine()
      await alpha.must(`umount ${JOBS_DIR} && umount ${small} && rmdir ${small}`)
    }
  })
})
