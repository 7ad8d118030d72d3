import { fail, failureOf } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import type { PointId } from '../../../shared/model/ids.ts'
import type { MarksChange, PointMarks } from '../../../shared/views/point-view.ts'
import { markPoint as markLocal } from '../../../store/mark-point.ts'
import type { Core } from '../core.ts'
import type { Unreachable } from '../jobs/jobs.ts'
import type { Place } from '../settings/settings-schema.ts'
import { placeLabel, type KnownPoint } from './point-places.ts'

export interface Marking {
  /** Where the marks are written now. */
  readonly places: readonly Place[]
  /** Places that did not answer, or would not have it: there the marks are as they were. */
  readonly unreachable: readonly Unreachable[]
}

/** Marks the point in every place that has it and answers. @throws the first place's failure if none does */
export async function markPoint(core: Core, { manifest, places }: KnownPoint, change: MarksChange): Promise<Marking> {
  const marked: Place[] = []
  const unreachable: Unreachable[] = []
  await Promise.all(
    places.map(async (place) => {
      try {
        await markAt(core, place, manifest.id, change)
        marked.push(place)
      } catch (error) {
        unreachable.push({ host: placeLabel(place, DEFAULT_STORE), failure: failureOf(error) })
      }
    })
  )
  if (marked.length === 0) fail(unreachable[0]?.failure ?? { kind: 'not-found', what: 'point', name: manifest.id })
  return { places: places.filter((place) => marked.includes(place)), unreachable }
}

/** Marks the point in one place. Returns all of its marks there. */
export async function markAt(core: Core, place: Place, point: PointId, change: MarksChange): Promise<PointMarks> {
  if (place.kind === 'local') return markLocal(place.dir, point, change)
  return (await core.connections.engine(place.host)).call('mark', { store: place.dir, point, ...change })
}
