import { createHash } from 'node:crypto'
import { calledHere } from '../../src/main/core/engine-on-host/called-here.ts'
import { engineVerbs, type EngineVerb } from '../../src/shared/engine-protocol.ts'

/** What of another host a liar knows, and could say as its own. */
export interface Others {
  readonly host: string
  readonly id: string
  readonly uuid: string
  readonly vm: string
}

type Path = readonly (string | number)[]

const MOST_PLACES = 14
const LIES_A_PLACE = 2

/** The right answer with one thing in it that is not, place by place. */
export function wrongAnswers(right: unknown, others: Others): { readonly name: string; readonly value: unknown }[] {
  const values = wrongValues(others)
  return placesIn(right)
    .slice(0, MOST_PLACES)
    .flatMap((path, n) =>
      Array.from({ length: LIES_A_PLACE }, (_, turn) => {
        const [what, value] = values[(n * LIES_A_PLACE + turn) % values.length] ?? ['nothing', null]
        return { name: `${what} in place of ${path.join('.') || 'all'}`, value: withAt(right, path, value) }
      })
    )
}

const wrongValues = ({ host, id, uuid, vm }: Others): readonly (readonly [string, unknown])[] => [
  ['nothing', null],
  ['a number below all', -1],
  ['a number above all', 1e308],
  ['a number that JavaScript cannot hold', 2 ** 53 + 2],
  ['an empty text', ''],
  ['a text of a megabyte', 'x'.repeat(1 << 20)],
  ['a path out of its folder', '../../../../etc/shadow'],
  ['a text that turns round', 'a\u202eb\u0000c\u009bd\r\n\u2028e'],
  ['a list of nothing', []],
  ['a list of very many', Array.from({ length: 20_000 }, (_, n) => n)],
  ['a thing', { toString: 'no', length: -1, then: 'x' }],
  ['a yes', true],
  ['the name of another host', host],
  ['the id of a job of another host', id],
  ['the UUID of a VM of another host', uuid],
  ['the name of a VM of another host', vm],
  ['a time to come', '9999-12-31T23:59:59.999Z'],
  ['a time before all', '0000-01-01T00:00:00.000Z'],
  ['an id to come', '99991231T235959Z-ffffff']
]

/** Itself and all that is in it; of lists the first. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inside = Array.isArray(value)
    ? value.slice(0, 1).flatMap((each: unknown) => placesIn(each, [...path, 0]))
    : Object.entries(value).flatMap(([key, each]) => placesIn(each, [...path, key]))
  return [path, ...inside]
}

function withAt(value: unknown, [key, ...rest]: Path, put: unknown): unknown {
  if (key === undefined) return put
  if (Array.isArray(value)) return value.map((each: unknown, n) => (n === key ? withAt(each, rest, put) : each))
  const record = value as Readonly<Record<string, unknown>>
  return { ...record, [key]: withAt(record[key], rest, put) }
}

/** What a core may make of this, if it takes it for an answer: what is agreed of it, as it is called here. Undefined: it is none. */
export function takenAs(verb: EngineVerb, said: unknown, host: string): string | undefined {
  const agreed = engineVerbs[verb].result.safeParse(JSON.parse(JSON.stringify(said)))
  return agreed.success ? digestOf(calledHere(host, verb, 'result', agreed.data)) : undefined
}

/** What is told of an answer: as a whole it would be too much to hand from process to process. */
export interface ToldAnswer {
  /** Its beginning. */
  readonly text: string
  readonly digest: string
  readonly extremes: Extremes
}

export const toldOf = (value: unknown): ToldAnswer => ({
  text: JSON.stringify([value]).slice(0, 4000),
  digest: digestOf(value),
  extremes: extremesIn(value)
})

/** Whatever the order of its keys. */
export const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([value], (_key, each: unknown) => inOrder(each)))
    .digest('hex')

const inOrder = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** The largest figure, the longest text and the longest list at any depth. */
export interface Extremes {
  readonly figure: number
  readonly text: number
  readonly list: number
}

function extremesIn(value: unknown): Extremes {
  if (typeof value === 'number') return { ...NOTHING, figure: Math.abs(value) }
  if (typeof value === 'string') return { ...NOTHING, text: value.length }
  if (typeof value !== 'object' || value === null) return NOTHING
  const within = Object.values(value).map(extremesIn)
  const largest = (of: keyof Extremes, first = 0): number =>
    within.reduce((most, each) => Math.max(most, each[of]), first)
  return { figure: largest('figure'), text: largest('text'), list: largest('list', within.length) }
}

const NOTHING: Extremes = { figure: 0, text: 0, list: 0 }
