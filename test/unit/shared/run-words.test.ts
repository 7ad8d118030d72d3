import { describe, expect, it } from 'vitest'
import type { RunReport, RunVm } from '../../../src/shared/model/policy.ts'
import {
  missedWords,
  prunedWords,
  runHeadline,
  runSeverity,
  runWorst,
  vmDeedWords
} from '../../../src/shared/run-words.ts'

const point = '20261122T201744Z-7f3a21'
const vm = (change: Partial<RunVm> = {}): RunVm => ({
  vm: { uuid: '00000001-0000-4000-8000-000000000001', name: 'web1' },
  outcome: 'done',
  method: 'live',
  pauseMs: 48.2,
  sizeBytes: 1.2 * 1024 ** 3,
  durationMs: 125_000,
  ...change
})
const run = (vms: RunVm[], change: Partial<RunReport> = {}): RunReport => ({
  id: point,
  policy: { id: 'a1b2c3d4e5f6', name: 'nightly' },
  host: 'kvm-1',
  trigger: 'timer',
  startedAt: '2026-11-22T20:17:44.000Z',
  state: 'done',
  missed: [],
  missedCount: 0,
  vms,
  told: [],
  warnings: [],
  ...change
})
const failed = vm({ outcome: 'failed', failure: { kind: 'too-busy', vm: 'web1', budgetMs: 300, detail: '' } })
const skipped = vm({ outcome: 'skipped', reason: 'not on this host any more' })
const off = vm({ method: 'offline', pauseMs: 0 })
const refused = { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: ['the clock is not sane'] }
const missed = [
  { at: '2026-11-21T01:00:00.000Z', reason: 'the host was off' },
  { at: '2026-11-22T01:00:00.000Z', reason: 'the host was off' }
]

describe('the one sentence on a run', () => {
  it.each<[string, RunReport]>([
    ['1 VM backed up, stood still 48 ms', run([vm()])],
    ['2 VMs backed up, stood still 31 to 48 ms', run([vm(), vm({ pauseMs: 31 })])],
    ['2 VMs backed up, stood still 48 ms to 1.1 s', run([vm(), vm({ pauseMs: 1100 })])],
    ['2 VMs backed up, stood still 48 ms to 2 min 5 s', run([vm(), vm({ pauseMs: 125_000 })])],
    ['2 VMs backed up, stood still 48 ms', run([vm(), off])],
    ['1 VM backed up', run([off])],
    ['2 of 4 backed up, 1 failed, 1 skipped', run([vm(), vm(), failed, skipped], { state: 'failed' })],
    ['0 of 1 backed up, 1 cancelled', run([vm({ outcome: 'cancelled' })], { state: 'failed' })],
    ['no VM to back up', run([])],
    ['skipped: paused until Monday', run([], { state: 'skipped', reason: 'paused until Monday' })],
    ['failed: the store is another one', run([], { state: 'failed', reason: 'the store is another one' })],
    ['running, 1 of 2 VMs done', run([vm(), vm({ outcome: 'waiting' })], { state: 'running' })]
  ])('%s', (words, report) => expect(runHeadline(report)).toBe(words))
})

describe('the worst of a run', () => {
  it.each<[string, RunReport]>([
    ['1 of 2 failed', run([vm(), failed], { state: 'failed' })],
    ['1 of 2 failed', run([skipped, failed], { state: 'failed', missed, missedCount: 2 })],
    ['1 of 2 skipped', run([vm(), skipped])],
    ['failed: interrupted', run([vm()], { state: 'failed', reason: 'interrupted' })],
    ['failed', run([vm()], { state: 'failed' })],
    ['2 runs missed', run([vm()], { missed, missedCount: 2 })],
    ['old points were not pruned', run([vm()], { pruned: refused })],
    ['1 VM backed up, stood still 48 ms', run([vm()])]
  ])('is %s', (words, report) => expect(runWorst(report)).toBe(words))
})

describe('how bad a run is', () => {
  it('is a failure if it or a VM in it failed', () => {
    expect(runSeverity(run([vm(), failed], { state: 'failed' }))).toBe('failure')
    expect(runSeverity(run([], { state: 'failed' }))).toBe('failure')
  })
  it.each<[string, RunReport]>([
    ['a VM was skipped', run([vm(), skipped])],
    ['a VM was cancelled', run([vm({ outcome: 'cancelled' })])],
    ['runs were missed', run([vm()], { missed, missedCount: 2 })],
    ['pruning was refused', run([vm()], { pruned: refused })],
    ['all of it was skipped', run([], { state: 'skipped' })]
  ])('is a warning if %s', (_why, report) => expect(runSeverity(report)).toBe('warning'))
  it('is fine with warnings of the backups alone', () => {
    expect(runSeverity(run([vm({ outcome: 'done-with-warnings' })], { state: 'done-with-warnings' }))).toBe('ok')
  })
})

describe('the line on a VM', () => {
  it.each<[string, RunVm]>([
    ['backed up, stood still 48 ms, 1.2 GiB, took 2 min 5 s', vm()],
    ['backed up, was shut off, 1.2 GiB, took 2 min 5 s', off],
    ['failed: web1 is too busy for a pause of 300 ms', failed],
    ['skipped: not on this host any more', skipped],
    ['waiting', vm({ outcome: 'waiting' })]
  ])('%s', (words, told) => expect(vmDeedWords(told)).toBe(words))
})

it('says what was done about old points, and what was missed and why', () => {
  const done = { trashed: [point], removed: [point, point], memoryDropped: [point], freedBytes: 4.1 * 1024 ** 3 }
  expect(prunedWords({ ...done, refused: [] })).toBe(
    '1 old point to the trash, 2 removed for good, RAM of 1 dropped, 4.1 GiB freed'
  )
  expect(prunedWords(refused)).toBe('left as they are')
  expect(prunedWords({ ...refused, refused: [] })).toBe('no old points had to go')
  expect(missedWords({ missed, missedCount: 2 })).toBe('2 runs missed: the host was off')
  expect(missedWords({ missed: [...missed, { at: point, reason: 'the clock was changed' }], missedCount: 9 })).toBe(
    '9 runs missed'
  )
})
