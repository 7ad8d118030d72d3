import { setTimeout as sleep } from 'node:timers/promises'
import { fail, isFailure, type Failure } from '../../../shared/failure.ts'
import type { JobReport, JournalEntry } from '../../../shared/model/job.ts'
import type { QuestionOf } from '../../../shared/engine-protocol.ts'
import type { CallOptions } from '../engine-on-host/engine-call.ts'
import type { FollowTurns } from './follow-turns.ts'

/** What happens while a job is watched. */
export type Watched =
  | { readonly type: 'entry'; readonly entry: JournalEntry }
  /** No sign of life from the job for so long. */
  | { readonly type: 'stalled'; readonly quietMs: number }
  /** The connection is gone; the job goes on, and so does this, later. */
  | { readonly type: 'lost'; readonly failure: Failure; readonly retryInMs: number }
  | { readonly type: 'back' }

/** Asks the engine of the job's host; each time over a connection that is up. */
export type Follow = (question: QuestionOf<'follow'>, options: CallOptions<JournalEntry>) => Promise<JobReport>

export interface FollowOptions {
  readonly onWatched: (what: Watched) => void
  readonly signal?: AbortSignal
  readonly stalledAfterMs?: number
  /** Without a sign of life from the job and its host for so long, watching ends; the job does not. */
  readonly giveUpAfterMs?: number
  readonly backOffMs?: number
  /** Where many jobs of one host are followed, and not all of them at once. */
  readonly turns?: FollowTurns
  /** What was heard of it when it was followed before: it goes on from there. */
  readonly heard?: HeardOfJob
}

const LONGEST_BACK_OFF_MS = 30_000

/** Watches a job to its end, across lost connections: every journal entry once, in order, none left out. */
export async function followJob(follow: Follow, id: string, options: FollowOptions): Promise<JobReport> {
  const { signal, onWatched, turns, heard = new HeardOfJob(), giveUpAfterMs = 900_000 } = options
  let losses = 0
  let lostAt: number | undefined
  for (;;) {
    const { signs } = heard
    const turn = await turns?.next(signal)
    try {
      const answer = follow({ id, from: heard.next }, callOptions(heard, onWatched, eitherOf(signal, turn?.signal)))
      return await heard.silence.during(answer, options)
    } catch (error) {
      turn?.end()
      if (heard.signs > signs) [losses, lostAt] = [0, undefined]
      if (turn?.signal.aborted === true && signal?.aborted !== true && isFailure(error, 'cancelled')) continue
      if (!isFailure(error, 'connection-lost', 'host-unreachable', 'timeout')) throw error
      const now = performance.now()
      lostAt ??= now
      if (now - lostAt > giveUpAfterMs) throw error
      const retryInMs = backOff(losses++, options.backOffMs)
      onWatched({ type: 'lost', failure: error.failure, retryInMs })
      heard.lose()
      await sleepOrCancel(retryInMs, signal)
    } finally {
      turn?.end()
    }
  }
}

const eitherOf = (...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined => {
  const given = signals.filter((each) => each !== undefined)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}

const callOptions = (
  heard: HeardOfJob,
  onWatched: FollowOptions['onWatched'],
  signal: AbortSignal | undefined
): CallOptions<JournalEntry> => ({
  onEvent: (entry) => heard.take(entry, onWatched),
  timeoutMs: Infinity,
  ...(signal !== undefined && { signal })
})

/** Doubling, with jitter: several doors do not all come back in the same instant. */
const backOff = (losses: number, firstMs = 1000): number =>
  Math.min(firstMs * 2 ** losses, LONGEST_BACK_OFF_MS) * (0.75 + Math.random() / 2)

async function sleepOrCancel(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() =>
    fail({ kind: 'cancelled', what: 'watching the job' })
  )
}

/** What has been heard of one job, by whoever follows it: an entry counts once, however often it is said. */
export class HeardOfJob {
  /** The number of the entry that comes next. */
  next = 0
  /** How much of what was said was new. */
  signs = 0
  readonly silence = new Silence()
  private isLost = false
  private progress = ''

  take(entry: JournalEntry, onWatched: FollowOptions['onWatched']): void {
    if (this.isLost) onWatched({ type: 'back' })
    this.isLost = false
    if (!this.isNew(entry)) return
    this.signs += 1
    this.silence.end()
    onWatched({ type: 'entry', entry })
  }

  /** Whether the job goes on nobody knows before the host is back. */
  lose(): void {
    this.isLost = true
    this.silence.end()
  }

  private isNew(entry: JournalEntry): boolean {
    if (entry.n < this.next) return false
    if (entry.type === 'progress') return this.isProgress(entry)
    this.next = entry.n + 1
    return true
  }

  /** How far it has got is no line of the journal: it has the number of the one that comes next, and whoever asks is told it again. */
  private isProgress(entry: JournalEntry): boolean {
    const before = this.progress
    this.progress = JSON.stringify(entry)
    return this.progress !== before
  }
}

/** For how long a job has said nothing new, of the time in which it was listened to: while others have their turn nobody does. */
class Silence {
  /** Of earlier turns. */
  private beforeMs = 0
  private since = performance.now()
  private spokenUpAtMs = 0

  end(): void {
    this.beforeMs = 0
    this.since = performance.now()
    this.spokenUpAtMs = 0
  }

  /** Speaks up while the answer is awaited and nothing comes. */
  async during<T>(answer: Promise<T>, { stalledAfterMs = 60_000, onWatched }: FollowOptions): Promise<T> {
    this.since = performance.now()
    const leftMs = (): number => this.spokenUpAtMs + stalledAfterMs - this.ms
    const look = (): void => {
      if (leftMs() <= 0) onWatched({ type: 'stalled', quietMs: (this.spokenUpAtMs = this.ms) })
      timer = setTimeout(look, Math.max(1, leftMs()))
    }
    let timer = setTimeout(look, Math.max(1, leftMs()))
    try {
      return await answer
    } finally {
      clearTimeout(timer)
      this.beforeMs = this.ms
    }
  }

  private get ms(): number {
    return this.beforeMs + performance.now() - this.since
  }
}
