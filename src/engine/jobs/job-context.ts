import { fail, isFailure } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import type { JobFact, JobSpec, Progress } from '../../shared/model/job.ts'
import type { Pause } from '../../shared/model/pause.ts'
import { oneLine } from '../../shared/safe-text.ts'
import type { Shell } from '../../shared/shell.ts'
import { faultPoint } from '../journal/fault.ts'
import type { Journal } from '../journal/journal.ts'

/** What a job's steps work with. */
export interface JobContext<S extends JobSpec = JobSpec> {
  readonly id: string
  readonly spec: S
  readonly shell: Shell
  /** Aborted when the job is cancelled or its unit is stopped. */
  readonly signal: AbortSignal
  /** Announces the step in the journal, does it, and notes how long it took. `data` is what recovery will need. */
  step<T>(name: string, data: Record<string, unknown>, work: () => Promise<T>): Promise<T>
  fact(fact: JobFact): void
  note(text: string): void
  warn(text: string): void
  /** All that was warned of so far. */
  readonly warnings: readonly string[]
  pause(pause: Pause): void
  /** Reported at most four times a second. */
  progress(phase: string, doneBytes: number, totalBytes: number): void
}

export function jobContext<S extends JobSpec>(
  id: string,
  spec: S,
  shell: Shell,
  journal: Journal,
  signal: AbortSignal
): JobContext<S> {
  const warnings: string[] = []
  const meter = progressMeter((progress) => journal.append({ type: 'progress', progress }))
  return {
    id,
    spec,
    shell,
    signal,
    /** Goes by the signal of the context that it is asked of: an undo has one that nobody aborts. */
    async step(name, data, work) {
      if (this.signal.aborted) fail({ kind: 'cancelled', what: name })
      journal.append({ type: 'step', step: name, data })
      await faultPoint(name, this.signal)
      const began = performance.now()
      const result = await work()
      await faultPoint(`${name}.done`, this.signal)
      journal.append({ type: 'step-done', step: name, ms: performance.now() - began })
      return result
    },
    fact: (fact) => journal.append({ type: 'fact', fact }),
    note: (text) => journal.append({ type: 'note', text }),
    warnings,
    warn(text) {
      if (warnings.includes(text)) return // a backup that is planned anew
      warnings.push(text)
      journal.append({ type: 'warning', text })
    },
    pause: (pause) => journal.append({ type: 'pause', pause }),
    progress: meter
  }
}

/** Tries what is good to have. What goes wrong becomes a warning of the job; a cancel stays a cancel. */
export async function orWarn(job: JobContext, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (isFailure(error, 'cancelled')) throw error
    job.warn(`${what}: ${inWords(error)}`)
  }
}

function inWords(error: unknown): string {
  if (!isFailure(error)) return error instanceof Error ? error.message : String(error)
  const { title, explanation } = describeFailure(error.failure)
  return oneLine(`${title}: ${explanation}`)
}

const REPORT_EVERY_MS = 250

function progressMeter(report: (progress: Progress) => void): JobContext['progress'] {
  let phase = ''
  let began = 0
  let last = 0
  return (name, doneBytes, totalBytes) => {
    const now = performance.now()
    if (name !== phase) {
      phase = name
      began = now
      last = 0
    }
    if (now - last < REPORT_EVERY_MS && doneBytes < totalBytes) return
    last = now
    const seconds = (now - began) / 1000
    if (seconds < 0.2) report({ phase, doneBytes, totalBytes })
    else {
      const bytesPerSecond = doneBytes / seconds
      const secondsLeft = bytesPerSecond > 0 ? Math.max(0, totalBytes - doneBytes) / bytesPerSecond : undefined
      report({ phase, doneBytes, totalBytes, bytesPerSecond, ...(secondsLeft !== undefined && { secondsLeft }) })
    }
  }
}
