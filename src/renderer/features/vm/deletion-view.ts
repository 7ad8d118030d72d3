import { formatTime } from '../../../shared/format.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { isGood } from '../../../shared/safety.ts'
import { isToldBy, tellersOf } from '../../../shared/told-by.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { words } from './words.ts'

export interface Deletion {
  readonly title: string
  /** The consequence, most important first. */
  readonly sentences: readonly string[]
  /** Must be typed: what goes is the only good point of its VM. */
  readonly typed: string | undefined
}

/** What it means to delete a point in one place. `points` are all of its VM. */
export function deletionOf(point: PointView, place: string, points: readonly PointView[]): Deletion {
  const elsewhere = point.places.filter(({ label }) => label !== place).map(({ label }) => safeText(label))
  const isLastCopy = elsewhere.length === 0
  // What only other hosts have told of is no reason to delete this one.
  const tellers = tellersOf(point)
  const witnesses = tellers.length === 0 ? undefined : new Set(tellers)
  const others = points
    .filter(({ id }) => id !== point.id)
    .filter((each) => isGood(each, witnesses) && isToldBy(each, witnesses))
  const isSoundElsewhere = point.places.some(({ label, verified }) => label !== place && verified?.good !== false)
  const isOnlyGood = !isSoundElsewhere && isGood(point) && others.length === 0
  const said = words.delete
  const at = formatTime(point.takenAt)
  return {
    title: said.title(shorten(safeText(point.vm.name), 60)),
    sentences: [
      isLastCopy ? said.lastCopy(at, safeText(place)) : said.notLast(at, safeText(place), elsewhere.join(', ')),
      ...(isOnlyGood ? [said.onlyGood(safeText(point.vm.name))] : []),
      ...(isLastCopy && !isOnlyGood ? [said.othersLeft(others.length)] : []),
      ...(point.marks.pinned ? [said.pinned] : [])
    ],
    typed: isOnlyGood ? point.vm.name : undefined
  }
}
