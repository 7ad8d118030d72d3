import { describe, expect, it } from 'vitest'
import { cancelWords, headline, outcomeWords, stateWords, type ToldJob } from '../../../src/shared/job-words.ts'

const job: ToldJob = {
  id: '20261122T201744Z-7f3a21',
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: '00000001-0000-4000-8000-000000000001', name: 'web1' },
  state: 'done',
  startedAt: '2026-11-22T20:17:44.000Z',
  method: 'live',
  pauses: [],
  pauseMs: 48.2,
  phases: [],
  warnings: []
}
const restore: ToldJob = { ...job, kind: 'restore', mode: 'resume', runningMs: 4200 }
const noRoom = { kind: 'no-room', path: '/srv', forWhat: 'the point', neededBytes: 2, freeBytes: 1 } as const
const report = { point: job.id, checkedBytes: 9, notes: [] }
const damaged = (...files: string[]) => ({
  ...report,
  good: false,
  problems: files.map((file) => ({ file, detail: 'differs' }))
})

describe('the one sentence on a job', () => {
  it.each<[ToldJob, string]>([
    [job, 'web1 on alpha: backed up, stood still 48 ms'],
    [{ ...job, method: 'offline', pauseMs: 0 }, 'web1 on alpha: backed up, was shut off'],
    [{ ...job, state: 'running' }, 'web1 on alpha: backup running'],
    [{ ...job, state: 'recovering' }, 'web1 on alpha: backup putting things right'],
    [{ ...job, state: 'failed-clean' }, 'web1 on alpha: backup failed; everything is as it was before'],
    [{ ...job, state: 'cancelled' }, 'web1 on alpha: backup cancelled; everything is as it was before'],
    [restore, 'web1 on alpha: restored (resume), running after 4.2 s'],
    [
      { ...job, kind: 'verify', verify: { ...damaged('a'), good: true, problems: [] } },
      'web1 on alpha: point verified, every byte as it was taken'
    ],
    [{ ...job, kind: 'copy', place: 'beta:/srv' }, 'web1 on alpha: copied to beta:/srv']
  ])('%#: %s', (told, sentence) => expect(headline(told)).toBe(sentence))
})

describe('how a job ended, in a table', () => {
  it.each<[string, ToldJob]>([
    ['stood still 48 ms', job],
    ['running after 4.2 s', restore],
    ['defined, not started', { ...job, kind: 'restore', mode: 'define' }],
    ['cancelled', { ...job, state: 'cancelled', failure: { kind: 'cancelled', what: 'it' } }],
    ['one file is damaged', { ...job, kind: 'verify', verify: damaged('disks/vda.qcow2') }],
    ['2 files are damaged', { ...job, kind: 'verify', verify: damaged('a', 'b') }],
    ['', { ...job, state: 'running' }]
  ])('%s', (words, told) => expect(outcomeWords(told)).toBe(words))

  it('names what a failed job failed of, or else how it is left', () => {
    expect(outcomeWords({ ...job, state: 'failed-clean', failure: noRoom })).toContain('room')
    expect(outcomeWords({ ...job, state: 'failed-needs-you' })).toBe(stateWords('failed-needs-you'))
  })
})

it('cancelling says what becomes of the VM', () => {
  expect(cancelWords('backup')).toBe('the VM keeps running')
  expect(cancelWords('restore')).toBe('what was there before stays as it was')
})
