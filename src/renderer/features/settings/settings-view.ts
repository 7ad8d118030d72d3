import { formatAge } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { Choices, type KnownKey } from '../../../shared/views/settings-view.ts'
import { words } from './words.ts'

/** What was typed into a field: worth saving, or why not. */
export type Typed<T> = { readonly value: T } | { readonly error: string }

/** Milliseconds that a VM may stand still. */
export function typedBudget(text: string): Typed<number> {
  const value = numberIn(text)
  return Choices.shape.defaultBudgetMs.safeParse(value).success ? { value } : { error: words.budget.error }
}

/** Hours that the newest good point of a VM may be old. */
export function typedHours(text: string): Typed<number> {
  const value = numberIn(text)
  return Choices.shape.expectEveryHours.safeParse(value).success ? { value } : { error: words.expect.error }
}

/** Empty: the host's own store. */
export function typedStore(text: string): Typed<string> {
  const value = text.trim()
  const isPath = value === '' || (value.startsWith('/') && value.length <= 4096 && safeText(value) === value)
  return isPath ? { value } : { error: words.store.error }
}

/** A decimal comma is one as well. NaN, where it is no number. */
function numberIn(text: string): number {
  const plain = text.trim().replace(',', '.')
  return /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : Number.NaN
}

/** `26 hours`, for the words below the field. */
export const ageWords = (hours: number): string => formatAge(hours * 3_600_000)

/** Ours first, for those can be forgotten here; then as their files have them. */
export const sortedKeys = (keys: readonly KnownKey[]): readonly KnownKey[] =>
  keys.toSorted((a, b) => Number(b.ours) - Number(a.ours) || a.file.localeCompare(b.file) || a.line - b.line)
