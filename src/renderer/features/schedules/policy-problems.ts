import { parseCalendar } from '../../../shared/schedule/calendar.ts'
import { KEEP_COUNTS, numberIn, wholeIn, type KeepField, type KeepForm } from './keep-form.ts'
import type { HooksForm, PolicyForm, VmsForm } from './policy-form.ts'
import { formWords } from './form-words.ts'
import { calendarText, type WhenForm } from './when-form.ts'

/** What is wrong with a form, by field, in words. Empty: it can be saved. */
export type PolicyProblems = Readonly<Partial<Record<ProblemField, string>>>
export type ProblemField =
  | 'name'
  | 'host'
  | 'patterns'
  | 'chosen'
  | 'exclude'
  | 'budgetMs'
  | 'store'
  | 'minute'
  | 'time'
  | 'days'
  | 'calendar'
  | 'jitterMinutes'
  | 'window'
  | KeepField
  | 'mailTo'
  | 'before'
  | 'beforeSeconds'
  | 'after'
  | 'afterSeconds'
  | 'expectHours'

const said = formWords.problems
const LONGEST_NAME = 100
const LONGEST_PATTERN = 300
const LONGEST_COMMAND = 4096
const HOUR_MS = 3_600_000
const YEAR_HOURS = 8784

/** `taken`: names of the other policies of that host. */
export function policyProblems(form: PolicyForm, taken: readonly string[]): PolicyProblems {
  const name = form.name.trim()
  return {
    ...nameProblem(name, taken),
    ...(form.host === '' && { host: said.host }),
    ...vmsProblems(form.vms),
    ...(numberIn(form.budgetMs, Number.MIN_VALUE, HOUR_MS) === undefined && { budgetMs: said.budgetMs }),
    ...(!form.store.startsWith('/') && { store: said.store }),
    ...whenProblems(form.when),
    ...keepProblems(form.keep),
    ...(!form.tell.mailTo.every(isAddress) && { mailTo: said.mailTo }),
    ...hookProblems(form.hooks),
    ...(form.expectHours.trim() !== '' &&
      numberIn(form.expectHours, Number.MIN_VALUE, YEAR_HOURS) === undefined && { expectHours: said.expectHours })
  }
}

function nameProblem(name: string, taken: readonly string[]): PolicyProblems {
  if (name === '') return { name: said.noName }
  if (name.length > LONGEST_NAME) return { name: said.longName }
  if (/\p{Cc}/u.test(name)) return { name: said.oddName }
  return taken.includes(name) ? { name: said.takenName } : {}
}

function vmsProblems({ kind, patterns, chosen, exclude }: VmsForm): PolicyProblems {
  const isLong = (pattern: string): boolean => pattern.length > LONGEST_PATTERN
  return {
    ...(kind === 'pattern' && patterns.length === 0 && { patterns: said.noPattern }),
    ...(kind === 'pattern' && patterns.some(isLong) && { patterns: said.longPattern }),
    ...(kind === 'chosen' && chosen.length === 0 && { chosen: said.noneChosen }),
    ...(kind !== 'chosen' && exclude.some(isLong) && { exclude: said.longPattern })
  }
}

function whenProblems(when: WhenForm): PolicyProblems {
  const calendar = parseCalendar(calendarText(when))
  return {
    ...(when.kind === 'hours' && wholeIn(when.minute, 0, 59) === undefined && { minute: said.minute }),
    ...(['daily', 'weekly', 'monthly'].includes(when.kind) && when.time === '' && { time: said.time }),
    ...(when.kind === 'weekly' && when.days.length === 0 && { days: said.days }),
    ...(when.kind === 'calendar' && 'problem' in calendar && { calendar: calendar.problem }),
    ...(numberIn(when.jitterMinutes, 0, 1440) === undefined && { jitterMinutes: said.jitter }),
    ...(when.isWindowed && (when.from === '' || when.to === '') && { window: said.window }),
    ...(when.isWindowed && when.from !== '' && when.from === when.to && { window: said.windowSame })
  }
}

function keepProblems(keep: KeepForm): PolicyProblems {
  if (keep.preset !== 'custom') return {}
  const isBad = (field: KeepField): boolean =>
    keep[field].trim() !== '' && wholeIn(keep[field], 0, 10_000) === undefined
  const counts = [...KEEP_COUNTS, 'memory' as const].filter(isBad).map((field) => [field, said.count] as const)
  return {
    ...Object.fromEntries(counts),
    ...(wholeIn(keep.floor, 1, 1000) === undefined && { floor: said.floor }),
    ...(numberIn(keep.graceHours, 0, YEAR_HOURS) === undefined && { graceHours: said.graceHours })
  }
}

const isAddress = (text: string): boolean => /^[^\s<>,;:"()@]+@[^\s<>,;:"()@]+$/.test(text) && text.length <= 320

function hookProblems({ before, after, beforeSeconds, afterSeconds }: HooksForm): PolicyProblems {
  const isLate = (command: string, seconds: string): boolean =>
    command.trim() !== '' && wholeIn(seconds, 1, 3600) === undefined
  return {
    ...(before.length > LONGEST_COMMAND && { before: said.longCommand }),
    ...(after.length > LONGEST_COMMAND && { after: said.longCommand }),
    ...(isLate(before, beforeSeconds) && { beforeSeconds: said.deadline }),
    ...(isLate(after, afterSeconds) && { afterSeconds: said.deadline })
  }
}
