import { resolve } from 'node:path'
import { fail } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { samePlace, type HostRecord, type Place, type Settings } from '../settings/settings-schema.ts'

export const requireHost = (settings: Settings, name: string): HostRecord =>
  settings.hosts.find((host) => host.name === name) ?? fail({ kind: 'not-found', what: 'host', name })

/** Adds the host, or puts the record in place of the one of that name. */
export const withHost = (settings: Settings, record: HostRecord): Settings => ({
  ...settings,
  hosts: [...settings.hosts.filter((host) => host.name !== record.name), record].sort((a, b) =>
    a.name.localeCompare(b.name)
  )
})

export const withoutHost = (settings: Settings, name: string): Settings => ({
  ...settings,
  hosts: settings.hosts.filter((host) => host.name !== name),
  places: settings.places.filter((place) => place.kind !== 'host' || place.host !== name)
})

/** Remembers a store, unless it is known or is the host's own. */
export function withPlace(settings: Settings, place: Place): Settings {
  if (place.kind === 'host' && place.dir === DEFAULT_STORE) return settings
  if (settings.places.some((known) => samePlace(known, place))) return settings
  return { ...settings, places: [...settings.places, place] }
}

/** Stores that a host is known to have. */
export const storesOn = (settings: Settings, host: string): string[] =>
  allPlaces(settings).flatMap((place) => (place.kind === 'host' && place.host === host ? [place.dir] : []))

/** All stores that may hold points: every host's own first. */
export function allPlaces(settings: Settings): Place[] {
  const own = settings.hosts.map((host): Place => ({ kind: 'host', host: host.name, dir: DEFAULT_STORE }))
  return [
    ...own,
    ...settings.places.filter(
      (place) => place.kind === 'local' || settings.hosts.some((host) => host.name === place.host)
    )
  ]
}

/** `host-a`, `host-a:/srv/points` or a directory of this computer. */
export function placeNamed({ hosts }: Settings, text: string): Place {
  const host = hosts.find(({ name }) => text === name || text.startsWith(`${name}:/`))
  if (host !== undefined)
    return { kind: 'host', host: host.name, dir: text === host.name ? DEFAULT_STORE : text.slice(host.name.length + 1) }
  const isPath = /^\.{0,2}\//.test(text) || text === '.' || text === '..'
  return isPath ? { kind: 'local', dir: resolve(text) } : fail({ kind: 'not-found', what: 'host', name: text })
}
