import { normalComponent, problemOf, sortedComponents, type Component, type Field } from './component.ts'

/** Says in a sentence why a text is no calendar expression. */
export class NotACalendar extends Error {}

/** systemd refuses more. */
const LONGEST_LIST = 241

/** The values of a field; undefined for `*`. Throws NotACalendar. */
export function componentsFrom(
  field: Field,
  text: string,
  meant: (component: Component) => Component = (component) => component
): readonly Component[] | undefined {
  if (text === '*') return undefined
  const components = text.split(',').map((item) => normalComponent(meant(componentFrom(field, item))))
  if (components.length > LONGEST_LIST)
    throw new NotACalendar(`More than ${LONGEST_LIST} values for the ${field.name}.`)
  const problem = components.map((each) => problemOf(field, each)).find((each) => each !== undefined)
  if (problem !== undefined) throw new NotACalendar(problem)
  return sortedComponents(components)
}

function componentFrom(field: Field, text: string): Component {
  const [, start, stop, repeat] = /^(\d+)(?:\.\.(\d+))?(?:\/(\d+))?$/.exec(text) ?? []
  if (start === undefined) throw new NotACalendar(notNumber(field, text))
  if (repeat !== undefined && Number(repeat) === 0) throw new NotACalendar(`${text} repeats after nothing.`)
  return {
    start: Number(start),
    stop: stop === undefined ? undefined : Number(stop),
    repeat: Number(repeat ?? (stop === undefined ? 0 : 1))
  }
}

function notNumber(field: Field, text: string): string {
  if (/^\*\/\d+$/.test(text)) return `${text} is cron’s way of writing. systemd’s is ${field.first}${text.slice(1)}.`
  if (/^\d+\.\d+$/.test(text)) return `${text}: whole seconds only.`
  return `“${text}” is no ${field.name}: write a number, a list as 1,15, a range as 1..5, 0/4 for every fourth, or *.`
}

/** 26 is 2026, 89 is 1989. */
export const wholeYear = ({ start, stop, repeat }: Component): Component => ({
  start: century(start),
  stop: stop === undefined ? undefined : century(stop),
  repeat
})

const century = (year: number): number => (year >= 100 ? year : year < 70 ? year + 2000 : year + 1900)
