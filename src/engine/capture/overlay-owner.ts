import { constants } from 'node:fs'
import { chown, chmod, open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { ownershipIsDynamic } from '../../libvirt/host.ts'
import { fail } from '../../shared/failure.ts'
import { syncDir } from '../../store/durable.ts'
import { lstatOrNone } from '../../store/point-files.ts'
import { FileIdentity, identityOf, isSameFile } from '../evidence/file-identity.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { imageBelow, type CaptureDisk } from './capture-plan.ts'

/** Announced before empty files are put where libvirt is to make its overlays or mirrors. */
export const PLACE_STEP = 'place-files'
/** Announced with the empty files that lie there, before libvirt is asked for anything. */
export const PLACED_STEP = 'placed-files'
/** Announced before overlays are made that libvirt takes as they are. */
export const MAKE_STEP = 'make-overlays'

export const PlacedFile = z.object({ path: z.string(), file: FileIdentity })
export type PlacedFile = z.infer<typeof PlacedFile>

/** The empty files that a job has put down for libvirt, or to make overlays of them itself. */
export interface Placed {
  /** It had begun to, or to make overlays of them, and was not over with it: libvirt was not asked for anything yet. */
  readonly isUnfinished: boolean
  readonly files: readonly PlacedFile[]
}

/** Where empty files lie beforehand, and as whose. */
interface Placing {
  /** The job makes overlays itself of all of them, also of those that nothing but libvirt's QEMU may write to. */
  readonly forAll?: boolean
  /** libvirt gives files to QEMU. */
  readonly isDynamic?: () => Promise<boolean>
}

/**
 * Where libvirt leaves owners as they are (`dynamic_ownership = 0`), QEMU could not open an overlay or a mirror that libvirt
 * makes, which would be root's. So an empty file lies there beforehand, with the owner and mode of the image below it, which QEMU may write
 * to; libvirt takes a file for its own as long as it is empty. One that its job makes an overlay of is root's alone where libvirt gives it to QEMU;
 * what is noted of it tells a half made overlay from somebody's file.
 */
export async function giveOverlays(
  job: Pick<JobContext, 'step'>,
  disks: readonly CaptureDisk[],
  { forAll = false, isDynamic = ownershipIsDynamic }: Placing = {}
): Promise<readonly PlacedFile[]> {
  const asImage = (await isDynamic()) ? [] : disks.filter(({ type }) => type !== 'network')
  const all = forAll ? disks : asImage
  if (all.length === 0) return []
  await job.step(PLACE_STEP, {}, async () => {
    for (const disk of all) await placeEmpty(disk, asImage.includes(disk))
  })
  const placed = await Promise.all(all.map(async ({ sidecar }) => placedAt(sidecar)))
  await job.step(PLACED_STEP, { placed }, () => Promise.resolve())
  return placed
}

const placedAt = async (path: string): Promise<PlacedFile> => ({
  path,
  file: (await identityOf(path)) ?? fail({ kind: 'io', path, code: 'ENOENT', detail: 'somebody has removed it' })
})

/** Puts what was made elsewhere into the very file that lies there for it, so that it lasts. @throws `io` where it is another by now */
export async function fillPlaced({ path, file }: PlacedFile, from: string): Promise<void> {
  const bytes = await readFile(from)
  const handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    const { dev, ino } = await handle.stat({ bigint: true })
    if (String(dev) !== file.dev || String(ino) !== file.ino)
      fail({ kind: 'io', path, code: 'EEXIST', detail: 'somebody has put another file there' })
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncDir(dirname(path))
}

async function placeEmpty(disk: CaptureDisk, isAsImage: boolean): Promise<void> {
  const image = isAsImage ? await stat(imageBelow(disk).path) : undefined
  await (await open(disk.sidecar, 'wx', 0o600)).close()
  if (image === undefined) return
  const { uid, gid, mode } = image
  await chown(disk.sidecar, uid, gid)
  await chmod(disk.sidecar, mode & 0o777)
}

/**
 * Whether a file is the very one that its job put there, as empty as it was: no QEMU has made an overlay of it. A size of
 * nothing alone says nothing, since somebody may have emptied an overlay that held a guest's writes.
 */
export async function isAsPlaced(path: string, { isUnfinished, files }: Placed): Promise<boolean> {
  const now = await lstatOrNone(path)
  if (now?.isFile() !== true) return false
  const placed = files.find((each) => each.path === path)?.file
  if (placed === undefined && isUnfinished) return now.size === 0
  // Only its own job can have written to the very one, for as long as libvirt was not asked.
  if (now.size > 0 && !isUnfinished) return false
  const file = await identityOf(path)
  if (placed === undefined || file === undefined) return false
  // A share that does not say when a file was made may have another number after a boot; to empty a file is to write to it.
  return isSameFile(file, placed) || (file.ino === placed.ino && file.modifiedNs === placed.modifiedNs)
}
