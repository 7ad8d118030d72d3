import { basename, dirname, join, resolve } from 'node:path'
import { fail } from '../shared/failure.ts'
import { PointId, Uuid } from '../shared/model/ids.ts'
import { PointPath } from '../shared/model/point.ts'

/** `<store>/<vm-uuid>/<point-id>/manifest.json` and the files that it lists. Beside it: `<point-id>.marks.json` (`marks.ts`). */
export const MANIFEST_NAME = 'manifest.json'
/** Says who writes a point that is not complete (`owner.ts`). No manifest can list such a name. */
export const OWNER_NAME = '.owner.json'

/** Where points that are on their way from elsewhere wait: `<store>/.incoming/<point-id>`. */
export const INCOMING_NAME = '.incoming'

/** Where retention puts points before they are gone: `<store>/.trash/<vm-uuid>/<point-id>` (`trash.ts`). */
export const TRASH_NAME = '.trash'

export const vmDir = (store: string, vmUuid: Uuid): string => join(store, checked(Uuid.safeParse(vmUuid)))
export const pointDir = (store: string, vmUuid: Uuid, pointId: PointId): string =>
  join(vmDir(store, vmUuid), checked(PointId.safeParse(pointId)))
export const incomingDir = (store: string, pointId: PointId): string =>
  join(store, INCOMING_NAME, checked(PointId.safeParse(pointId)))

export const trashDir = (store: string, vmUuid: Uuid, pointId: PointId): string =>
  pointDir(join(store, TRASH_NAME), vmUuid, pointId)

/** Ids come from outside: what is no id never becomes a path. */
function checked(id: { success: true; data: string } | { success: false; error: Error }): string {
  return id.success ? id.data : fail({ kind: 'usage', message: `not an id: ${id.error.message}` })
}

/** Ids that a point's directory says by its name, or undefined if it is no place for a point. */
export function idsOf(dir: string): { readonly vmUuid: Uuid; readonly pointId: PointId } | undefined {
  const vmUuid = Uuid.safeParse(basename(dirname(resolve(dir))))
  const pointId = PointId.safeParse(basename(resolve(dir)))
  return vmUuid.success && pointId.success ? { vmUuid: vmUuid.data, pointId: pointId.data } : undefined
}

/** True of one name within a point: what a manifest could list. */
export const isPointName = (name: string): boolean => !name.includes('/') && PointPath.safeParse(name).success
