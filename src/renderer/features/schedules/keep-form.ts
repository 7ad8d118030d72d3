import { DEFAULT_FLOOR, DEFAULT_GRACE_HOURS, type KeepRules } from '../../../shared/model/policy.ts'
import { DEFAULT_KEEP, simplePreset } from '../../../shared/retention/presets.ts'

export const KEEP_COUNTS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type KeepCount = (typeof KEEP_COUNTS)[number]
/** Fields with a number. Empty: the rule is not there; of `memory`: RAM stays in all points. */
export type KeepField = KeepCount | 'memory' | 'floor' | 'graceHours'

export const PRESETS = ['simple', 'sensible', 'custom', 'all'] as const
export type Preset = (typeof PRESETS)[number]

export type KeepForm = { readonly preset: Preset; readonly simple: number } & Readonly<Record<KeepField, string>>

export const MOST_SIMPLE = 4

const text = (value: number | undefined): string => (value === undefined ? '' : String(value))

const fieldsOf = (keep: KeepRules): Readonly<Record<KeepField, string>> => ({
  last: text(keep.last),
  hourly: text(keep.hourly),
  daily: text(keep.daily),
  weekly: text(keep.weekly),
  monthly: text(keep.monthly),
  yearly: text(keep.yearly),
  memory: text(keep.memory),
  floor: String(keep.floor),
  graceHours: String(keep.graceHours)
})

export const firstKeep: KeepForm = { preset: 'sensible', simple: MOST_SIMPLE, ...fieldsOf(DEFAULT_KEEP) }

const ALL: KeepRules = { floor: DEFAULT_FLOOR, graceHours: DEFAULT_GRACE_HOURS }

export function keepFormOf(keep: KeepRules): KeepForm {
  const preset = presetOf(keep)
  const simple = preset === 'simple' ? (keep.last ?? MOST_SIMPLE) : MOST_SIMPLE
  return { preset, simple, ...fieldsOf(keep) }
}

function presetOf(keep: KeepRules): Preset {
  const isSame = (other: KeepRules): boolean =>
    Object.entries(fieldsOf(other)).every(([key, value]) => fieldsOf(keep)[key as KeepField] === value)
  if (isSame(DEFAULT_KEEP)) return 'sensible'
  if (isSame(ALL)) return 'all'
  return [1, 2, 3, 4].some((last) => isSame(simplePreset(last))) ? 'simple' : 'custom'
}

/** The rules that are meant. Of a number that cannot be read, the field's problem is told elsewhere; here it is no rule. */
export function keepRulesOf(form: KeepForm): KeepRules {
  if (form.preset === 'simple') return simplePreset(form.simple)
  if (form.preset === 'sensible') return DEFAULT_KEEP
  if (form.preset === 'all') return ALL
  const counts = [...KEEP_COUNTS, 'memory' as const].flatMap((field) => {
    const value = wholeIn(form[field], 0, 10_000)
    return value === undefined ? [] : [[field, value] as const]
  })
  return {
    ...Object.fromEntries(counts),
    floor: wholeIn(form.floor, 1, 1000) ?? DEFAULT_FLOOR,
    graceHours: numberIn(form.graceHours, 0, 8784) ?? DEFAULT_GRACE_HOURS
  }
}

/** The chosen preset's numbers are in the fields, so that one can go on from there. */
export const withPreset = (form: KeepForm, preset: Preset, simple = form.simple): KeepForm =>
  preset === 'custom'
    ? { ...form, preset }
    : { ...form, preset, simple, ...fieldsOf(keepRulesOf({ ...form, preset, simple })) }

/** Undefined: no whole number, or not within the two. */
export function wholeIn(typed: string, least: number, most: number): number | undefined {
  const value = numberIn(typed, least, most)
  return Number.isInteger(value) ? value : undefined
}

export function numberIn(typed: string, least: number, most: number): number | undefined {
  const value = Number(typed)
  return typed.trim() !== '' && value >= least && value <= most ? value : undefined
}
