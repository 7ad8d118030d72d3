import type * as z from 'zod'
import { isObject, placeOf, type PlaceOf } from '../../../shared/result-places.ts'
import { checkedInTurns, type Check } from './checked-in-turns.ts'

/** A line of an answer (`result-lines.ts`). */
export type ResultLine =
  | { readonly result: unknown }
  | { readonly begun: unknown }
  | { readonly of: unknown; readonly more: unknown }
  | { readonly ended: unknown }

/** Says in words why this is no answer. */
type Refuse = (why: string) => never

const LONGEST_PATH = 8
/** No engine sends many portions that are smaller. */
const LEAST_CHARACTERS = 1024
const FEW = 16

/** What is continued: a key of what holds it, and how it is called. */
interface Spot {
  readonly schema: z.ZodType
  readonly holder: Record<string, unknown>
  readonly key: string
  readonly path: readonly PropertyKey[]
}

/**
 * An answer that comes in one line or, if it is long, in portions. Each is checked as it comes, in turns, and only what was
 * checked is held: the text of an answer is nowhere in one piece.
 */
export class GrowingResult {
  private readonly schema: z.ZodType
  private readonly check: Check
  private readonly refuse: Refuse
  private readonly held: Record<string, unknown> = {}
  /** Lists and records of which portions come. */
  private readonly growing = new WeakSet<object>()
  /** Those of which too many came, and were left away. */
  private readonly cut = new WeakSet<object>()
  /** How many entries of a record have come, also under keys that had come. */
  private readonly cameOf = new WeakMap<object, number>()
  private portions = 0
  private characters = 0

  constructor(schema: z.ZodType, check: Check, refuse: Refuse) {
    this.schema = schema
    this.check = check
    this.refuse = refuse
  }

  get isBegun(): boolean {
    return Object.hasOwn(this.held, 'result')
  }

  /** The whole answer, in a box, once this line has ended it. `characters`: of the line. */
  async take(line: ResultLine, characters: number): Promise<{ readonly value: unknown } | undefined> {
    if (!this.isBegun) {
      if ('result' in line) return { value: await checkedInTurns(this.schema, line.result, this.check) }
      if (!('begun' in line)) return this.refuse('portions of an answer that was not begun')
      this.held['result'] = await checkedInTurns(this.schema, line.begun, this.check)
      return undefined
    }
    if ('more' in line) return this.add(line, characters)
    if (!('ended' in line)) return this.refuse('it answered twice')
    if (line.ended !== this.portions) return this.refuse(`${this.portions} portions came, and others were to come`)
    return { value: this.held['result'] }
  }

  private async add({ of, more }: { of: unknown; more: unknown }, characters: number): Promise<undefined> {
    this.portions += 1
    this.characters += characters
    if (this.portions > FEW + this.characters / LEAST_CHARACTERS) this.refuse('its portions are too small')
    const spot = this.spotOf(this.pathIn(of))
    if (spot === undefined) return
    const place = placeOf(spot.schema)
    if (place?.kind === 'list' && Array.isArray(more)) await this.addToList(spot, place, more)
    else if (place?.kind === 'record' && isObject(more)) await this.addToRecord(spot, place, more)
    else if (place?.kind === 'text' && typeof more === 'string') this.addToText(spot, more)
    else this.refuse(`a portion of ${nameOf(spot.path)} that is none`)
  }

  private pathIn(of: unknown): readonly string[] {
    const isPath = Array.isArray(of) && of.length <= LONGEST_PATH && of.every((key) => typeof key === 'string')
    return isPath ? of : this.refuse('a portion of nothing that has a name')
  }

  /** Undefined: it is in an entry that was left away. */
  private spotOf(keys: readonly string[]): Spot | undefined {
    let spot: Spot = { schema: this.schema, holder: this.held, key: 'result', path: [] }
    for (const key of keys) {
      const value = spot.holder[spot.key]
      const list = placeOf(spot.schema)
      const isList = list?.kind === 'list' && Array.isArray(value)
      if (isList && this.cut.has(value)) return undefined
      const last = isList ? { schema: list.each, value: value.at(-1) as unknown } : { schema: spot.schema, value }
      const path = isList ? [...spot.path, value.length - 1] : spot.path
      spot = this.within(last, key, path)
    }
    return spot
  }

  private within(entry: { schema: z.ZodType; value: unknown }, key: string, path: readonly PropertyKey[]): Spot {
    const place = placeOf(entry.schema)
    const schema = place?.kind === 'object' && Object.hasOwn(place.shape, key) ? place.shape[key] : undefined
    const isThere = schema !== undefined && isObject(entry.value) && Object.hasOwn(entry.value, key)
    if (!isThere) return this.refuse(`a portion of ${nameOf([...path, key])}, which is not in such an answer`)
    return { schema, holder: entry.value as Record<string, unknown>, key, path: [...path, key] }
  }

  private async addToList(spot: Spot, place: PlaceOf<'list'>, more: readonly unknown[]): Promise<void> {
    const list = this.growingAt<unknown[]>(spot, () => [])
    const entries = this.allowed(spot, place, list.length, more)
    if (entries.length === 0) return
    const part = { list: spot.path, before: list.length }
    const checked = (await checkedInTurns(place.schema, entries, this.check, part)) as readonly unknown[]
    for (const entry of checked) list.push(entry)
  }

  private async addToRecord(spot: Spot, place: PlaceOf<'record'>, more: object): Promise<void> {
    const record = this.growingAt<Record<string, unknown>>(spot, () => ({}))
    const came = this.cameOf.get(record) ?? 0
    const entries = this.allowed(spot, place, came, Object.entries(more))
    this.cameOf.set(record, came + entries.length)
    const part = { list: spot.path, before: 0 }
    Object.assign(record, await checkedInTurns(place.schema, Object.fromEntries(entries), this.check, part))
  }

  private addToText({ schema, holder, key, path }: Spot, more: string): void {
    if (more === '') this.refuse(`an empty portion of ${nameOf(path)}`)
    holder[key] = this.check(schema, `${String(holder[key])}${more}`, { list: path, before: 0 })
  }

  /** What grows is ours: what was checked may be shared with who knows whom. */
  private growingAt<T extends object>({ holder, key, path }: Spot, empty: () => T): T {
    const value = holder[key] as T
    if (this.growing.has(value)) return value
    if (Object.keys(value).length > 0) this.refuse(`a portion of ${nameOf(path)}, which had come`)
    const grows = empty()
    holder[key] = grows
    this.growing.add(grows)
    return grows
  }

  /** Those that there may be. The rest is not looked at, or refused, as its schema has it. */
  private allowed<T>(
    { holder, key, path }: Spot,
    { most, isCut }: PlaceOf<'list' | 'record'>,
    came: number,
    more: readonly T[]
  ): readonly T[] {
    if (more.length === 0) this.refuse(`an empty portion of ${nameOf(path)}`)
    const room = most - came
    if (more.length <= room) return more
    if (!isCut) this.refuse(`too many of ${nameOf(path)} came: no host has more than ${most}`)
    this.cut.add(holder[key] as object)
    return more.slice(0, room)
  }
}

const nameOf = (path: readonly PropertyKey[]): string => (path.length === 0 ? 'its list' : path.map(String).join('.'))
