import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import type { Follow } from '../../../src/main/core/jobs/follow-job.ts'
import { LiveJobs } from '../../../src/main/core/live/live-jobs.ts'
import { History } from '../../../src/main/core/settings/history.ts'
import { openSettings } from '../../../src/main/core/settings/settings-file.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import { reportAtStart } from '../../../src/shared/job-report.ts'
import type { BackupSpec, JournalEntry, JournalEvent } from '../../../src/shared/model/job.ts'
import { POINT as ID, VM } from '../store-points.ts'

/** What is waited for before a host is asked again does not matter here. */
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<typeof import('node:timers/promises')>()),
  setTimeout: () => new Promise((resolve) => setTimeout(resolve, 1))
}))

const AT = '2026-11-25T09:00:00.000Z'
const spec: BackupSpec = {
  kind: 'backup',
  vm: VM,
  vmName: 'web',
  hostName: 'alpha',
  store: '/s',
  budgetMs: 300,
  onBusy: 'pause'
}
const pause = (ms: number): JournalEvent => ({
  type: 'pause',
  pause: { phase: 'memory', startedAt: AT, endedAt: AT, ms, source: 'qemu-events' }
})
const events: JournalEvent[] = [
  { type: 'begin', id: ID, spec, bootId: 'b', engine: '1' },
  { type: 'step', step: 'snapshot' },
  pause(40),
  { type: 'step-done', step: 'snapshot', ms: 900 },
  { type: 'warning', text: 'the guest agent did not answer' },
  pause(8)
]
const journal: JournalEntry[] = events.map((event, n) => ({ ...event, n, at: AT }))

it('a job whose host cannot say its story to the end is asked for the rest: nothing in it counts twice', async () => {
  const asked: number[] = []
  const saidAll = Promise.withResolvers<undefined>()
  /** One line more each time, and then what nobody can read. */
  const follow: Follow = async ({ from }, { onEvent, signal }) => {
    asked.push(from)
    for (const entry of journal.slice(from, asked.length)) await onEvent?.(entry)
    if (asked.length <= journal.length) throw new StillpointError({ kind: 'bad-output', what: 'alpha', detail: '' })
    saidAll.resolve(undefined)
    return new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(new StillpointError({ kind: 'cancelled', what: 'follow' })))
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-live-jobs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const engine = { call: (_: string, question: { id: string; from: number }, call: object) => follow(question, call) }
  const core = {
    folder,
    settings: openSettings(folder),
    history: new History(join(folder, 'history.jsonl')),
    connections: { engine: () => Promise.resolve(engine) }
  } as unknown as Core
  const jobs = new LiveJobs(core, () => undefined)
  onTestFinished(() => jobs.stop())
  await jobs.remembered
  await jobs.heard('alpha', [reportAtStart(ID, spec, AT)])
  await saidAll.promise
  const job = jobs.all.value?.[0]
  expect(job).toMatchObject({ state: 'running', pauseMs: 48, warnings: ['the guest agent did not answer'] })
  expect(job?.pauses.map(({ ms }) => ms)).toEqual([40, 8])
  expect(job?.phases.map(({ phase }) => phase)).toEqual(['snapshot'])
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6])
})
