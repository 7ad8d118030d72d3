import { ENGINE_LIMITS } from './engine-limits.ts'
import { shorten } from './safe-text.ts'
import { originalOf, vmOf, type JobFact, type JobReport, type JobSpec, type JournalEntry } from './model/job.ts'

type EntryOf<T extends JournalEntry['type']> = Extract<JournalEntry, { type: T }>

/** What the journal says of its job so far. Undefined before the job has begun. */
export function reportOf(entries: readonly JournalEntry[]): JobReport | undefined {
  const soFar = new ReportSoFar()
  entries.forEach((entry) => soFar.add(entry))
  return soFar.report
}

/** Characters of them: 256 disks with some lines about each. */
const LONGEST_WARNINGS = 256 << 10

/** A report that grows with its journal: an entry costs the same, however many have come before. */
export class ReportSoFar {
  /** The step that has begun and is not over. */
  current: Pick<EntryOf<'step'>, 'step' | 'at'> | undefined
  private atStart: JobReport | undefined
  private atEnd: JobReport | undefined
  private facts: JobFact = {}
  private isRecovering = false
  private readonly begun = new Map<string, string>()
  private pauses: JobReport['pauses'] = []
  private pauseMs = 0
  private phases: JobReport['phases'] = []
  private warnings: string[] = []
  private warningsLeftOut = 0
  private warningCharacters = 0

  get report(): JobReport | undefined {
    if (this.atEnd !== undefined) return this.atEnd
    if (this.atStart === undefined) return undefined
    return {
      ...this.atStart,
      state: this.isRecovering ? 'recovering' : 'running',
      ...this.facts,
      pauses: this.pauses,
      pauseMs: this.pauseMs,
      phases: this.phases,
      warnings: this.warnings
    }
  }

  add(entry: JournalEntry): void {
    switch (entry.type) {
      case 'begin':
        this.atStart ??= reportAtStart(entry.id, entry.spec, entry.at)
        return
      case 'step':
        this.stepBegins(entry)
        return
      case 'step-done':
        this.stepEnds(entry)
        return
      case 'pause':
        this.pauseMs += entry.pause.ms
        this.pauses = withinMost(this.pauses, entry.pause, ENGINE_LIMITS.ofJob)
        return
      case 'fact': // later ones override earlier ones
        this.facts = { ...this.facts, ...entry.fact }
        return
      case 'warning':
        this.warn(entry.text)
        return
      case 'end':
        this.atEnd = entry.report
        return
      case 'progress':
      case 'note':
        return
    }
  }

  private stepBegins({ step: said, at }: EntryOf<'step'>): void {
    const step = shorten(said, ENGINE_LIMITS.word)
    this.current = { step, at }
    this.isRecovering = isOfUndo(step)
    if (isOfUndo(step) || isInner(step)) return
    if (this.begun.has(step) || this.begun.size < ENGINE_LIMITS.ofJob) this.begun.set(step, at)
  }

  private stepEnds({ step: said, ms, at }: EntryOf<'step-done'>): void {
    const step = shorten(said, ENGINE_LIMITS.word)
    this.current = undefined
    if (isOfUndo(step) || isInner(step)) return
    const phase = { phase: step, startedAt: this.begun.get(step) ?? at, ms }
    this.phases = withinMost(this.phases, phase, ENGINE_LIMITS.ofJob)
  }

  private warn(text: string): void {
    const isRoom = this.warnings.length < ENGINE_LIMITS.ofJob - 1 && this.warningCharacters < LONGEST_WARNINGS
    this.warningCharacters += text.length
    if (isRoom && this.warningsLeftOut === 0) this.warnings = [...this.warnings, text]
    else {
      const told = this.warningsLeftOut === 0 ? this.warnings : this.warnings.slice(0, -1)
      this.warnings = [...told, moreWarnings(++this.warningsLeftOut)]
    }
  }
}

const withinMost = <T>(all: T[], one: T, most: number): T[] => (all.length < most ? [...all, one] : all)

const moreWarnings = (count: number): string =>
  `${count} more ${count === 1 ? 'warning' : 'warnings'} of this job came, which is more than is kept of one`

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

const isOfUndo = (step: string): boolean => /^(recover$|undo\.)/.test(step)

/** A step of one disk within a step of the job, or what was seen meanwhile. */
const isInner = (step: string): boolean => /^((seen|samples|stood-already)$|(pivot|write|drop|extra)\.)/.test(step)
