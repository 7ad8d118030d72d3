import type { PointListing } from '../../../shared/engine-protocol.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import { joinMarks } from '../../../shared/point-marks.ts'
import type { PointMarks } from '../../../shared/views/point-view.ts'
import type { Place } from '../settings/settings-schema.ts'

/** A point, and every store that has it. */
export interface KnownPoint {
  readonly manifest: Manifest
  readonly places: readonly Place[]
  /** Of all places together. */
  readonly marks: PointMarks
}

/** `host-a`, `host-a:/srv/points`, `/mnt/usb/points`: as the operator names it. */
export const placeLabel = (place: Place, ownStore: string): string =>
  place.kind === 'local' ? place.dir : place.dir === ownStore ? place.host : `${place.host}:${place.dir}`

/** A point as one place has it. */
export interface PlacedPoint {
  readonly manifest: Manifest
  readonly place: Place
  readonly marks?: PointMarks | undefined
}

export const pointsIn = (place: Place, { points, marks }: PointListing): PlacedPoint[] =>
  points.map((manifest) => ({ manifest, place, marks: marks[manifest.id] }))

/** One entry per point, oldest first. */
export function joinPlaces(found: readonly PlacedPoint[]): KnownPoint[] {
  const byId = Map.groupBy(found, ({ manifest }) => manifest.id)
  return [...byId.values()].flatMap(joined).sort((a, b) => a.manifest.id.localeCompare(b.manifest.id))
}

function joined(found: readonly PlacedPoint[]): KnownPoint[] {
  const [first] = found
  if (first === undefined) return []
  const marks = joinMarks(found.flatMap((each) => each.marks ?? []))
  return [{ manifest: first.manifest, places: found.map(({ place }) => place), marks }]
}
