import * as z from 'zod'
import { emptied, isObject, placeOf, type LongPart, type PlaceOf } from '../../../shared/result-places.ts'
import { othersTurn } from '../../../shared/turns.ts'

/** Values, at any depth, that are checked before whoever else has to be served is. */
const CHECKED_AT_ONCE = 500

/** Where in the whole answer a part of it stands: the list, and how many entries of it come before. */
export interface PartOf {
  readonly list: readonly PropertyKey[]
  readonly before: number
}

/** What it is as that schema has it. Throws if it is not. */
export type Check = (schema: z.ZodType, value: unknown, part: PartOf) => unknown

const WHOLE: PartOf = { list: [], before: 0 }

/**
 * Checks what may hold long lists some entries at a time: a host that has, or makes up, tens of thousands holds nobody else
 * up. The same comes of it as if all were checked at once, in whatever objects and lists the lists are.
 */
export async function checkedInTurns(
  schema: z.ZodType,
  value: unknown,
  check: Check,
  part: PartOf = WHOLE
): Promise<unknown> {
  const place = isMany(value) ? placeOf(schema) : undefined
  if (place?.kind === 'list' && Array.isArray(value)) return listInTurns(place, value, check, part)
  if (place?.kind === 'record' && isObject(value)) return recordInTurns(place, value, check, part)
  if (place?.kind === 'object' && isObject(value)) return objectInTurns(schema, value, check, part)
  return check(schema, value, part)
}

/** Whether it may be too long, or is to be cut, is asked first: then it is no work for what is left away. */
async function listInTurns(
  { schema, each, most, isCut }: PlaceOf<'list'>,
  value: readonly unknown[],
  check: Check,
  { list, before }: PartOf
): Promise<unknown[]> {
  if (value.length > most && !isCut)
    check(schema.clone({ ...schema.def, element: z.unknown() }), value.slice(0, most + 1), { list, before })
  const checked: unknown[] = []
  for (const entries of portionsOf(value.slice(0, most))) {
    if (checked.length > 0) await othersTurn()
    const at = before + checked.length
    const [first] = entries
    const isOneOfMany = entries.length === 1 && isMany(first)
    if (isOneOfMany) checked.push(await checkedInTurns(each, first, check, { list: [...list, at], before: 0 }))
    else checked.push(...(check(schema, entries, { list, before: at }) as readonly unknown[]))
  }
  return checked
}

async function recordInTurns(
  { schema, most, isCut }: PlaceOf<'record'>,
  value: object,
  check: Check,
  part: PartOf
): Promise<unknown> {
  const all = Object.entries(value)
  const checked: Record<string, unknown> = {}
  let isFirst = true
  for (const entries of portionsOf(isCut ? all.slice(0, most) : all)) {
    if (!isFirst) await othersTurn()
    isFirst = false
    Object.assign(checked, check(schema, Object.fromEntries(entries), part))
  }
  return checked
}

async function objectInTurns(schema: z.ZodType, value: unknown, check: Check, part: PartOf): Promise<unknown> {
  const { rest, long } = emptied(schema, value, isMany)
  const checked = check(schema, rest, part) as Record<string, unknown>
  for (const each of long) {
    await othersTurn()
    put(checked, each.of, await checkedPart(each, check, part))
  }
  return checked
}

const checkedPart = ({ of, schema, value }: LongPart, check: Check, { list }: PartOf): Promise<unknown> =>
  checkedInTurns(schema, value, check, { list: [...list, ...of], before: 0 })

/** There are objects on the way: what is checked has all keys that were emptied. */
function put(into: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[key] = value
  else put(into[key] as Record<string, unknown>, rest, value)
}

/** Entries in portions of no more values than are checked at once, or of one that has more by itself. */
export function* portionsOf<T>(entries: readonly T[]): Generator<T[]> {
  let portion: T[] = []
  let values = 0
  for (const entry of entries) {
    const more = valuesIn(entry)
    if (values + more > CHECKED_AT_ONCE && portion.length > 0) {
      yield portion
      portion = []
      values = 0
    }
    portion.push(entry)
    values += more
  }
  if (portion.length > 0) yield portion
}

const isMany = (value: unknown): boolean => valuesIn(value) > CHECKED_AT_ONCE

/** At any depth, and itself; counted until they are more than are checked at once. */
function valuesIn(value: unknown, left = CHECKED_AT_ONCE + 1): number {
  if (typeof value !== 'object' || value === null) return 1
  let values = 1
  for (const each of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) {
    if (values >= left) return values
    values += valuesIn(each, left - values)
  }
  return values
}
