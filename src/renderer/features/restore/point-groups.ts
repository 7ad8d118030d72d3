import { hostInWords } from '../../../shared/point-name.ts'
import { hasSoundCopy } from '../../../shared/told-by.ts'
import type { PointView } from '../../../shared/views/point-view.ts'

/** A VM as its points remember it. */
export interface PointGroup {
  readonly uuid: string
  /** As its newest point has it. */
  readonly name: string
  /** Likewise, in words. */
  readonly host: string
  /** Newest first. */
  readonly points: readonly PointView[]
}

/** By VM, in the order of names; only what is sought is left. A VM whose name or host fits shows all its points. */
export function groupsOf(points: readonly PointView[], search: string): readonly PointGroup[] {
  const groups = Map.groupBy(
    points.toSorted((a, b) => b.takenAt.localeCompare(a.takenAt)),
    ({ vm }) => vm.uuid
  )
  return [...groups.values()]
    .flatMap((ofVm) => narrowed(ofVm, search.trim().toLowerCase()) ?? [])
    .sort((a, b) => a.name.localeCompare(b.name) || a.uuid.localeCompare(b.uuid))
}

function narrowed(points: readonly PointView[], sought: string): PointGroup | undefined {
  const [newest] = points
  if (newest === undefined) return undefined
  const { uuid, name } = newest.vm
  const group = { uuid, name, host: hostInWords(newest), points }
  if (sought === '' || uuid === sought || [name, newest.host].some((text) => text.toLowerCase().includes(sought)))
    return group
  const fitting = points.filter((point) => fits(point, sought))
  return fitting.length === 0 ? undefined : { ...group, points: fitting }
}

const fits = ({ id, host, vm, marks }: PointView, sought: string): boolean =>
  [id, host, vm.name, marks.note ?? ''].some((text) => text.toLowerCase().includes(sought))

/** Some store that has it answers. */
export const isToBeHad = ({ places }: PointView): boolean => places.some(({ reachable }) => reachable)

const isSoundlyToBeHad = ({ places }: PointView): boolean =>
  places.some(({ reachable, verified }) => reachable && verified?.good !== false)

/** The one to restore if nothing else is said: the newest that is to be had, and not known to be damaged. */
export const suggested = ({ points }: PointGroup): PointView | undefined =>
  points.find((point) => hasSoundCopy(point, undefined) && isSoundlyToBeHad(point)) ?? points.find(isToBeHad)
