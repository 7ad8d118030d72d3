import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { followJob, type Follow, type Watched } from '../../../src/main/core/jobs/follow-job.ts'
import { FollowTurns } from '../../../src/main/core/jobs/follow-turns.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import { newTimeSortedId } from '../../../src/shared/model/ids.ts'
import type { JournalEntry } from '../../../src/shared/model/job.ts'
import { jobReport } from '../../hostile/reports.ts'

const ids = Array.from({ length: 16 }, (_, n) => newTimeSortedId(new Date(n * 1000), (bytes) => new Uint8Array(bytes)))
const at = '2026-11-22T20:17:44.000Z'

/** A host whose jobs say something whenever they are listened to, and end when all of them have said five things. */
class BusyHost {
  open = 0
  most = 0
  readonly said = new Map<string, number>()

  readonly follow: Follow = async ({ id, from }, { onEvent, signal }) => {
    this.open += 1
    this.most = Math.max(this.most, this.open)
    try {
      for (let n = from; ; n += 1) {
        if (signal?.aborted === true) throw new StillpointError({ kind: 'cancelled', what: 'follow' })
        if (ids.every((each) => (this.said.get(each) ?? 0) >= 5)) return { ...jobReport(0), id }
        await onEvent?.({ n, at, type: 'note', text: `${n}` })
        this.said.set(id, n + 1)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    } finally {
      this.open -= 1
    }
  }
}

describe('jobs of one host that run at the same time', () => {
  it('are all followed, a few at a time, and nothing that they say is lost or heard twice', async () => {
    const host = new BusyHost()
    const turns = new FollowTurns(3)
    const heard = new Map(ids.map((id) => [id, [] as number[]]))
    await Promise.all(
      ids.map((id) =>
        followJob(host.follow, id, {
          turns,
          onWatched: (what) => what.type === 'entry' && heard.get(id)?.push(what.entry.n)
        })
      )
    )
    expect(host.most).toBe(3)
    for (const id of ids) expect(heard.get(id)).toEqual(Array.from({ length: host.said.get(id) ?? 0 }, (_, n) => n))
  })

  it('hold no place when nobody wants to follow them any more', async () => {
    const turns = new FollowTurns(1_000_000)
    const first = await Promise.all([1, 2, 3].map(() => turns.next(undefined)))
    const stop = new AbortController()
    const given = turns.next(stop.signal)
    const waits = turns.next(undefined)
    stop.abort()
    expect((await given).signal.aborted).toBe(true)
    first[0]?.end()
    first[0]?.end()
    expect((await waits).signal.aborted).toBe(false)
  })

  it('leave nothing behind of a turn that came: they are followed for days, and wait for thousands of them', async () => {
    const turns = new FollowTurns(1_000_000)
    const first = await turns.next(undefined)
    await Promise.all([turns.next(undefined), turns.next(undefined)])
    const { signal } = new AbortController()
    const waits = turns.next(signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    first.end()
    await waits
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('go on with their turn while nobody waits', async () => {
    const turns = new FollowTurns(1)
    const turn = await turns.next(undefined)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(turn.signal.aborted).toBe(false)
    await Promise.all([turns.next(undefined), turns.next(undefined)])
    const stop = new AbortController()
    const fourth = turns.next(stop.signal)
    expect(turn.signal.aborted).toBe(true)
    turn.end()
    expect((await fourth).signal.aborted).toBe(false)
  })
})

const cancelled = (): never => {
  throw new StillpointError({ kind: 'cancelled', what: 'follow' })
}

/** Until somebody else has waited long enough. */
const listening = async (signal: AbortSignal | undefined): Promise<never> => {
  await new Promise<void>((resolve) => {
    if (signal?.aborted === true) resolve()
    else signal?.addEventListener('abort', () => resolve())
  })
  return cancelled()
}

/** As the engine has it: whoever asks hears how far the job has got, also where that was said before. */
const progress = (second: number): JournalEntry => ({
  n: 5,
  at: new Date(Date.parse(at) + 1000 * second).toISOString(),
  type: 'progress',
  progress: { phase: 'copying vda', doneBytes: second, totalBytes: 1e9 }
})

describe('jobs of one host of which some hang', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** What is seen of the jobs within these minutes, by job. */
  async function seenOf(follow: Follow, { jobs, minutes }: { jobs: number; minutes: number }): Promise<Watched[][]> {
    const stop = new AbortController()
    const turns = new FollowTurns()
    const seen = ids.slice(0, jobs).map((): Watched[] => [])
    const all = seen.map((mine, n) =>
      followJob(follow, ids[n] ?? '', { turns, signal: stop.signal, onWatched: (what) => mine.push(what) }).catch(
        () => undefined
      )
    )
    await vi.advanceTimersByTimeAsync(minutes * 60_000)
    stop.abort()
    await Promise.all(all)
    return seen
  }

  it.each([1, 3, 4, 10, 16])('are each known to be stalled, and stay so: %i of them', async (jobs) => {
    const seen = await seenOf(
      async (_, { onEvent, signal }) => {
        await onEvent?.(progress(0))
        return listening(signal)
      },
      { jobs, minutes: 10 }
    )
    for (const mine of seen) {
      const [first, second] = mine
      expect(first).toMatchObject({ type: 'entry' })
      expect(second).toMatchObject({ type: 'stalled' })
      // What it had said before is no sign of life when it is said again.
      expect(new Set(mine.slice(1).map(({ type }) => type))).toEqual(new Set(['stalled']))
    }
  })

  it('are told apart from those that work, however long these wait for their turn', async () => {
    const [hangs] = ids
    const begin = Date.now()
    const seen = await seenOf(
      async ({ id }, { onEvent, signal }) => {
        await onEvent?.(progress(id === hangs ? 0 : Math.floor((Date.now() - begin) / 1000)))
        return listening(signal)
      },
      { jobs: 16, minutes: 30 }
    )
    const stalled = seen.map((mine) => mine.some(({ type }) => type === 'stalled'))
    expect(stalled).toEqual(ids.map((id) => id === hangs))
  })

  it('are heard again as soon as they go on', async () => {
    const begin = Date.now()
    const hasHung = (): boolean => Date.now() - begin < 8 * 60_000
    const seen = await seenOf(
      async (_, { onEvent, signal }) => {
        await onEvent?.(progress(hasHung() ? 0 : 1))
        return listening(signal)
      },
      { jobs: 4, minutes: 9 }
    )
    for (const mine of seen) {
      expect(mine.at(-2)).toMatchObject({ type: 'stalled' })
      expect(mine.at(-1)).toEqual({ type: 'entry', entry: progress(1) })
    }
  })

  it('are tried again at once after a first hiccup, however many turns they have had', async () => {
    const heard: Watched[] = []
    const stop = new AbortController()
    const turns = new FollowTurns()
    const others = ids.slice(1, 4).map((id) =>
      followJob((_, { signal }) => listening(signal), id, {
        turns,
        signal: stop.signal,
        onWatched: () => undefined
      }).catch(() => undefined)
    )
    let turn = 0
    const follow: Follow = (_, { signal }) =>
      ++turn < 30
        ? listening(signal)
        : Promise.reject(new StillpointError({ kind: 'connection-lost', host: 'alpha', during: 'follow' }))
    const mine = followJob(follow, ids[0] ?? '', {
      turns,
      signal: stop.signal,
      onWatched: (what) => {
        heard.push(what)
        if (what.type === 'lost') stop.abort()
      }
    }).catch(() => undefined)
    await vi.advanceTimersByTimeAsync(3_600_000)
    await Promise.all([mine, ...others])
    const [loss] = heard.filter(({ type }) => type === 'lost')
    expect(turn).toBe(30)
    expect(loss?.type === 'lost' && loss.retryInMs).toBeLessThan(2000)
  })
})
