import { pauseMsOf } from './model/pause.ts'
import { originalOf, vmOf, type JobFact, type JobReport, type JobSpec, type JournalEntry } from './model/job.ts'

type EntryOf<T extends JournalEntry['type']> = Extract<JournalEntry, { type: T }>

/** What the journal says of its job so far. Undefined before the job has begun. */
export function reportOf(entries: readonly JournalEntry[]): JobReport | undefined {
  const end = entries.findLast((entry) => entry.type === 'end')
  if (end !== undefined) return end.report
  const begin = entries.find((entry) => entry.type === 'begin')
  if (begin === undefined) return undefined
  const pauses = ofType(entries, 'pause').map((entry) => entry.pause)
  return {
    ...reportAtStart(begin.id, begin.spec, begin.at),
    state: isRecovering(entries) ? 'recovering' : 'running',
    ...factsOf(entries),
    pauses,
    pauseMs: pauseMsOf(pauses),
    phases: phasesOf(entries),
    warnings: ofType(entries, 'warning').map((entry) => entry.text)
  }
}

/** A job of which only its order is known. */
export function reportAtStart(id: string, spec: JobSpec, startedAt: string): JobReport {
  const original = originalOf(spec)
  return {
    id,
    kind: spec.kind,
    host: spec.hostName,
    vm: vmOf(spec),
    ...(original && { copyOf: original }),
    state: 'queued',
    startedAt,
    store: spec.store,
    ...(spec.kind === 'backup' && spec.policy && { policy: spec.policy }),
    ...(spec.kind === 'backup' && spec.run !== undefined && { run: spec.run }),
    ...(spec.kind === 'restore' && { point: spec.point }),
    pauses: [],
    pauseMs: 0,
    phases: [],
    warnings: []
  }
}

/** The last step that was announced and not finished, or the last one announced. */
export function lastStep(entries: readonly JournalEntry[]): string {
  const done = new Set(ofType(entries, 'step-done').map((entry) => entry.step))
  const steps = ofType(entries, 'step').flatMap(({ step }) => (isOfUndo(step) || isInner(step) ? [] : [step]))
  return steps.findLast((step) => !done.has(step)) ?? steps.at(-1) ?? 'start'
}

export function ofType<T extends JournalEntry['type']>(entries: readonly JournalEntry[], type: T): EntryOf<T>[] {
  return entries.filter((entry): entry is EntryOf<T> => entry.type === type)
}

/** Later facts override earlier ones. */
function factsOf(entries: readonly JournalEntry[]): JobFact {
  return ofType(entries, 'fact').reduce<JobFact>((facts, { fact }) => ({ ...facts, ...fact }), {})
}

function phasesOf(entries: readonly JournalEntry[]): JobReport['phases'] {
  const begun = new Map(ofType(entries, 'step').map((entry) => [entry.step, entry.at]))
  return ofType(entries, 'step-done').flatMap(({ step, ms, at }) =>
    isOfUndo(step) || isInner(step) ? [] : [{ phase: step, startedAt: begun.get(step) ?? at, ms }]
  )
}

function isRecovering(entries: readonly JournalEntry[]): boolean {
  return isOfUndo(ofType(entries, 'step').at(-1)?.step ?? '')
}

const isOfUndo = (step: string): boolean => /^(recover$|undo\.)/.test(step)

/** A step of one disk within a step of the job, or what was seen meanwhile. */
const isInner = (step: string): boolean => /^((seen|samples|stood-already)$|(pivot|write|drop|extra)\.)/.test(step)
