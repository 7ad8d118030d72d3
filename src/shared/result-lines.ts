import type * as z from 'zod'
import { PORTION_CHARACTERS } from './engine-limits.ts'
import { engineVerbs, type EngineVerb } from './engine-protocol.ts'
import { charactersIn } from './json-length.ts'
import { emptied, isObject, placeOf, type LongPart } from './result-places.ts'

/** What is shorter stays where it is. */
const LONG_CHARACTERS = PORTION_CHARACTERS / 16

/**
 * A result as lines of the engine's protocol, none of them long: one; or, where that would be long, what it is without its
 * long lists and texts, then these in portions, then how many portions there were.
 */
export function* resultLines(verb: EngineVerb, result: unknown): Generator<string> {
  const schema: z.ZodType = engineVerbs[verb].result
  if (charactersIn(result, PORTION_CHARACTERS) <= PORTION_CHARACTERS) {
    yield lineOf({ result })
    return
  }
  const { rest, long } = emptied(schema, result, isLong)
  yield lineOf({ begun: rest })
  let portions = 0
  for (const part of long)
    for (const line of portionsOf(part)) {
      yield line
      portions += 1
    }
  yield lineOf({ ended: portions })
}

const lineOf = (value: object): string => `${JSON.stringify(value)}\n`
const textOf = (value: unknown): string => JSON.stringify(value ?? null)
const isLong = (value: unknown): boolean => charactersIn(value, LONG_CHARACTERS) > LONG_CHARACTERS

function* portionsOf({ of, schema, value }: LongPart): Generator<string> {
  const place = placeOf(schema)
  const lines = new Portions(of, place?.kind === 'record' ? '{}' : '[]')
  if (place?.kind === 'list') yield* listPortions(lines, place.each, value as readonly unknown[], of)
  if (place?.kind === 'record')
    for (const [key, each] of Object.entries(value as object))
      yield* lines.add(`${JSON.stringify(key)}:${textOf(each)}`)
  if (place?.kind === 'text' && typeof value === 'string')
    for (let from = 0; from < value.length; from += PORTION_CHARACTERS)
      yield lineOf({ of, more: value.slice(from, from + PORTION_CHARACTERS) })
  yield* lines.end()
}

function* listPortions(
  lines: Portions,
  each: z.ZodType,
  entries: readonly unknown[],
  of: readonly string[]
): Generator<string> {
  for (const entry of entries) {
    const text = textOf(entry)
    if (text.length <= PORTION_CHARACTERS) {
      yield* lines.add(text)
      continue
    }
    // What is longer than anybody takes (`ENGINE_LIMITS`) is cut here already.
    const { data = entry } = each.safeParse(entry)
    const { rest, long } = isObject(data) ? emptied(each, data, isLong) : { rest: data, long: [] }
    yield* lines.add(textOf(rest))
    yield* lines.end()
    for (const part of long) yield* portionsOf({ ...part, of: [...of, ...part.of] })
  }
}

/** Entries, as many to a line as there is room for, and one at least. */
class Portions {
  private texts: string[] = []
  private characters = 0
  private readonly begin: string
  private readonly close: string

  constructor(of: readonly string[], [open = '', close = '']: string) {
    this.begin = `{"of":${JSON.stringify(of)},"more":${open}`
    this.close = `${close}}\n`
  }

  *add(text: string): Generator<string> {
    if (this.characters + text.length > PORTION_CHARACTERS) yield* this.end()
    this.texts.push(text)
    this.characters += text.length + 1
  }

  *end(): Generator<string> {
    if (this.texts.length > 0) yield `${this.begin}${this.texts.join(',')}${this.close}`
    this.texts = []
    this.characters = 0
  }
}
