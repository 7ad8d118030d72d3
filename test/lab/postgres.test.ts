import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { startLab, type Lab } from './lab.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { insideAsPostgres, postgresImage, recordCommits, waitForCommits, type Commit } from './postgres-guest.ts'
import { must } from './run.ts'

/**
 * A Debian with PostgreSQL under load is backed up live on one host and comes back on another. Both are Debian 13: a QEMU
 * before 9 without KVM loses track of RAM that is written while it is saved (docs/decisions/0008). A lab of its own, since
 * no other test needs a second host like that.
 */
const NAME = `${process.env['STILLPOINT_TEST_LAB'] ?? 'test'}pg`.slice(-16)
const BUILDING_MS = 1_800_000
const MIB = 1024 * 1024
let lab: Lab
let bank: Guest
let there: Guest
let engines: { here: BareEngine; there: BareEngine }
let report: JobReport
/** Reported before the VM stood still for the point, and after. */
let before: number[]
let after: number[]

beforeAll(async () => {
  const image = await postgresImage((line) => console.log(line))
  lab = await startLab({ name: NAME, hosts: [], trixie: ['gamma', 'delta'], qemuUser: 'stock' })
  const [gamma, delta] = [lab.host('gamma'), lab.host('delta')]
  engines = { here: await BareEngine.on(gamma), there: await BareEngine.on(delta) }
  bank = await gamma.defineGuest({ name: 'bank', ramMiB: 512, agent: true, system: image })
  there = bank.on(delta)
  await bank.start()
  await waitForCommits(bank, 100)
}, BUILDING_MS)

afterAll(() => lab.stop())

async function carryOver(point: string): Promise<void> {
  const [from, to] = [bank.host.tree, there.host.tree].map((tree) => `${tree}${DEFAULT_STORE}/${bank.uuid}`)
  await there.host.must(['mkdir', '-p', `${DEFAULT_STORE}/${bank.uuid}`])
  await must(['cp', '-a', '--sparse=always', `${from}/${point}`, `${to}/`])
}

async function ledger(): Promise<Set<number>> {
  return new Set((await insideAsPostgres(there, 'psql -At bank -c "SELECT id FROM ledger"')).split('\n').map(Number))
}

const missing = async (): Promise<number[]> => {
  const kept = await ledger()
  return before.filter((id) => !kept.has(id))
}

/** Each transaction moves one amount in four tables. */
const SUMS = `SELECT count(DISTINCT s) FROM (SELECT sum(abalance) s FROM pgbench_accounts UNION ALL SELECT sum(tbalance) FROM
  pgbench_tellers UNION ALL SELECT sum(bbalance) FROM pgbench_branches UNION ALL SELECT sum(delta) FROM pgbench_history) sums`

async function expectSound(): Promise<void> {
  expect((await insideAsPostgres(there, `psql -At bank -c "${SUMS.replaceAll('\n', ' ')}"`)).trim()).toBe('1')
  expect(await insideAsPostgres(there, 'pg_amcheck --heapallindexed bank')).toBe('')
}

describe('a Debian that runs PostgreSQL under load', () => {
  it('is backed up live, and goes on committing', async () => {
    const baseline = await takeBaseline(bank.host)
    const recorder = recordCommits(bank)
    report = await engines.here.backup(bank, { method: 'live' })
    await waitForCommits(bank, 20)
    const commits: readonly Commit[] = recorder.stop()
    expect(report).toMatchObject({ state: 'done', method: 'live' })
    const [pause] = report.pauses
    const [from, to] = [Date.parse(pause?.startedAt ?? ''), Date.parse(pause?.endedAt ?? '')]
    before = commits.filter(({ seenMs }) => seenMs < from).map(({ id }) => id)
    after = commits.filter(({ seenMs }) => seenMs > to).map(({ id }) => id)
    expect(Math.min(before.length, after.length)).toBeGreaterThan(10)
    expect(await leftoversOf(bank.host, baseline, { roomTaken: 2048 * MIB })).toEqual([])
    await carryOver(report.point ?? '')
    await bank.destroy()
  })

  it('resumes on another host with every committed transaction, and pg_amcheck finds nothing', async () => {
    expect(await engines.there.restore(report.point ?? '', bank)).toMatchObject({ state: 'done', mode: 'resume' })
    await waitForCommits(there, 20)
    expect(there.boots()).toEqual([])
    expect(await missing()).toEqual([])
    await expectSound()
  })

  it('boots from the same point: PostgreSQL recovers, and nothing is missing', async () => {
    await there.destroy()
    await there.undefine()
    expect(await engines.there.restore(report.point ?? '', bank, { mode: 'boot' })).toMatchObject({ mode: 'boot' })
    await waitForCommits(there, 20)
    expect(there.log()).toMatch(/^FS vda (CLEAN|DIRTY recovered)/m)
    expect(await insideAsPostgres(there, 'cat /var/log/postgresql/*.log')).toContain('automatic recovery in progress')
    expect(await missing()).toEqual([])
    await expectSound()
  })
})
