import { describeFailure } from '../../../shared/failure-words.ts'
import { formatBytes, formatDuration, formatPause } from '../../../shared/format.ts'
import { stateWords } from '../../../shared/job-words.ts'
import type { JobFact, JournalEntry } from '../../../shared/model/job.ts'
import { phaseWords } from '../../../shared/phase-words.ts'
import type { LogLine } from '../../../shared/views/job-view.ts'

/** A journal as a story. Lines that only the journal itself needs have no text; progress is left out. */
export const logLines = (entries: readonly JournalEntry[]): LogLine[] =>
  entries
    .filter(({ type }) => type !== 'progress')
    .map((entry) => ({ at: entry.at, type: typeOf(entry), text: textOf(entry), raw: JSON.stringify(entry) }))

/** What the window marks: the end of a job that failed is a failure. */
const typeOf = (entry: JournalEntry): string =>
  entry.type === 'end' && entry.report.state.startsWith('failed') ? 'failure' : entry.type

function textOf(entry: JournalEntry): string {
  switch (entry.type) {
    case 'begin':
      return `${entry.spec.hostName} began the ${entry.spec.kind} of ${entry.spec.vmName}`
    case 'step':
      return entry.step === 'recover' ? 'the host puts things right' : ''
    case 'step-done':
      return entry.step === 'recover'
        ? 'things are right again'
        : `${phaseWords(entry.step)}, ${formatDuration(entry.ms)}`
    case 'pause':
      return `the VM stood still ${formatPause(entry.pause.ms)}`
    case 'fact':
      return factText(entry.fact)
    case 'note':
    case 'warning':
      return entry.text
    case 'progress':
      return ''
    case 'end':
      return endText(entry.report)
  }
}

function factText({ method, methodReason, mode, modeReason, sizeBytes, runningMs, keptAside }: JobFact): string {
  const parts = [
    method && because(`method ${method}`, methodReason),
    mode && because(`mode ${mode}`, modeReason),
    sizeBytes === undefined ? undefined : `the point holds ${formatBytes(sizeBytes)}`,
    runningMs === undefined ? undefined : `the VM runs, after ${formatDuration(runningMs)}`,
    keptAside && `kept aside: ${keptAside.join(', ')}`
  ]
  return parts.filter((part) => part !== undefined).join('; ')
}

const because = (what: string, why: string | undefined): string => (why === undefined ? what : `${what}: ${why}`)

function endText({ state, failure }: Extract<JournalEntry, { type: 'end' }>['report']): string {
  if (failure === undefined || state === 'cancelled') return stateWords(state)
  return `${stateWords(state)}: ${describeFailure(failure).title}`
}
