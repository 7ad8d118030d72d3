import type { Manifest } from '../../../shared/model/point.ts'
import type { Place } from '../settings/settings-schema.ts'

/** A point, and every store that has it. */
export interface KnownPoint {
  readonly manifest: Manifest
  readonly places: readonly Place[]
}

/** `host-a`, `host-a:/srv/points`, `/mnt/usb/points`: as the operator names it. */
export const placeLabel = (place: Place, ownStore: string): string =>
  place.kind === 'local' ? place.dir : place.dir === ownStore ? place.host : `${place.host}:${place.dir}`

/** One entry per point, oldest first. */
export function joinPlaces(found: readonly { readonly manifest: Manifest; readonly place: Place }[]): KnownPoint[] {
  const byId = new Map<string, { manifest: Manifest; places: Place[] }>()
  for (const { manifest, place } of found) {
    const known = byId.get(manifest.id)
    if (known === undefined) byId.set(manifest.id, { manifest, places: [place] })
    else known.places.push(place)
  }
  return [...byId.values()].sort((a, b) => a.manifest.id.localeCompare(b.manifest.id))
}
