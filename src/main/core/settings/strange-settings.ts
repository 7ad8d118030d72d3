import * as z from 'zod'
import { shorten } from '../../../shared/safe-text.ts'
import { HostRecord, MOST_HOSTS, MOST_PLACES, Place, Settings } from './settings-schema.ts'

/** Entries that this Stillpoint does not understand: a newer one wrote them, or somebody by hand. They stay in the file. */
export interface Strange {
  readonly hosts: readonly unknown[]
  readonly places: readonly unknown[]
  readonly choices: readonly unknown[]
  /** Settings as they are to be written, with these in them. */
  carriedIn(settings: Settings): Settings
}

const Lists = z.looseObject({
  hosts: z.array(z.unknown()),
  places: z.array(z.unknown()),
  choices: z.unknown().optional()
})

/** The settings of a file, one entry after the other: what is wrong with one hides no other. Otherwise, why there are none. */
export function readTolerantly(value: unknown): { readonly settings: Settings; readonly strange: Strange } | string {
  const lists = Lists.safeParse(value)
  if (!lists.success) return messageOf(lists.error)
  const { choices, ...rest } = lists.data
  const hosts = sorted(HostRecord, rest.hosts, MOST_HOSTS)
  const places = sorted(Place, rest.places, MOST_PLACES)
  const chosen = Settings.shape.choices.safeParse(choices)
  const settings = Settings.safeParse({
    ...rest,
    hosts: hosts.understood,
    places: places.understood,
    ...(chosen.data !== undefined && { choices: chosen.data })
  })
  if (!settings.success) return messageOf(settings.error)
  return { settings: settings.data, strange: strangeOf(hosts.strange, places.strange, chosen.success ? [] : [choices]) }
}

const strangeOf = (hosts: readonly unknown[], places: readonly unknown[], choices: readonly unknown[]): Strange => ({
  hosts,
  places,
  choices,
  carriedIn: (settings) =>
    ({
      ...settings,
      ...(choices.length > 0 && besideChosen(choices[0], settings)),
      hosts: [...settings.hosts, ...hosts.filter((each) => !settings.hosts.some(({ name }) => name === nameOf(each)))],
      places: [...settings.places, ...places]
    }) as Settings
})

/** Where something has been chosen since, they stay beside that. */
function besideChosen(choices: unknown, settings: Settings): Record<string, unknown> {
  if (settings.choices === undefined) return { choices }
  const before = settings[BESIDE]
  return { [BESIDE]: [...(Array.isArray(before) ? (before as unknown[]) : []), choices] }
}

const BESIDE = 'choicesNotUnderstood'

export const NOTHING_STRANGE = strangeOf([], [], [])

function sorted<T>(
  schema: z.ZodType<T>,
  all: readonly unknown[],
  most: number
): { understood: T[]; strange: unknown[] } {
  const [understood, strange]: [T[], unknown[]] = [[], []]
  for (const each of all) {
    const read = schema.safeParse(each)
    if (read.success && understood.length < most) understood.push(read.data)
    else strange.push(each)
  }
  return { understood, strange }
}

/** What the operator should hear of it. */
export function strangeWords(path: string, { hosts, places, choices }: Strange): string[] {
  const counts = [
    ...(hosts.length > 0 ? [`${counted(hosts.length, 'host')}${namesOf(hosts)}`] : []),
    ...(places.length > 0 ? [counted(places.length, 'store')] : []),
    ...(choices.length > 0 ? ['the choices made in the window'] : [])
  ]
  if (counts.length === 0) return []
  const beside = choices.length > 0 ? ` Once you choose something here, those choices are found as ${BESIDE}.` : ''
  return [
    `In ${path} this Stillpoint does not understand ${counts.join(', and ')}. That counts as not there, and stays in the file as it is.${beside} Everything else is as it was. Put it right in the file, or use the Stillpoint that wrote it.`
  ]
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const MOST_NAMED = 3

function namesOf(hosts: readonly unknown[]): string {
  const names = hosts.flatMap((host) => nameOf(host) ?? []).filter((name) => name !== '')
  if (names.length === 0) return ''
  const shown = names.slice(0, MOST_NAMED).map((name) => shorten(name, 60))
  return ` (${shown.join(', ')}${names.length > MOST_NAMED ? ', …' : ''})`
}

const nameOf = (host: unknown): string | undefined =>
  typeof host === 'object' && host !== null && 'name' in host && typeof host.name === 'string' ? host.name : undefined

const messageOf = ({ issues: [first] }: z.ZodError): string => first?.message ?? 'it is not what it should be'
