import { createHash } from 'node:crypto'
import type { SettingsFile } from '../settings/settings-file.ts'

/** A job or a run is one by its host and its id: what two hosts call the same are two. */
interface OfHost {
  readonly host: string
  readonly id: string
}

export const keyOf = ({ host, id }: OfHost): string => `${host}\0${id}`

/** The latest that was said of each. */
export const onceEach = <T extends OfHost>(reports: readonly T[]): T[] => [
  ...new Map(reports.map((report) => [keyOf(report), report])).values()
]

interface Timed extends OfHost {
  readonly startedAt: string
  readonly endedAt?: string | undefined
}

/**
 * Without what a host that is here by another name today has told again: earlier names of a host, and names that others
 * gave it, are in the history too.
 */
export function withoutFormerNames<T extends Timed>(reports: readonly T[], settings: SettingsFile): T[] {
  const ours = new Set(namesIn(settings))
  const told = new Set(reports.filter(({ host }) => ours.has(host)).map(storyOf))
  return reports.filter((report) => ours.has(report.host) || !told.has(storyOf(report)))
}

/** None while settings cannot be read: then nothing is left out. */
function namesIn(settings: SettingsFile): readonly string[] {
  try {
    return settings.read().hosts.map(({ name }) => name)
  } catch {
    return []
  }
}

const storyOf = ({ id, startedAt, endedAt = '' }: Timed): string => `${id} ${startedAt} ${endedAt}`

/** Ids for a window, which knows jobs by their id alone. The first of an id has it; another host's of the same gets one of that time. */
export class DistinctIds {
  private readonly shown = new Map<string, string>()
  private readonly owners = new Map<string, OfHost>()

  shownAs(one: OfHost): string {
    const key = keyOf(one)
    const known = this.shown.get(key)
    if (known !== undefined) return known
    let id = one.id
    for (let n = 0; this.owners.has(id); n++) id = `${one.id.slice(0, -6)}${sixDigits(`${key}\0${n}`)}`
    this.shown.set(key, id)
    this.owners.set(id, { host: one.host, id: one.id })
    return id
  }

  /** As its host calls it. */
  onHost(shown: string): string {
    return this.owners.get(shown)?.id ?? shown
  }
}

const sixDigits = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6)
