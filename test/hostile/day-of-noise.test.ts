import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Notices } from '../../src/main/core/live/notices.ts'
import { forgetListings, lastListing, rememberListing } from '../../src/main/core/points/last-listing.ts'
import { forgetPolicies, knownPolicies, rememberPolicies } from '../../src/main/core/policies/known-policies.ts'
import { History, HISTORY_LIMITS } from '../../src/main/core/settings/history.ts'
import { keepLines, readKeptNow, writeWaiting } from '../../src/main/core/settings/kept-lines.ts'
import type { Place } from '../../src/main/core/settings/settings-schema.ts'
import { errorLog } from '../../src/main/doors/error-log.ts'
import { PointListing } from '../../src/shared/engine-protocol.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { policyOf } from '../unit/made-policies.ts'
import { manifestOf } from '../unit/store-points.ts'
import { AT, idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('what a host makes this computer write')

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-noise-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const filesIn = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((each) =>
    each.isFile() ? [join(each.parentPath, each.name)] : []
  )
/** In those whose paths have this in them. */
const bytesIn = (part = ''): number =>
  filesIn().reduce((sum, path) => sum + (path.slice(folder.length).includes(part) ? statSync(path).size : 0), 0)
const only = (part: string): string => filesIn().find((path) => path.includes(part)) ?? ''

const POOL = createHash('shake256', { outputLength: 4 << 20 })
  .update('noise')
  .digest('base64')

/** Text that nothing makes much shorter. */
function noise(seed: string, characters: number): string {
  const start = createHash('sha256').update(seed).digest().readUInt32LE() % (POOL.length - characters)
  return POOL.slice(start, start + characters)
}

const uuidOf = (n: number): string => `4dea22b3-1d52-d8f3-2516-${n.toString(16).padStart(12, '0')}`
const at = (host: string, n = 0): Place => ({ kind: 'host', host, dir: `/srv/${n}` })
const listingOf = (points: readonly Manifest[], broken: PointListing['broken'] = []): PointListing => ({
  points: [...points],
  broken,
  marks: {}
})
const point = (n: number, change: Partial<Manifest> = {}): Manifest =>
  manifestOf(
    { 'disks/vda.qcow2': Uint8Array.of(n, n >> 8) },
    { id: idOf(n), takenAt: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(), ...change }
  )
const policies = (count: number, about: string): PolicyListing =>
  PolicyListing.parse({
    policies: Array.from({ length: count }, (_, n) => ({
      policy: policyOf({ id: n.toString(16).padStart(12, '0'), name: `${n}` }),
      problem: noise(`${about} ${n}`, 8000),
      lastRun: runReport(n, { warnings: Array.from({ length: 20 }, (__, k) => noise(`${about} ${n} ${k}`, 4000)) })
    })),
    broken: Array.from({ length: 2000 }, (_, n) => ({ path: `/p/${n}`, reason: noise(`${about} b${n}`, 1000) })),
    timeZone: 'UTC',
    parallel: 1,
    channels: {},
    outbox: []
  })

/** Bytes that the files are to have by then, by what is in their names: a day that is not full shows nothing. */
const LEAST_OF_NOISE = { history: 8 << 20, points: 1 << 20, policies: 1 << 19, notices: 1 << 18, errors: 1 << 18 }

/** It does not end meanwhile. */
const today = (): Date => new Date(AT)

describe('a day of noise of one host', () => {
  it('makes less than 16 MB in all files', async () => {
    await tally.tried(async () => {
      const history = new History(join(folder, 'history.jsonl'), HISTORY_LIMITS, today)
      const failed = (n: number): JobReport =>
        jobReport(n, {
          state: 'failed-clean',
          warnings: Array.from({ length: 4 }, (_, k) => noise(`${n} ${k}`, 260)),
          failure: { kind: 'usage', message: noise(`${n}`, 300) }
        })
      for (let n = 0; n < 4; n += 1) {
        await history.addJobs(Array.from({ length: 4800 }, (_, k) => failed(n * 4800 + k)))
        const vms = Array.from({ length: 1000 }, (_, k) => ({
          vm: { uuid: uuidOf(k), name: noise(`${k}`, 100) },
          outcome: 'failed' as const,
          reason: noise(`${n} ${k}`, 300)
        }))
        await history.addRuns(Array.from({ length: 20 }, (_, k) => runReport(n * 20 + k, { vms })))
      }
      for (let n = 0; n < 20; n += 1) {
        const warnings = (k: number): string[] => Array.from({ length: 5 }, (_, w) => noise(`${n} ${k} ${w}`, 900))
        const points = Array.from({ length: 200 }, (_, k) => point(n * 200 + k, { warnings: warnings(k) }))
        const broken = Array.from({ length: 200 }, (_, k) => ({ path: `/${k}`, reason: noise(`r${n} ${k}`, 4000) }))
        await rememberListing(folder, at('bad', n), listingOf([]))
        await rememberListing(folder, at('bad', n), listingOf(points, broken))
        await rememberPolicies(folder, 'bad', policies(100, `${n}`))
      }
      const notices = new Notices(join(folder, 'notices.json'))
      for (let n = 0; n < 400; n += 1) {
        const text = noise(`${n}`, 8000)
        notices.add({ id: `n${n}`, host: 'bad', at: AT, severity: 'failure', title: `${n}`, text })
      }
      const report = errorLog(folder)
      for (let n = 0; n < 400; n += 1)
        report({ kind: 'bug', reference: `r${n}`, message: `Error: ${noise(`bug ${n}`, 20_000)}` })
      notices.close()
      await writeWaiting(folder)
      // Each has as much of it as it can.
      for (const [part, least] of Object.entries(LEAST_OF_NOISE))
        expect({ part, bytes: bytesIn(part) > least }).toEqual({ part, bytes: true })
      expect(bytesIn()).toBeLessThan(15_500_000)
      expect((await history.jobs()).length).toBeGreaterThan(0)
      expect(knownPolicies(folder, 'bad')?.listing.policies).toHaveLength(100)
    })
  })
})

describe('a day of a large host that is honest', () => {
  const phases = [
    'estimate',
    'freeze',
    'snapshot',
    'thaw',
    'copy vda',
    'copy vdb',
    'memory',
    'commit vda',
    'commit vdb',
    'finish'
  ]
  const backup = (n: number, ofVms = 200): JobReport =>
    jobReport(n, {
      vm: { uuid: uuidOf(n % ofVms), name: `web-frontend-${n % ofVms}.example.org` },
      policy: { id: 'abcdef012345', name: 'hourly' },
      run: idOf(1),
      point: idOf(n),
      store: '/var/lib/stillpoint/points',
      method: 'live',
      methodReason: 'the VM runs: its RAM and disks are taken at one instant',
      sizeBytes: 12_345_678_901,
      pauses: ['memory', 'switch'].map((phase) => ({
        phase,
        startedAt: AT,
        endedAt: AT,
        ms: 21,
        source: 'qemu-events'
      })),
      phases: phases.map((phase) => ({ phase, startedAt: AT, ms: 1234.5 })),
      warnings: [
        'The guest agent does not answer: file systems were not frozen, and the disks are as after a power cut.'
      ]
    })
  const failed = (n: number, ofVms = 200): JobReport => ({
    ...backup(n, ofVms),
    state: 'failed-clean',
    failure: { kind: 'command-failed', command: 'virsh', stderr: 'x'.repeat(600) }
  })

  const MOST = HISTORY_LIMITS.bytesOfHostAndDay * 1.1
  const jobsOfHour = (hour: number, vms: number): JobReport[] =>
    Array.from({ length: vms }, (_, n) => (n === 7 ? failed : backup)(hour * vms + n, vms))
  const runOfHour = (hour: number, jobs: readonly JobReport[]): RunReport =>
    runReport(hour, {
      vms: jobs.map(({ vm, id, point: taken, state, failure }) => ({
        ...{ vm, outcome: state === 'done' ? ('done' as const) : ('failed' as const), job: id, failure },
        ...{ ...(taken && { point: taken }), method: 'live' },
        ...{ sizeBytes: 12_345_678_901, pauseMs: 42.5, durationMs: 123_456 }
      }))
    })

  it.each([200, 300])('of %i VMs is kept whole, but for what a backup did one after the other', async (vms) => {
    const history = new History(join(folder, 'history.jsonl'), HISTORY_LIMITS, today)
    for (let hour = 0; hour < 24; hour += 1) {
      const jobs = jobsOfHour(hour, vms)
      expect(await history.addJobs(jobs)).toHaveLength(vms)
      expect(await history.addRuns([runOfHour(hour, jobs)])).toHaveLength(1)
    }
    const jobs = await history.jobs()
    expect(jobs).toHaveLength(24 * vms)
    expect(jobs.filter(({ phases: told }) => told.length > 0).length).toBeGreaterThan(500)
    for (const job of jobs) {
      expect([job.warnings, job.pauses, job.sizeBytes]).toEqual([backup(0).warnings, backup(0).pauses, 12_345_678_901])
      if (job.state === 'failed-clean') expect(job.failure).toEqual(failed(0).failure)
    }
    for (const { vms: told } of await history.runs())
      expect(told.every(({ method, pauseMs }) => method === 'live' && pauseMs === 42.5)).toBe(true)
    expect(history.oldestLeftOut('job', 'alpha')).toBeUndefined()
    expect(bytesIn()).toBeLessThan(MOST)
  })

  it.each([500, 800])('of %i VMs has all that failed in it, and what it did not take is said', async (vms) => {
    const history = new History(join(folder, 'history.jsonl'), HISTORY_LIMITS, today)
    const said: string[] = []
    history.listen(({ text }) => said.push(text))
    for (let hour = 0; hour < 24; hour += 1) {
      const jobs = jobsOfHour(hour, vms)
      await history.addJobs(jobs)
      await history.addRuns([{ ...runOfHour(hour, jobs.slice(0, 10)), state: 'failed' }])
    }
    const jobs = await history.jobs()
    expect(jobs.length).toBeLessThan(24 * vms)
    expect(jobs.filter(({ state }) => state === 'failed-clean')).toHaveLength(24)
    expect(await history.runs()).toHaveLength(24)
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('What failed was taken first')
    expect(bytesIn()).toBeLessThan(MOST)
    // A point of a backup that there was no room for is one that its host has told of all the same.
    const last = backup(24 * vms - 1, vms)
    expect(jobs.map(({ id }) => id)).not.toContain(last.id)
    const point = { id: last.point ?? '', vm: last.vm, takenAt: last.startedAt }
    expect(history.told.of(point, []).hosts).toEqual(['alpha'])
  })

  it('that is met for the first time brings all that failed, also what is the oldest of it', async () => {
    const limits = { ...HISTORY_LIMITS, entriesOfHostAndDay: 100 }
    const history = new History(join(folder, 'history.jsonl'), limits, today)
    await history.addJobs([...Array.from({ length: 5 }, (_, n) => failed(n)), ...jobsOfHour(1, 200)])
    const jobs = await history.jobs()
    expect(jobs.filter(({ state }) => state === 'failed-clean')).toHaveLength(6)
    expect(jobs.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id).sort())
  })

  it('has all of its 10,000 points at hand while it does not answer', async () => {
    const points = Array.from({ length: 10_000 }, (_, n) =>
      point(n, { vm: { uuid: uuidOf(n % 100), name: `web${n % 100}` }, methodReason: noise(`${n}`, 20) })
    )
    await rememberListing(folder, at('good'), listingOf(points))
    expect(bytesIn()).toBeLessThan(2 << 20)
    const known = await lastListing(folder, at('good'))
    expect(known?.listing.broken).toEqual([])
    expect(new Set(known?.listing.points.map(({ id }) => id))).toEqual(new Set(points.map(({ id }) => id)))
  })
})

describe('what there is no room for', () => {
  it('is the oldest of each VM, and said', async () => {
    await tally.tried(async () => {
      const points = Array.from({ length: 3000 }, (_, n) =>
        point(n, {
          vm: { uuid: uuidOf(n < 2990 ? 0 : n), name: 'web' },
          warnings: [noise(`${n}`, 900), noise(`${n}+`, 900)],
          ...(n >= 2990 && { takenAt: '2020-01-01T00:00:00.000Z' })
        })
      )
      await rememberListing(folder, at('bad'), listingOf(points))
      const { points: kept = [], broken = [] } = (await lastListing(folder, at('bad')))?.listing ?? {}
      expect(kept.length).toBeGreaterThan(500)
      expect(new Set(kept.map(({ vm }) => vm.uuid)).size).toBe(11)
      expect(kept.map(({ id }) => id)).toContain(idOf(2989))
      expect(kept.map(({ id }) => id)).not.toContain(idOf(0))
      expect(broken).toEqual([
        {
          path: '/srv/0',
          reason: `this store had more than is kept of it here, and does not answer now: ${3000 - kept.length} older entries are not shown until it does`
        }
      ])
    })
  })

  it('is not what the schedules of a host promise, but how their last runs went', async () => {
    await tally.tried(async () => {
      await rememberPolicies(folder, 'bad', policies(100, 'x'))
      const known = knownPolicies(folder, 'bad')?.listing.policies ?? []
      expect(known).toHaveLength(100)
      expect(known.some(({ lastRun }) => lastRun !== undefined)).toBe(true)
      expect(known.every(({ lastRun }) => lastRun !== undefined)).toBe(false)
    })
  })
})

describe('what a host says again', () => {
  const limits = { packedBytes: 1 << 20, plainBytes: 1 << 20 }
  const linesOf = (path: string): readonly unknown[] => {
    const lines: unknown[] = []
    readKeptNow(path, limits, (value) => lines.push(value))
    return lines
  }

  it('is not written again while it is the same: only when it was said is new', async () => {
    for (let n = 0; n < 5; n += 1)
      await tally.tried(async () => {
        const said = policies(3, `${n}`)
        forgetPolicies(folder, 'bad')
        await rememberPolicies(folder, 'bad', said)
        const before = statSync(only('policies'))
        await rememberPolicies(folder, 'bad', said)
        const after = statSync(only('policies'))
        expect(after.ino).toBe(before.ino)
        expect(after.mtimeMs).toBeGreaterThanOrEqual(before.mtimeMs)
        expect(knownPolicies(folder, 'bad')?.asOf).toBe(after.mtime.toISOString())
      })
  })

  it('is written once where it changes all the time, and in the end it is the last that was said', async () => {
    await tally.tried(async () => {
      const path = join(folder, 'said.gz')
      await keepLines(
        path,
        () => ['"first"'],
        () => limits,
        { everyMs: 1_000_000 }
      )
      const { ino } = statSync(path)
      for (let n = 0; n < 50; n += 1)
        await keepLines(
          path,
          () => [`"${n}"`],
          () => limits,
          { everyMs: 1_000_000 }
        )
      expect(statSync(path).ino).toBe(ino)
      expect(linesOf(path)).toEqual(['first'])
      await keepLines(
        path,
        () => ['"last"'],
        () => limits,
        { everyMs: 0 }
      )
      expect(linesOf(path)).toEqual(['last'])
    })
  })

  it('is written when its time has come', async () => {
    await tally.tried(async () => {
      const path = join(folder, 'later.gz')
      await keepLines(
        path,
        () => ['"first"'],
        () => limits,
        { everyMs: 50 }
      )
      await keepLines(
        path,
        () => ['"second"'],
        () => limits,
        { everyMs: 50 }
      )
      while (linesOf(path)[0] !== 'second') await new Promise((done) => setTimeout(done, 10))
      expect(linesOf(path)).toEqual(['second'])
    })
  })
})

describe('of a host that is removed', () => {
  it('nothing is kept, and all of the others', async () => {
    await tally.tried(async () => {
      for (const host of ['bad', 'good']) {
        for (const n of [0, 1]) await rememberListing(folder, at(host, n), listingOf([point(n)]))
        await rememberPolicies(folder, host, policies(1, 'x'))
      }
      forgetListings(folder, 'bad')
      forgetPolicies(folder, 'bad')
      expect(filesIn()).toHaveLength(3)
      expect(await lastListing(folder, at('bad'))).toBeUndefined()
      expect((await lastListing(folder, at('good')))?.listing.points).toHaveLength(1)
      expect(existsSync(only('policies'))).toBe(true)
      forgetListings(folder, 'never there')
    })
  })
})
