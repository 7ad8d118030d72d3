import { describe, expect, it } from 'vitest'
import { judgeHalfPoint, type HalfPointFacts } from '../../../src/engine/doctor/half-points.ts'
import type { JobReport } from '../../../src/shared/model/job.ts'
import type { PointOwner } from '../../../src/store/owner.ts'

const DIR = '/srv/store/vm/20261122T201744Z-7f3a21'
const JOB = '20261122T201744Z-7f3a21'
const owner = (machineId: string): PointOwner => ({
  format: 'stillpoint-owner',
  machineId,
  bootId: 'boot',
  host: 'beta',
  job: JOB,
  since: '2026-11-22T20:17:44.000Z'
})
const job = (change: Partial<JobReport>): JobReport =>
  ({ id: JOB, state: 'failed-clean', ...change }) as unknown as JobReport
const judged = (change: Partial<HalfPointFacts>) =>
  judgeHalfPoint(DIR, {
    owner: owner('ours'),
    machineId: 'ours',
    job: undefined,
    isLocked: false,
    locksHold: true,
    ...change
  })

// engine.md finding 4, field case 9
describe('an unfinished point in a store', () => {
  it('of another host is nobody else’s to remove, whether that host writes it or has died', () => {
    for (const isLocked of [true, false])
      expect(judged({ owner: owner('theirs'), isLocked })).toMatchObject({
        kind: 'keep',
        because: expect.stringMatching(/^is being written by beta since 2026-11-22T20:17:44/) as string
      })
  })

  it('of another host stays, even if a job of that id is known here', () =>
    expect(judged({ owner: owner('theirs'), job: job({}) }).kind).toBe('keep'))

  it('of a job of this host that has ended may go, also one from before points had owners', () => {
    expect(judged({ job: job({}) }).kind).toBe('remove')
    expect(judged({ owner: undefined, job: job({}) }).kind).toBe('remove')
  })

  it('stays while its job is open, or somebody holds it', () => {
    expect(judged({ job: job({ state: 'running' }) }).kind).toBe('keep')
    expect(judged({ job: job({}), isLocked: true }).kind).toBe('keep')
    expect(judged({ isLocked: true })).toMatchObject({ because: expect.stringContaining('by beta since') as string })
  })

  it('stays if its job had to leave something in it', () => {
    const left = [{ path: `${DIR}/memory.save`, because: 'the VM is only in there', mend: [] }]
    const needsYou = job({ state: 'failed-needs-you', failure: { kind: 'left-behind', vm: 'web', left } })
    expect(judged({ job: needsYou })).toMatchObject({ kind: 'keep' })
  })

  it('that nobody says he began stays', () => expect(judged({ owner: undefined }).kind).toBe('keep'))

  it('of a host with our id whose job we do not know goes only where locks hold: the id may be a clone’s', () => {
    expect(judged({}).kind).toBe('remove')
    expect(judged({ locksHold: false }).kind).toBe('keep')
  })
})
