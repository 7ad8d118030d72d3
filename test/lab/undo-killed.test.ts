import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LAB_HELD_DIR } from '../../src/shared/host-paths.ts'
import { isEnded, type JobReport } from '../../src/shared/model/job.ts'
import type { Method } from '../../src/shared/model/point.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

/** The engine dies in a backup, and its recovery dies at each of its own steps: the end is the same as of one unharmed. */
const MIB = 1024 * 1024
let alpha: LabHost
let engine: BareEngine
let guest: Guest
let before: Baseline

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({ name: 'twice-unlucky', ramMiB: 128, disks: 2 })
  await guest.start()
  await guest.waitForTick(3)
})

afterAll(async () => {
  await guest.destroy()
  await guest.undefine()
})

beforeEach(async () => {
  await engine.thinOut(guest)
  before = await takeBaseline(alpha)
})

afterEach(async () => {
  expect(await leftoversOf(alpha, before, { roomTaken: 256 * MIB })).toEqual([])
  await guest.waitForMoreTicks(2)
})

/** Kills the job there, and its recovery once more; then recovery by hand, until it has got through. */
async function killedTwice(method: Method, first: string, second: string): Promise<JobReport> {
  const id = await engine.submit(backupSpec(guest, { method }), `${first}:1:kill,${second}:1:kill`)
  await waitFor('the recovery to be killed too', async () => {
    const { stdout } = await alpha.run(['systemctl', 'is-active', `stillpoint-job-${id}.service`])
    return /^(inactive|failed|unknown)/.test(stdout) ? true : undefined
  })
  const report = await waitFor('recovery to get through', async () => {
    const [found] = await engine.ask('recover', { id }).catch(() => [])
    return found !== undefined && isEnded(found.state) ? found : undefined
  })
  await expectDeathsAt(id, first, second)
  return report
}

/** A fault point that nobody passes kills nobody. */
async function expectDeathsAt(id: string, ...points: string[]): Promise<void> {
  const died = await alpha.must(`cd ${LAB_HELD_DIR}/${id} && ls && rm -- *.killed`)
  expect(new Set(died.trim().split('\n'))).toEqual(new Set(points.map((point) => `${point}.killed`)))
}

const eachWithDone = (steps: string[]): string[] => steps.flatMap((step) => [step, `${step}.done`])

describe('recovery of a live backup that is killed in its own', () => {
  const steps = [
    'undo.job',
    'undo.copies',
    'undo.run',
    'undo.commit.vda',
    'pivot.vda',
    'drop.vda',
    'undo.commit.vdb',
    'undo.state',
    'undo.point'
  ]
  it.each(eachWithDone(steps))('%s', async (step) => {
    const report = await killedTwice('live', 'copy.done', step)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted', step: 'copy' } })
  })
})

describe('recovery of a classic backup whose VM is only in its file, that is killed in its own', () => {
  it.each(eachWithDone(['undo.mirror.vda', 'undo.state', 'undo.point']))('%s', async (step) => {
    const report = await killedTwice('classic', 'save.done', step)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
  })
})
