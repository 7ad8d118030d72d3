import type { Cover, Covers } from './cover.ts'
import type { VmPlace } from './vm-places.ts'
import type { PointView } from './views/point-view.ts'
import type { Choices } from './views/settings-view.ts'

/** When a VM should have its next good point. */
export interface Due {
  readonly cover: Cover
  readonly expectWithinMs: number | undefined
  readonly silentSince: string | undefined
  readonly isOld: boolean
}

/**
 * Its policies say when a point is due; without any that is not paused, the operator's choice does. Where others may promise more,
 * of which nothing is known, nothing does.
 */
export function dueOf(
  place: VmPlace,
  lastPoint: PointView | undefined,
  covers: Covers,
  choices: Choices | undefined,
  now: Date
): Due {
  const cover = covers.of({ ...place, takenAt: lastPoint?.takenAt })
  const chosenHours = cover.notKnown === undefined ? choices?.expectEveryHours : undefined
  const expectWithinMs = cover.expectWithinMs ?? (chosenHours === undefined ? undefined : chosenHours * 3_600_000)
  const tooOldAtMs =
    lastPoint && expectWithinMs !== undefined ? Date.parse(lastPoint.takenAt) + expectWithinMs : undefined
  const dueAtMs = cover.dueAtMs ?? tooOldAtMs
  const isSilent = dueAtMs !== undefined && dueAtMs < now.getTime()
  return {
    cover,
    expectWithinMs,
    silentSince: isSilent ? new Date(dueAtMs).toISOString() : undefined,
    isOld: tooOldAtMs !== undefined && tooOldAtMs < now.getTime()
  }
}
