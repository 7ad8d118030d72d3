/** A value with its repetitions, as `2`, `2/4`, `2..8` or `2..8/3` of an `OnCalendar=`. */
export interface Component {
  readonly start: number
  readonly stop: number | undefined
  /** 0: none. */
  readonly repeat: number
}

/** Something of an expression that its words say; `last` is the largest value. */
export interface Field {
  readonly name: string
  readonly first: number
  readonly last: number
}

export const FIELDS = {
  year: { name: 'year', first: 1970, last: 2199 },
  month: { name: 'month', first: 1, last: 12 },
  day: { name: 'day', first: 1, last: 31 },
  dayFromEnd: { name: 'day from the end of the month', first: 1, last: 28 },
  hour: { name: 'hour', first: 0, last: 23 },
  minute: { name: 'minute', first: 0, last: 59 },
  second: { name: 'second', first: 0, last: 59 }
} as const satisfies Record<string, Field>

/** What keeps it from being one of the field, in the operator's words; the rules are systemd's. */
export function problemOf(field: Field, { start, stop, repeat }: Component): string | undefined {
  const outside = [start, stop ?? start].find((value) => value < field.first || value > field.last)
  if (outside !== undefined)
    return `The ${field.name} is a number from ${field.first} to ${field.last}, not ${outside}.`
  if (stop !== undefined && start > stop) return `${start}..${stop} goes backwards.`
  if (repeat > field.last - field.first) return tooFar(start, repeat)
  return stop === undefined && !repeats(field, start, repeat) ? tooFar(start, repeat) : undefined
}

/** A repetition that never comes is refused; from the end of a month, systemd looks the other way. */
const repeats = (field: Field, start: number, repeat: number): boolean =>
  field === FIELDS.dayFromEnd ? start - repeat >= field.first : start + repeat <= field.last

const tooFar = (start: number, repeat: number): string =>
  `${start}/${repeat} never comes a second time: write ${start}.`

/** A range ends at its last value, and one that holds a single value is that value. */
export function normalComponent({ start, stop, repeat }: Component): Component {
  const last = stop !== undefined && stop > start && repeat > 0 ? stop - ((stop - start) % repeat) : stop
  return last === start ? { start, stop: undefined, repeat: 0 } : { start, stop: last, repeat }
}

const compare = (a: Component, b: Component): number =>
  a.start - b.start || (a.stop ?? -1) - (b.stop ?? -1) || a.repeat - b.repeat

/** In order, each once. */
export const sortedComponents = (components: readonly Component[]): Component[] =>
  components.toSorted(compare).filter((each, at, all) => compare(each, all[at - 1] ?? NOWHERE) !== 0)

const NOWHERE: Component = { start: -1, stop: undefined, repeat: 0 }

/** As systemd writes it. */
export function componentText({ start, stop, repeat }: Component, digits: number): string {
  const two = (value: number): string => String(value).padStart(digits, '0')
  const range = stop === undefined ? '' : `..${two(stop)}`
  return two(start) + range + (repeat > 0 && !(stop !== undefined && repeat === 1) ? `/${repeat}` : '')
}

/** Its values up to `last`, in order. */
export function valuesOf({ start, stop, repeat }: Component, last: number): number[] {
  const end = Math.min(stop ?? (repeat > 0 ? last : start), last)
  const step = Math.max(repeat, 1)
  return Array.from({ length: Math.max(0, Math.floor((end - start) / step) + 1) }, (_, at) => start + at * step)
}

/** The same values with the last of them said. */
export function bounded(field: Field, component: Component): Component {
  const { start, stop, repeat } = component
  if (repeat === 0 || stop !== undefined) return component
  if (field !== FIELDS.dayFromEnd) return normalComponent({ start, stop: field.last, repeat })
  return normalComponent({ start: start - repeat * Math.floor((start - field.first) / repeat), stop: start, repeat })
}

/** The same counted from the other end of a month with so many days. */
export function fromMonthEnd({ start, stop, repeat }: Component, days: number): Component {
  const at = (value: number): number => days + 1 - value
  return stop === undefined ? { start: at(start), stop, repeat } : { start: at(stop), stop: at(start), repeat }
}
