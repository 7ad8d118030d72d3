import type { Manifest } from '../../../shared/model/point.ts'

/** The newest of each VM first, so that the many points of one take no room of another's only one. */
export function newestOfEachFirst(points: readonly Manifest[]): readonly Manifest[] {
  const layers: Manifest[][] = []
  for (const ofVm of Map.groupBy(points, ({ vm }) => vm.uuid).values())
    ofVm.sort(newestFirst).forEach((point, rank) => (layers[rank] ??= []).push(point))
  return layers.flatMap((layer) => layer.sort(newestFirst))
}

const newestFirst = (a: Manifest, b: Manifest): number => (a.takenAt < b.takenAt ? 1 : a.takenAt > b.takenAt ? -1 : 0)
