import * as z from 'zod'
import { charactersIn } from '../../shared/json-length.ts'
import { isObject, placeOf, type Place } from '../../shared/result-places.ts'

/** What has more characters is checked part by part. */
const LARGE = 32 << 10
/** What it costs to say again what was said before, in characters that are checked. */
const AGAIN = 20

interface Known {
  readonly schema: z.ZodType
  readonly json: string
}

/** What is said in place of an entry of a list that does not fit; undefined: nothing. */
type Instead = (unfit: unknown) => unknown

type Path = readonly PropertyKey[]

/** Goes on whenever it is asked to, and says each time about how many characters it has taken since. */
type Steps = Generator<number, void>

/**
 * Values of one schema as JSON, in steps, none of them long. Of large lists each entry is checked and written once, for as long as it
 * is in them: whoever tells it again tells the same object, and never changes one.
 */
export class CheckedJson {
  private readonly known = new WeakMap<object, Known>()
  private readonly schema: z.ZodType
  private readonly instead: Instead
  private readonly unfit: (error: z.ZodError) => void

  /** @param unfit hears of each entry in whose place something else is said, or nothing */
  constructor(schema: z.ZodType, instead: Instead, unfit: (error: z.ZodError) => void) {
    this.schema = schema
    this.instead = instead
    this.unfit = unfit
  }

  /** Puts the pieces of the JSON behind each other; of what JSON does not have, none. @throws `ZodError` where there is no making it fit */
  *write(value: unknown, pieces: string[]): Steps {
    yield* this.part(this.schema, value, [], pieces)
  }

  private *part(schema: z.ZodType, value: unknown, at: Path, pieces: string[]): Steps {
    const place = partsOf(schema, value)
    const characters = charactersIn(value, LARGE)
    if (place === undefined || characters <= LARGE) {
      const whole = schema.safeParse(value)
      if (whole.success) {
        const json = JSON.stringify(whole.data) as string | undefined
        if (json !== undefined) pieces.push(json)
        yield characters
        return
      }
      if (place === undefined || isInList(at)) throw errorAt(at, whole.error)
    }
    if (place.kind === 'list') yield* this.list(place.each, firstOf(place, value as readonly unknown[]), at, pieces)
    else yield* this.object(place.shape, value as Readonly<Record<string, unknown>>, at, pieces)
  }

  private *object(
    shape: Readonly<Record<string, z.ZodType>>,
    value: Readonly<Record<string, unknown>>,
    at: Path,
    pieces: string[]
  ): Steps {
    let before = '{'
    for (const [key, schema] of Object.entries(shape)) {
      pieces.push(`${before}${JSON.stringify(key)}:`)
      const begun = pieces.length
      yield* this.part(schema, value[key], [...at, key], pieces)
      if (pieces.length === begun) pieces.pop()
      else before = ','
    }
    pieces.push(before === '{' ? '{}' : '}')
  }

  private *list(each: z.ZodType, entries: readonly unknown[], at: Path, pieces: string[]): Steps {
    let before = '['
    for (const [n, entry] of entries.entries()) {
      pieces.push(before)
      const begun = pieces.length
      yield* this.entry(each, entry, [...at, n], pieces)
      if (pieces.length === begun) pieces.pop()
      else before = ','
    }
    pieces.push(before === '[' ? '[]' : ']')
  }

  private *entry(each: z.ZodType, entry: unknown, at: Path, pieces: string[]): Steps {
    const known = isObject(entry) ? this.known.get(entry) : undefined
    if (known?.schema === each) {
      pieces.push(known.json)
      yield AGAIN
      return
    }
    const begun = pieces.length
    try {
      yield* this.part(each, entry, at, pieces)
    } catch (error) {
      if (!(error instanceof z.ZodError) || isInList(at.slice(0, -1))) throw error
      pieces.length = begun
      this.unfit(error)
      const other = this.instead(entry)
      if (other !== undefined) yield* this.part(each, other, at, pieces)
      return
    }
    const [json] = pieces.slice(begun)
    if (json !== undefined && pieces.length === begun + 1 && isObject(entry))
      this.known.set(entry, { schema: each, json })
  }
}

type Parts = Extract<Place, { readonly kind: 'list' | 'object' }>

/** Undefined: this is checked as a whole. */
function partsOf(schema: z.ZodType, value: unknown): Parts | undefined {
  if (schema instanceof z.ZodReadonly) return partsOf(schema.unwrap() as z.ZodType, value)
  if (schema instanceof z.ZodObject && isOneThing(schema)) return undefined
  const place = placeOf(schema)
  if (place?.kind === 'object') return isObject(value) ? place : undefined
  if (place?.kind !== 'list' || !Array.isArray(value)) return undefined
  return place.isCut || value.length <= place.most ? place : undefined
}

/** It has a word on its other keys, or on several of them together. */
const isOneThing = ({ def }: z.ZodObject): boolean => def.catchall !== undefined || (def.checks ?? []).length > 0

const firstOf = ({ most }: { readonly most: number }, entries: readonly unknown[]): readonly unknown[] =>
  entries.length > most ? entries.slice(0, most) : entries

const isInList = (at: Path): boolean => at.some((step) => typeof step === 'number')

const errorAt = (at: Path, { issues }: z.ZodError): z.ZodError =>
  new z.ZodError(issues.map((issue) => ({ ...issue, path: [...at, ...issue.path] })))
