import { fail } from '../../shared/failure.ts'
import type { PointId } from '../../shared/model/ids.ts'
import { committedDirs, deletePoint } from '../../store/point-store.ts'
import { changingPoint, type PointLock } from './point-lock.ts'

/** Deletes a point that nobody reads. @throws `point-busy` while a restore, a check or a copy does */
export async function deleteUnread(store: string, id: PointId): Promise<{ freedBytes: number }> {
  const locks: PointLock[] = []
  try {
    for (const dir of await committedDirs(store, id))
      locks.push((await changingPoint(dir)) ?? fail({ kind: 'point-busy', point: id }))
    return await deletePoint(store, id)
  } finally {
    for (const lock of locks) await lock.release()
  }
}
