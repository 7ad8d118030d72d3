import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { followJob, type Follow, type Watched } from '../../../src/main/core/jobs/follow-job.ts'
import { StillpointError, type Failure } from '../../../src/shared/failure.ts'
import type { JobReport, JournalEntry } from '../../../src/shared/model/job.ts'

const ID = '20261122T201744Z-7f3a21'
const at = '2026-11-22T20:17:44.000Z'
const report: JobReport = {
  id: ID,
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0', name: 'web1' },
  state: 'done',
  startedAt: at,
  pauses: [],
  pauseMs: 0,
  phases: [],
  warnings: []
}
const journal: JournalEntry[] = [0, 1, 2, 3, 4, 5].map((n) => ({ n, at, type: 'note', text: `entry ${n}` }))

const progress = (doneBytes: number): JournalEntry => ({
  n: 6,
  at: new Date(Date.parse(at) + doneBytes).toISOString(),
  type: 'progress',
  progress: { phase: 'copying vda', doneBytes, totalBytes: 1e9 }
})

const lost: Failure = { kind: 'connection-lost', host: 'alpha', during: 'follow' }

/** A host whose connection breaks after so many entries of each answer; the last one goes through. */
function hostThatBreaks(after: readonly number[], asked: number[] = []): Follow {
  let call = 0
  return async ({ from }, { onEvent }) => {
    asked.push(from)
    const limit = after[call++] ?? Infinity
    let told = 0
    for (const entry of journal.filter(({ n }) => n >= from)) {
      if (told++ >= limit) break
      await onEvent?.(entry)
    }
    if (limit !== Infinity) throw new StillpointError(lost)
    return report
  }
}

async function watch(
  follow: Follow,
  options: { giveUpAfterMs?: number; signal?: AbortSignal } = {}
): Promise<Watched[]> {
  const seen: Watched[] = []
  expect(await followJob(follow, ID, { onWatched: (what) => void seen.push(what), backOffMs: 1, ...options })).toEqual(
    report
  )
  return seen
}
const numbers = (seen: readonly Watched[]): number[] =>
  seen.flatMap((what) => (what.type === 'entry' ? [what.entry.n] : []))

describe('watching a job', () => {
  it.each([[[]], [[0]], [[1]], [[3, 0, 2]], [[6]], [[1, 1, 1, 1, 1, 1]]])(
    'sees each entry once and in order when the connection breaks after %j',
    async (after) => expect(numbers(await watch(hostThatBreaks(after)))).toEqual([0, 1, 2, 3, 4, 5])
  )

  it('asks for what it has not seen yet, and no more', async () => {
    const asked: number[] = []
    await watch(hostThatBreaks([2, 1], asked))
    expect(asked).toEqual([0, 2, 3])
  })

  it('passes over entries that come a second time', async () => {
    const stammering: Follow = async (_, { onEvent }) => {
      for (const entry of [...journal.slice(0, 3), ...journal]) await onEvent?.(entry)
      return report
    }
    expect(numbers(await watch(stammering))).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('says that the connection is lost, and that it is back', async () => {
    expect((await watch(hostThatBreaks([2]))).map(({ type }) => type)).toEqual([
      'entry',
      'entry',
      'lost',
      'back',
      'entry',
      'entry',
      'entry',
      'entry'
    ])
  })

  it('gives up on a host that stays away, and at once on a refusal', async () => {
    const away: Follow = () => Promise.reject(new StillpointError(lost))
    await expect(
      followJob(away, ID, { onWatched: () => undefined, backOffMs: 1, giveUpAfterMs: 20 })
    ).rejects.toMatchObject({ failure: lost })
    const changed: Failure = {
      kind: 'host-key-changed',
      host: 'a',
      address: 'a',
      keyType: 'k',
      fingerprint: 'f',
      knownIn: 'x'
    }
    const refusing: Follow = () => Promise.reject(new StillpointError(changed))
    await expect(followJob(refusing, ID, { onWatched: () => undefined })).rejects.toMatchObject({ failure: changed })
  })

  it('goes on for as long as the job gets on, also where the connection breaks again and again', async () => {
    let call = 0
    const breaking: Follow = async (_, { onEvent }) => {
      await onEvent?.(progress(++call))
      if (call < 8) throw new StillpointError(lost)
      return report
    }
    const seen = await watch(breaking, { giveUpAfterMs: 0 })
    const waits = seen.flatMap((what) => (what.type === 'lost' ? [what.retryInMs] : []))
    expect(waits).toHaveLength(7)
    expect(Math.max(...waits)).toBeLessThan(2)
  })
})

describe('watching a job for long', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  async function seenWithin(minutes: number, follow: Follow): Promise<Watched[]> {
    const seen: Watched[] = []
    void followJob(follow, ID, { onWatched: (what) => seen.push(what) })
    await vi.advanceTimersByTimeAsync(minutes * 60_000)
    return seen
  }
  const stalledAfter = (seen: readonly Watched[]): number[] =>
    seen.flatMap((what) => (what.type === 'stalled' ? [Math.round(what.quietMs / 1000)] : []))
  const forEver = (): Promise<never> => new Promise(() => undefined)

  it('speaks up when there is no sign of life, and once more for each minute of that', async () => {
    const seen = await seenWithin(3.5, async (_, { onEvent }) => {
      await new Promise((resolve) => setTimeout(resolve, 25_000))
      await onEvent?.(progress(1))
      return forEver()
    })
    expect(seen.map(({ type }) => type)).toEqual(['entry', 'stalled', 'stalled', 'stalled'])
    expect(stalledAfter(seen)).toEqual([60, 120, 180])
  })

  it('takes nothing that it has heard before for a sign of life', async () => {
    const seen = await seenWithin(1.5, async (_, { onEvent }) => {
      for (;;) {
        for (const entry of [...journal, progress(1)]) await onEvent?.(entry)
        await new Promise((resolve) => setTimeout(resolve, 20_000))
      }
    })
    expect(numbers(seen)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(stalledAfter(seen)).toEqual([60])
  })

  it('does not wait for a sign of life while the host is away', async () => {
    let asked = Promise.withResolvers<undefined>()
    const seen: string[] = []
    const ended = new AbortController()
    const away: Follow = async () => {
      asked.resolve(undefined)
      await new Promise((resolve) => setTimeout(resolve, 20_000))
      throw new StillpointError(lost)
    }
    const options = { signal: ended.signal, backOffMs: 1, onWatched: ({ type }: Watched) => seen.push(type) }
    const end = followJob(away, ID, options).catch(() => undefined)
    for (let losses = 0; losses < 10; losses++) {
      await asked.promise
      asked = Promise.withResolvers()
      await vi.advanceTimersByTimeAsync(20_000)
    }
    ended.abort()
    await end
    expect(seen).toEqual(Array.from({ length: 10 }, () => 'lost'))
  })
})
