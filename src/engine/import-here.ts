import { hostname } from 'node:os'
import { fail } from '../shared/failure.ts'
import type { Manifest } from '../shared/model/point.ts'
import type { PointId } from '../shared/model/ids.ts'
import type { OnBytes } from '../store/cancel.ts'
import { importPoint, type Incoming } from '../store/import-point.ts'
import { ownerPath, readOwner, writeOwner } from '../store/owner.ts'
import { ownerFor } from './capture/own-point.ts'
import { failFor } from './capture/require-room.ts'
import { holdAlone } from './retention/file-lock.ts'
import { knowStore } from './retention/known-stores.ts'
import { whileAloneIn } from './retention/store-lock.ts'
import { claimRoom } from './room/claims.ts'

/**
 * Takes a point into a store of this host: into the store that was meant, in room that no job here counts on, and not
 * while anybody, of whatever host, receives the same point there.
 */
export async function importHere(
  store: string,
  point: PointId,
  stream: AsyncIterable<Uint8Array>,
  onProgress: OnBytes
): Promise<Manifest> {
  await knowStore(store, false)
  return importPoint(store, point, stream, { onProgress, incoming: incomingOf(store, point) })
}

function incomingOf(store: string, point: PointId): Incoming {
  return {
    alone: (work) => whileAloneIn(store, work),
    async admit(dir, bytes) {
      const need = { folder: dir, forWhat: 'a point', likelyBytes: bytes, worstBytes: bytes, files: [dir] }
      const [shortage] = await claimRoom(`import-${point}`, [need])
      if (shortage !== undefined) failFor({ ...shortage, path: store })
    },
    async hold(dir) {
      if ((await readOwner(dir)) === undefined) await writeOwner(dir, await ownerFor(point, hostname()))
      const lock = await holdAlone(ownerPath(dir), 0)
      if (typeof lock !== 'string') return lock
      if (lock === 'no locks')
        return fail({ kind: 'io', path: store, code: 'ENOLCK', detail: 'its file system gives no locks' })
      const owner = await readOwner(dir)
      return { by: `an import on ${owner?.host ?? 'another host'}`, since: owner?.since ?? 'just now' }
    }
  }
}
