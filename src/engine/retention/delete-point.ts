import { fail } from '../../shared/failure.ts'
import type { PointId } from '../../shared/model/ids.ts'
import { deleteForGood } from '../../store/move-to-trash.ts'
import { committedDirs } from '../../store/point-store.ts'
import type { FileLock } from './file-lock.ts'
import { changingPoint } from './point-lock.ts'

/** Deletes a point that nobody reads. @throws `point-busy` while a restore, a check or a copy does */
export async function deleteUnread(store: string, id: PointId): Promise<{ freedBytes: number }> {
  const locks: FileLock[] = []
  try {
    for (const dir of await committedDirs(store, id))
      locks.push((await changingPoint(dir)) ?? fail({ kind: 'point-busy', point: id }))
    return await deleteForGood(store, id)
  } finally {
    for (const lock of locks) await lock.release()
  }
}
