import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE, enginePath, policyService, runtimePath } from '../../src/shared/host-paths.ts'
import type { Policy } from '../../src/shared/model/policy.ts'
import { BareEngine, failureFrom } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { at, endedRuns, EVERY_TEN_SECONDS, policyFor, runByHand, tracesOf } from './policies.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

const MIB = 1024 * 1024
const STORE = '/srv/swapped'
const HOOK_LOG = '/run/hooks.log'
let alpha: LabHost
let engine: BareEngine
let guests: readonly Guest[]
let before: Baseline
const made = new Set<string>()

async function put(policy: Policy, acceptStore = false): Promise<Policy> {
  made.add(policy.id)
  return engine.ask('policy-put', { policy, acceptStore })
}

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guests = [
    await alpha.defineGuest({ name: 'one of two', ramMiB: 128, diskMiB: 16 }),
    await alpha.defineGuest({ name: 'two of two', ramMiB: 128, diskMiB: 16 })
  ]
})

afterAll(async () => {
  for (const guest of guests) {
    await alpha.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
    await guest.undefine()
  }
})

beforeEach(async () => {
  before = await takeBaseline(alpha)
})

afterEach(async () => {
  for (const id of made) await engine.ask('policy-remove', { id })
  made.clear()
  expect(await leftoversOf(alpha, before, { roomTaken: 256 * MIB })).toEqual([])
})

describe('a host with policies', () => {
  it.each([
    [1, ['before', 'after', 'before', 'after']],
    [2, ['before', 'before', 'after', 'after']]
  ])('works on %i VMs of a run at a time', async (parallel, order) => {
    const note = (phase: string): string => `echo ${phase} >> ${HOOK_LOG}`
    const hooks: Policy['hooks'] = {
      before: { command: `${note('before')}; sleep 1.5`, deadlineSeconds: 30 },
      after: { command: note('after'), deadlineSeconds: 30 },
      beforeMustSucceed: true
    }
    await engine.ask('parallel', { parallel })
    const policy = await put(policyFor(guests, { method: 'offline', hooks }))
    expect(await runByHand(engine, policy)).toMatchObject({ state: 'done' })
    const log = await alpha.readFile(HOOK_LOG)
    await alpha.must(['rm', HOOK_LOG])
    await engine.ask('parallel', { parallel: 1 })
    expect(log.trim().split('\n')).toEqual(order)
  })

  it('backs up nothing into another store than the one it knows, until that one is meant; pausing is possible all the time', async () => {
    await alpha.mountSmall(STORE, 64)
    try {
      const policy = await put(policyFor(guests.slice(0, 1), { method: 'offline', store: STORE }))
      expect(await runByHand(engine, policy)).toMatchObject({ state: 'done' })
      await alpha.unmount(STORE)
      const refused = await runByHand(engine, policy)
      expect(refused).toMatchObject({ state: 'failed', vms: [] })
      expect(refused.reason).toContain('is not the store that it was')
      expect(await alpha.must(['ls', '-A', STORE])).toBe('')
      const [listed] = (await engine.ask('policies', {})).policies
      expect(listed?.problem).toContain('is not the store that it was')
      const paused = { ...policy, pausedUntil: '2090-01-01T00:00:00.000Z' }
      expect(await put(paused)).toMatchObject({ pausedUntil: paused.pausedUntil })
      expect(await failureFrom(put(paused))).toMatchObject({ kind: 'store-changed', store: STORE })
      await put(policy, true)
      expect(await runByHand(engine, policy)).toMatchObject({ state: 'done' })
    } finally {
      await alpha.run(['umount', STORE])
      await alpha.must(['rm', '-rf', STORE])
    }
  })

  it('runs its policies with the engine that is there: their units follow an update', async () => {
    const policy = await put(policyFor(guests.slice(0, 1), { method: 'offline' }))
    const started = (): Promise<string> =>
      alpha.must(['systemctl', 'show', '-p', 'ExecStart', '--value', policyService(policy.id)])
    const next = enginePath('next')
    await alpha.must(['cp', enginePath('lab'), next])
    await alpha.must([runtimePath('lab'), next, 'probe'], { stdin: '{}\n' })
    expect(await started()).toContain(next)
    await engine.ask('probe', {})
    await alpha.must(['rm', next])
    expect(await started()).not.toContain(next)
    expect(await runByHand(engine, policy)).toMatchObject({ state: 'done' })
  })
})

describe('a host with Debian 13', () => {
  it('runs a policy by its timer, and forgets it whole', async () => {
    const gamma = testLab().host('gamma')
    const there = await BareEngine.on(gamma)
    const guest = await gamma.defineGuest({ name: 'newer', ramMiB: 128, diskMiB: 16 })
    const policy = policyFor([guest], { hostName: 'gamma', method: 'offline', schedule: at(EVERY_TEN_SECONDS) })
    await there.ask('policy-put', { policy })
    expect((await endedRuns(there, policy, 1))[0]).toMatchObject({ trigger: 'timer', state: 'done' })
    await there.ask('policy-remove', { id: policy.id })
    await waitFor('nothing of it to be left', async () =>
      (await tracesOf(there, policy)).length === 0 ? true : undefined
    )
    await gamma.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
    await guest.undefine()
  })
})
