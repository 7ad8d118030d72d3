import { setImmediate } from 'node:timers/promises'
import * as z from 'zod'

/** Entries that are checked before whoever else has to be served is, those of lists within them counted too. */
const CHECKED_AT_ONCE = 200

/** Where in the whole answer a part of it stands: the list, and how many entries of it come before. */
export interface PartOf {
  readonly list: readonly string[]
  readonly before: number
}

/** What it is as that schema has it. Throws if it is not. */
export type Check = (schema: z.ZodType, value: unknown, part: PartOf) => unknown

const WHOLE: PartOf = { list: [], before: 0 }

/**
 * Checks what may hold long lists some entries at a time: a host that has, or makes up, tens of thousands holds nobody else
 * up. The same comes of it as if all were checked at once, in whatever object the lists are.
 */
export async function checkedInTurns(
  schema: z.ZodType,
  value: unknown,
  check: Check,
  part: PartOf = WHOLE
): Promise<unknown> {
  if (!isObject(value)) return check(schema, value, part)
  if (schema instanceof z.ZodDefault) return checkedInTurns(schema.unwrap() as z.ZodType, value, check, part)
  if (isPrepared(schema))
    return checkedInTurns(schema.out as z.ZodType, check(schema.in as z.ZodType, value, part), check, part)
  if (schema instanceof z.ZodArray) return listInTurns(schema, value, check, part)
  if (schema instanceof z.ZodRecord) return recordInTurns(schema, value, check, part)
  if (schema instanceof z.ZodObject) return objectInTurns(schema, value, check)
  return check(schema, value, part)
}

/** Whether it may be too long, or is to be cut, is asked first: then it is no work for what is left away. */
async function listInTurns(schema: z.ZodArray, value: object, check: Check, part: PartOf): Promise<unknown> {
  const cut = check(schema.clone({ ...schema.def, element: z.unknown() }), value, part) as readonly unknown[]
  const checked: unknown[] = []
  for (const entries of portionsOf(cut)) {
    if (checked.length > 0) await setImmediate()
    checked.push(...(check(schema, entries, { ...part, before: checked.length }) as readonly unknown[]))
  }
  return checked
}

async function recordInTurns(schema: z.ZodRecord, value: object, check: Check, part: PartOf): Promise<unknown> {
  const cut = check(schema.clone({ ...schema.def, keyType: z.string(), valueType: z.unknown() }), value, part) as object
  const checked: [string, unknown][] = []
  for (const entries of portionsOf(Object.entries(cut))) {
    if (checked.length > 0) await setImmediate()
    checked.push(...Object.entries(check(schema, Object.fromEntries(entries), part) as object))
  }
  return Object.fromEntries(checked)
}

async function objectInTurns(schema: z.ZodObject, value: object, check: Check): Promise<unknown> {
  const shape = schema.shape as Readonly<Record<string, z.ZodType>>
  const lists = Object.entries(value).filter(([key, part]) => isList(shape[key]) && sizeOf(part) > 0)
  const emptied = lists.map(([key, part]) => [key, Array.isArray(part) ? [] : {}] as const)
  const rest = check(schema, { ...value, ...Object.fromEntries(emptied) }, WHOLE) as object
  const parts: [string, unknown][] = []
  for (const [key, part] of lists)
    parts.push([key, await checkedInTurns(shape[key] as z.ZodType, part, check, { list: [key], before: 0 })])
  return { ...rest, ...Object.fromEntries(parts) }
}

/** A list that is cut before it is looked at (`firstOf`). */
const isPrepared = (schema: z.ZodType | undefined): schema is z.ZodPipe =>
  schema instanceof z.ZodPipe && schema.in instanceof z.ZodTransform

function isList(schema: z.ZodType | undefined): boolean {
  if (schema instanceof z.ZodDefault) return isList(schema.unwrap() as z.ZodType)
  if (isPrepared(schema)) return isList(schema.out as z.ZodType)
  return schema instanceof z.ZodArray || schema instanceof z.ZodRecord
}

function* portionsOf<T>(entries: readonly T[]): Generator<T[]> {
  let portion: T[] = []
  let weight = 0
  for (const entry of entries) {
    portion.push(entry)
    weight += weightOf(entry)
    if (weight < CHECKED_AT_ONCE) continue
    yield portion
    portion = []
    weight = 0
  }
  if (portion.length > 0) yield portion
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Entries of a list, or of an object. */
const sizeOf = (value: unknown): number =>
  Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0

/** Itself, and what is in the lists right within it. */
const weightOf = (value: unknown): number =>
  1 +
  sizeOf(value) +
  (isObject(value) && !Array.isArray(value)
    ? Object.values(value).reduce((sum: number, part) => sum + sizeOf(part), 0)
    : 0)
