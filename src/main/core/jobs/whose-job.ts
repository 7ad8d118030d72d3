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

/** Of each host: far more than one has in years. One that makes up more pushes out its own. */
const MOST_OF_HOST = 20_000

/** Which jobs were told of. */
export class Recent {
  private readonly ids = new Map<string, Set<string>>()

  has({ host, id }: OfHost): boolean {
    return this.ids.get(host)?.has(id) === true
  }

  add({ host, id }: OfHost): void {
    const ofHost = this.ids.get(host) ?? new Set()
    this.ids.set(host, ofHost.add(id))
    for (const oldest of ofHost) {
      if (ofHost.size <= MOST_OF_HOST) break
      ofHost.delete(oldest)
    }
  }
}

/** Ids for a window, which knows jobs by their id alone. The first of an id has it; another host's of the same gets one of that time. */
export class DistinctIds {
  /** By host and by what it calls them. */
  private readonly shown = new Map<string, Map<string, string>>()
  private readonly owners = new Map<string, OfHost>()

  shownAs({ host, id: given }: OfHost): string {
    const ofHost = this.shown.get(host) ?? new Map<string, string>()
    this.shown.set(host, ofHost)
    const known = ofHost.get(given)
    if (known !== undefined) return known
    let id = given
    for (let n = 0; this.owners.has(id); n++)
      id = `${given.slice(0, -6)}${sixDigits(`${keyOf({ host, id: given })}\0${n}`)}`
    ofHost.set(given, id)
    this.owners.set(id, { host, id: given })
    this.forgetOldest(ofHost)
    return id
  }

  /** As its host calls it. */
  onHost(shown: string): string {
    return this.owners.get(shown)?.id ?? shown
  }

  private forgetOldest(ofHost: Map<string, string>): void {
    for (const [given, id] of ofHost) {
      if (ofHost.size <= MOST_OF_HOST) return
      ofHost.delete(given)
      this.owners.delete(id)
    }
  }
}

const sixDigits = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6)
