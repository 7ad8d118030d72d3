import { existsSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE, policyPath, policyTimer } from '../../src/shared/host-paths.ts'
import type { Policy, RunReport } from '../../src/shared/model/policy.ts'
import { backupSpec, BareEngine, failureFrom } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import {
  at,
  endedRuns,
  endOfRun,
  EVERY_TEN_SECONDS,
  NEVER_NOW,
  policyFor,
  runByHand,
  runsOf,
  tracesOf
} from './policies.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

const MIB = 1024 * 1024
const FAR_AWAY = '2090-01-01T00:00:00.000Z'
let alpha: LabHost
let engine: BareEngine
let web: Guest
let parked: Guest
let before: Baseline
const made = new Set<Policy>()

async function put(policy: Policy): Promise<Policy> {
  made.add(policy)
  return engine.ask('policy-put', { policy })
}

async function takeAway(policy: Policy): Promise<void> {
  await engine.ask('policy-remove', { id: policy.id })
  await waitFor('nothing of the policy to be left', async () =>
    (await tracesOf(engine, policy)).length === 0 ? true : undefined
  )
  made.delete(policy)
}

const outcomes = ({ vms }: RunReport): string[] => vms.map(({ outcome }) => outcome)
const sleepy = (seconds: number, more: Partial<Policy['hooks']> = {}): NonNullable<Policy['hooks']> => ({
  before: { command: `sleep ${seconds}`, deadlineSeconds: 60 },
  beforeMustSucceed: false,
  ...more
})

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  web = await alpha.defineGuest({ name: 'web scheduled', ramMiB: 128, diskMiB: 16, agent: true })
  parked = await alpha.defineGuest({ name: 'parked', ramMiB: 128, diskMiB: 16 })
  await web.start()
  await web.waitForTick(10)
  await web.waitForAgent()
})

afterAll(async () => {
  await web.destroy().catch(() => undefined)
  for (const guest of [web, parked]) await guest.undefine()
})

beforeEach(async () => {
  for (const guest of [web, parked]) await engine.thinOut(guest)
  before = await takeBaseline(alpha)
})

afterEach(async () => {
  for (const policy of made) await takeAway(policy)
  expect(await leftoversOf(alpha, before, { roomTaken: 512 * MIB })).toEqual([])
})

describe('a policy on its host', () => {
  it('runs by the timer with nobody connected, and two at the same second take turns at the VM', async () => {
    const first = await put(policyFor([web], { name: 'first', schedule: at(EVERY_TEN_SECONDS) }))
    const second = await put(policyFor([web], { name: 'second', schedule: at(EVERY_TEN_SECONDS) }))
    const [listed] = (await engine.ask('policies', {})).policies
    expect(Date.parse(listed?.nextRunAt ?? '') - Date.now()).toBeLessThan(11_000)
    const runs = [...(await endedRuns(engine, first, 2)), ...(await endedRuns(engine, second, 1))]
    for (const run of runs) {
      expect(run).toMatchObject({ trigger: 'timer', state: 'done' })
      expect(Date.parse(run.startedAt)).toBeGreaterThanOrEqual(Date.parse(run.scheduledFor ?? ''))
    }
    const jobs = await Promise.all(runs.map(async ({ vms: [vm] }) => engine.endOf(vm?.job ?? '')))
    const inOrder = jobs.sort((a, b) => a.startedAt.localeCompare(b.startedAt))
    for (const [n, job] of inOrder.slice(1).entries())
      expect(Date.parse(job.startedAt)).toBeGreaterThanOrEqual(Date.parse(inOrder[n]?.endedAt ?? ''))
    const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: web.uuid })
    for (const { vms } of runs) expect(points.map(({ id }) => id)).toContain(vms[0]?.point)
    expect(points.at(-1)?.policy?.name).toMatch(/first|second/)
  })

  it('keeps what a run began with while it is edited, and the timer does not fire for the edit', async () => {
    const policy = await put(policyFor([web], { hooks: sleepy(2) }))
    const { run } = await engine.ask('policy-run', { id: policy.id })
    await put({ ...policy, name: 'renamed', hooks: undefined, schedule: at(NEVER_NOW) })
    made.delete(policy)
    expect(await endOfRun(engine, policy, run)).toMatchObject({ state: 'done', policy: { name: 'nightly' } })
    expect(await runByHand(engine, policy)).toMatchObject({ state: 'done', policy: { name: 'renamed' } })
    expect((await runsOf(engine, policy)).map(({ trigger }) => trigger)).toEqual(['manual', 'manual'])
  })

  it('is not run while it is paused, and says so; by hand it runs', async () => {
    const policy = await put(policyFor([web], { schedule: at(EVERY_TEN_SECONDS), pausedUntil: FAR_AWAY }))
    const [skipped] = await endedRuns(engine, policy, 1)
    expect(skipped).toMatchObject({ state: 'skipped', reason: `paused until ${FAR_AWAY}`, vms: [] })
    expect(await runByHand(engine, policy)).toMatchObject({ state: 'done', trigger: 'manual' })
  })

  it('is refused with a calendar that is none', async () => {
    const failure = await failureFrom(
      engine.ask('policy-put', { policy: policyFor([web], { schedule: at('every day') }) })
    )
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringContaining('every day') as string })
  })

  it('leaves nothing when it is removed in the middle of a run, which ends well', async () => {
    const policy = await put(policyFor([web], { schedule: at(EVERY_TEN_SECONDS), hooks: sleepy(3) }))
    const going = await waitFor('a run to begin', async () => (await runsOf(engine, policy))[0])
    await engine.ask('policy-remove', { id: policy.id })
    expect(await alpha.run(['test', '-e', policyPath(policy.id)])).toMatchObject({ exitCode: 1 })
    await takeAway(policy)
    const jobs = await engine.ask('jobs', {})
    expect(jobs.find(({ run }) => run === going.id)).toMatchObject({ state: 'done' })
  })
})

describe('which VMs a run finds', () => {
  it('takes one under its new name, and skips one that was deleted or moved to another host', async () => {
    const beta = testLab().host('beta')
    const moved = await alpha.defineGuest({ name: 'moved', ramMiB: 128, diskMiB: 16 })
    const policy = await put(policyFor([parked, moved], { method: 'live' }))
    await parked.virsh('domrename', parked.uuid, 'parked anew')
    const xml = await moved.xml()
    await moved.undefine()
    await beta.must('cat | virsh -q define /dev/stdin', { stdin: xml })
    const run = await runByHand(engine, policy)
    await beta.must(['virsh', '-q', 'undefine', moved.uuid])
    await parked.virsh('domrename', parked.uuid, 'parked')
    expect(run.state).toBe('done-with-warnings')
    const [taken, gone] = [parked, moved].map(({ uuid }) => run.vms.find(({ vm }) => vm.uuid === uuid))
    expect(taken).toMatchObject({ vm: { name: 'parked anew' }, outcome: 'done', method: 'offline' })
    expect(taken?.reason).toContain('not live: the VM is shut off')
    expect(gone).toMatchObject({
      outcome: 'skipped',
      reason: 'not on this host any more: migrated, renamed or deleted'
    })
  })

  it('waits for one that another job has', async () => {
    const policy = await put(policyFor([web]))
    const other = await engine.submit(backupSpec(web, { method: 'disk' }), 'copy:1:hang')
    const { run } = await engine.ask('policy-run', { id: policy.id })
    await waitFor('the run to wait', async () =>
      (await runsOf(engine, policy))[0]?.vms[0]?.reason?.includes(other) === true ? true : undefined
    )
    await engine.ask('cancel', { id: other })
    expect(await endOfRun(engine, policy, run)).toMatchObject({ state: 'done' })
  })
})

describe('hooks', () => {
  it('run round the backup, know what it is about, and a failing one before it can stop it', async () => {
    const hooks = {
      before: {
        command: 'echo "$STILLPOINT_PHASE $STILLPOINT_VM" > /root/hook; echo no >&2; exit 3',
        deadlineSeconds: 120
      },
      after: { command: 'env | grep STILLPOINT_ | sort >> /root/hook; sleep 600', deadlineSeconds: 10 },
      beforeMustSucceed: true
    }
    const policy = await put(policyFor([web], { hooks }))
    const stopped = await runByHand(engine, policy)
    const [vm] = stopped.vms
    expect(stopped.state).toBe('failed')
    expect(vm).toMatchObject({ outcome: 'failed' })
    expect(vm?.job).toBeUndefined()
    expect(vm?.reason).toContain('the before hook ended with exit code 3: no')
    expect(vm?.reason).toContain('the after hook was ended after 10 s')
    const heard = await alpha.readFile('/root/hook')
    for (const line of ['before web scheduled', 'STILLPOINT_OUTCOME=failed', `STILLPOINT_VM_UUID=${web.uuid}`])
      expect(heard).toContain(line)
    await put({ ...policy, hooks: { ...hooks, beforeMustSucceed: false, after: undefined } })
    made.delete(policy)
    const warned = await runByHand(engine, policy)
    expect(warned).toMatchObject({ state: 'done-with-warnings', vms: [{ outcome: 'done-with-warnings' }] })
  })
})

describe('when a run is cut short', () => {
  it('a kill of its process ends it as interrupted, its job goes on, and the after hook is not forgotten', async () => {
    const hooks = {
      before: { command: 'true', deadlineSeconds: 120 },
      after: { command: 'echo "$STILLPOINT_OUTCOME" > /root/after', deadlineSeconds: 120 },
      beforeMustSucceed: true
    }
    const policy = await put(policyFor([web], { schedule: at(EVERY_TEN_SECONDS), hooks, method: 'live' }))
    const going = await waitFor('a job to begin', async () => {
      const [run] = await runsOf(engine, policy)
      const job = run?.vms[0]?.job
      // Named a moment before it is handed to systemd: a kill in between leaves a job that never began.
      return job !== undefined && existsSync(join(alpha.tree, `/var/lib/stillpoint/jobs/${job}/journal.jsonl`))
        ? run
        : undefined
    })
    await alpha.must(`pkill -9 -f 'run-policy ${policy.id}'`)
    // As a kill leaves it that comes a moment earlier, while the job is being submitted.
    await alpha.must(`>>/run/stillpoint/submit-${going.vms[0]?.job ?? ''}.lock`)
    await alpha.must(['systemctl', 'stop', policyTimer(policy.id)])
    const run = await endOfRun(engine, policy, going.id)
    expect(run).toMatchObject({ state: 'failed', reason: 'interrupted: its process was ended' })
    expect(outcomes(run)).toEqual(['done'])
    expect(await alpha.readFile('/root/after')).toBe('done\n')
  })

  it('a host that was off catches up once, and names what it missed', async () => {
    const threeHoursAgo = new Date(Date.now() - 3 * 3_600_000).toISOString().slice(11, 16)
    const policy = await put(policyFor([web], { schedule: at(`*-*-* ${threeHoursAgo}:00 UTC`) }))
    const threeDaysAgo = new Date(Date.now() - 3.5 * 86_400_000)
    await alpha.writeFile(policyPath(policy.id), JSON.stringify({ ...policy, changedAt: threeDaysAgo.toISOString() }))
    await alpha.powerOff()
    // As if it had been off for as long.
    utimesSync(join(alpha.tree, `/var/lib/systemd/timers/stamp-${policyTimer(policy.id)}`), threeDaysAgo, threeDaysAgo)
    await alpha.powerOn()
    const [run] = await endedRuns(engine, policy, 1)
    expect(run).toMatchObject({ trigger: 'timer', state: 'done', missedCount: 3 })
    expect(new Set(run?.missed.map(({ reason }) => reason))).toEqual(new Set(['the host was off']))
    expect(run?.vms).toMatchObject([{ outcome: 'done', method: 'offline' }])
    await web.start()
    await web.waitForMoreTicks(3)
    await web.waitForAgent()
    expect(await runsOf(engine, policy)).toHaveLength(1)
  })
})

describe('a guest that is frozen for its disks', () => {
  it('is thawed by its host even if the engine is stopped right then, and the point says so', async () => {
    const id = await engine.submit(backupSpec(web, { method: 'disk' }), 'freeze.done:1:wait')
    await waitFor('the guest to freeze', async () => ((await isFrozen()) ? true : undefined), { everyMs: 50 })
    await alpha.must(`pkill -STOP -f 'mjs run ${id}'`)
    await waitFor('the guest to thaw', async () => ((await isFrozen()) ? undefined : true))
    await web.waitForMoreTicks(3)
    await alpha.must(`pkill -CONT -f 'mjs run ${id}'`)
    const report = await engine.endOf(id)
    expect(report).toMatchObject({ state: 'done-with-warnings' })
    expect(report.warnings.join()).toContain('did not stay frozen')
  })

  it('is thawed at once if the engine is killed right then', async () => {
    const report = await engine.backup(web, { method: 'disk' }, 'freeze.done:1:kill')
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
    expect(await isFrozen()).toBe(false)
    await web.waitForMoreTicks(3)
  })
})

async function isFrozen(): Promise<boolean> {
  const ask = ['virsh', '-q', 'qemu-agent-command', web.uuid, '--timeout', '2', '{"execute":"guest-fsfreeze-status"}']
  return (await alpha.run(ask)).stdout.includes('frozen')
}
