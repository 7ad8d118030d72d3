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
  /** Without an answer from the host for so long, watching ends; the job does not. */
  readonly giveUpAfterMs?: number
  readonly backOffMs?: number
  /** Where many jobs of one host are followed, and not all of them at once. */
  readonly turns?: FollowTurns
}

const LONGEST_BACK_OFF_MS = 30_000

/** Watches a job to its end, across lost connections: every journal entry once, in order, none left out. */
export async function followJob(follow: Follow, id: string, options: FollowOptions): Promise<JobReport> {
  const { signal, onWatched, turns, giveUpAfterMs = 900_000 } = options
  const watch = new Watch(options)
  let lostAt: number | undefined
  for (let attempt = 0; ; attempt++) {
    const seen = watch.next
    const turn = await turns?.next(signal)
    try {
      return await watch.during(follow({ id, from: watch.next }, callOptions(watch, eitherOf(signal, turn?.signal))))
    } catch (error) {
      turn?.end()
      if (turn?.signal.aborted === true && signal?.aborted !== true && isFailure(error, 'cancelled')) continue
      if (!isFailure(error, 'connection-lost', 'host-unreachable', 'timeout')) throw error
      if (watch.next > seen) [attempt, lostAt] = [0, undefined]
      lostAt ??= Date.now()
      if (Date.now() - lostAt > giveUpAfterMs) throw error
      const retryInMs = backOff(attempt, options.backOffMs)
      onWatched({ type: 'lost', failure: error.failure, retryInMs })
      watch.lost = true
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

const callOptions = (watch: Watch, signal: AbortSignal | undefined): CallOptions<JournalEntry> => ({
  onEvent: (entry) => watch.take(entry),
  timeoutMs: Infinity,
  ...(signal !== undefined && { signal })
})

/** Doubling, with jitter: several doors do not all come back in the same instant. */
const backOff = (attempt: number, firstMs = 1000): number =>
  Math.min(firstMs * 2 ** attempt, LONGEST_BACK_OFF_MS) * (0.75 + Math.random() / 2)

async function sleepOrCancel(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() =>
    fail({ kind: 'cancelled', what: 'watching the job' })
  )
}

/** What has been seen of one job. */
class Watch {
  /** The number of the entry that comes next. */
  next = 0
  lost = false
  private lastSign = Date.now()
  private readonly options: FollowOptions

  constructor(options: FollowOptions) {
    this.options = options
  }

  take(entry: JournalEntry): void {
    this.lastSign = Date.now()
    if (this.lost) this.options.onWatched({ type: 'back' })
    this.lost = false
    if (entry.n < this.next) return
    // How far it has got is no line of the journal: it has the number of the one that comes next.
    if (entry.type !== 'progress') this.next = entry.n + 1
    this.options.onWatched({ type: 'entry', entry })
  }

  /** Speaks up while the answer is awaited and nothing comes. */
  async during(answer: Promise<JobReport>): Promise<JobReport> {
    const afterMs = this.options.stalledAfterMs ?? 60_000
    this.lastSign = Date.now()
    const timer = setInterval(() => {
      const quietMs = Date.now() - this.lastSign
      if (quietMs >= afterMs) this.options.onWatched({ type: 'stalled', quietMs })
    }, afterMs)
    try {
      return await answer
    } finally {
      clearInterval(timer)
    }
  }
}
