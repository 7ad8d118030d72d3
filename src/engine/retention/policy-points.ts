import type { PointListing } from '../../shared/engine-protocol.ts'
import { isFailure } from '../../shared/failure.ts'
import type { PointId, Uuid } from '../../shared/model/ids.ts'
import { sizeBytesOf, type Manifest } from '../../shared/model/point.ts'
import type { RetainedPoint } from '../../shared/retention/plan-retention.ts'
import { memoryBytesOf } from '../../store/drop-memory.ts'
import { idsOf, pointDir } from '../../store/layout.ts'
import { readMarks } from '../../store/marks.ts'
import { readManifest } from '../../store/manifest.ts'
import { requireGood } from '../../store/point-store.ts'

export interface PolicyPoint extends RetainedPoint {
  readonly id: PointId
  readonly dir: string
  readonly manifest: Manifest
}

export interface VmPoints {
  readonly vm: { readonly uuid: Uuid; readonly name: string }
  readonly points: readonly PolicyPoint[]
}

/**
 * What a listing of a store holds of one policy, by VM under its newest name. A damaged point whose manifest can be read is
 * in it as one that is not good; one without is nobody's, and stays.
 */
export async function pointsOfPolicy(store: string, listing: PointListing, policy: string): Promise<VmPoints[]> {
  const listed = listing.points.map((manifest) => ({ manifest, dir: pointDir(store, manifest.vm.uuid, manifest.id) }))
  const broken = await Promise.all(listing.broken.map(({ path }) => brokenPoint(path)))
  const ours = [...listed, ...broken.flat()].filter(({ manifest }) => manifest.policy?.id === policy)
  const points = await Promise.all(ours.map(({ dir, manifest }) => policyPoint(dir, manifest)))
  const byVm = Map.groupBy(points, ({ manifest }) => manifest.vm.uuid)
  return [...byVm].map(([uuid, of]) => ({ vm: { uuid, name: newestName(of) }, points: of }))
}

const newestName = (points: readonly PolicyPoint[]): string =>
  points.reduce((newest, point) => (point.takenAt > newest.takenAt ? point : newest)).manifest.vm.name

async function brokenPoint(dir: string): Promise<{ dir: string; manifest: Manifest }[]> {
  if (idsOf(dir) === undefined) return []
  return readManifest(dir).then(
    (manifest) => [{ dir, manifest }],
    () => []
  )
}

async function policyPoint(dir: string, manifest: Manifest): Promise<PolicyPoint> {
  const marks = await readMarks(dir)
  return {
    id: manifest.id,
    takenAt: manifest.takenAt,
    sizeBytes: sizeBytesOf(manifest),
    memoryBytes: memoryBytesOf(manifest),
    pinned: marks?.pinned === true,
    good: marks?.verified?.good !== false && (await isGood(dir)),
    disks: manifest.disks.map(({ target, originalSource: source }) => ({ target, source })),
    dir,
    manifest
  }
}

/** What cannot be read just now is no verdict on the point: that is thrown. */
async function isGood(dir: string): Promise<boolean> {
  try {
    await requireGood(dir)
    return true
  } catch (error) {
    if (isFailure(error, 'not-found', 'point-damaged', 'point-unsafe', 'point-format')) return false
    throw error
  }
}
