import * as z from 'zod'
import { cutLengths } from './engine-limits.ts'

/** What its schema lets a part of an answer be, where that can come in portions, or has such parts. */
export type Place =
  | {
      readonly kind: 'list'
      readonly schema: z.ZodArray
      readonly each: z.ZodType
      readonly most: number
      readonly isCut: boolean
    }
  | { readonly kind: 'record'; readonly schema: z.ZodRecord; readonly most: number; readonly isCut: boolean }
  | { readonly kind: 'object'; readonly shape: Readonly<Record<string, z.ZodType>> }
  | { readonly kind: 'text' }

export type PlaceOf<K extends Place['kind']> = Extract<Place, { readonly kind: K }>

/** Undefined: it comes in one piece. Longer than `most` it is refused, or cut. */
export function placeOf(schema: z.ZodType | undefined, cutAt = Infinity): Place | undefined {
  if (schema === undefined) return undefined
  const cut = Math.min(cutAt, cutLengths.get(schema)?.most ?? Infinity)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return placeOf(schema.unwrap() as z.ZodType, cut)
  if (schema instanceof z.ZodPipe && schema.in instanceof z.ZodTransform) return placeOf(schema.out as z.ZodType, cut)
  const isCut = cut !== Infinity
  if (schema instanceof z.ZodArray) {
    const most = isCut ? cut : mostOf(schema)
    return { kind: 'list', schema, each: schema.element as z.ZodType, most, isCut }
  }
  if (schema instanceof z.ZodRecord) return { kind: 'record', schema, most: cut, isCut }
  if (schema instanceof z.ZodObject) return { kind: 'object', shape: schema.shape }
  return schema instanceof z.ZodString ? { kind: 'text' } : undefined
}

/** As `.max` has it. */
function mostOf(schema: z.ZodArray): number {
  const checks = (schema.def.checks ?? []).map(({ _zod }) => _zod.def)
  const longest = checks.filter(({ check }) => check === 'max_length') as z.core.$ZodCheckMaxLengthDef[]
  return Math.min(...longest.map(({ maximum }) => maximum)) // of none: Infinity
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A part of an answer, by the keys that lead to it; where a list is on the way, its last entry is meant. */
export interface LongPart {
  readonly of: readonly string[]
  readonly schema: z.ZodType
  readonly value: unknown
}

/** A value without what in it is long, and that in the order in which it stands there. */
export interface Emptied {
  readonly rest: unknown
  readonly long: readonly LongPart[]
}

/** What is in lists stays with them. */
export function emptied(
  schema: z.ZodType,
  value: unknown,
  isLong: (value: unknown) => boolean,
  of: readonly string[] = []
): Emptied {
  const place = isLong(value) ? placeOf(schema) : undefined
  if (place?.kind === 'object' && isObject(value)) return emptiedObject(place.shape, value, isLong, of)
  const empty = emptyOf(place, value)
  return empty === undefined ? { rest: value, long: [] } : { rest: empty, long: [{ of, schema, value }] }
}

function emptiedObject(
  shape: Readonly<Record<string, z.ZodType>>,
  value: Readonly<Record<string, unknown>>,
  isLong: (value: unknown) => boolean,
  of: readonly string[]
): Emptied {
  const rest: Record<string, unknown> = Object.fromEntries(foreignKeysIn(value, shape).map((key) => [key, value[key]]))
  const long: LongPart[] = []
  for (const [key, schema] of Object.entries(shape)) {
    if (!Object.hasOwn(value, key)) continue
    const part = emptied(schema, value[key], isLong, [...of, key])
    rest[key] = part.rest
    long.push(...part.long)
  }
  return { rest, long }
}

const FEW = 10

/** Whether there are any is a question to the schema; of a hundred thousand, which all would be told, there is no use. */
const foreignKeysIn = (value: object, shape: object): string[] =>
  Object.keys(value)
    .filter((key) => !Object.hasOwn(shape, key))
    .slice(0, FEW)

function emptyOf(place: Place | undefined, value: unknown): unknown {
  if (place?.kind === 'list' && Array.isArray(value)) return []
  if (place?.kind === 'record' && isObject(value)) return {}
  return place?.kind === 'text' && typeof value === 'string' ? '' : undefined
}
