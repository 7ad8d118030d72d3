import { dirname } from 'node:path'
import { fail } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { isCode } from '../../store/file-io.ts'
import { whileSpaceLasts, type WatchedFolder } from '../../store/free-space.ts'
import { removeIfProven, shown } from '../evidence/removal.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { mountAt, spaceOf } from '../room/file-systems.ts'
import { copyPaths, memoryPath, type CapturePlan } from './capture-plan.ts'

/**
 * Does `work`, and stops it with `no-room` when the store or a file system that overlays of the VM grow on is about to be
 * full: the job gives way before a guest meets a full disk. The folder of the point is looked at too, so that a store that
 * is unmounted under us is noticed at once.
 */
export async function whileRoomLasts<T>(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  work: (job: JobContext<BackupSpec>) => Promise<T>
): Promise<T> {
  return whileRoomLastsIn(job, plan, overlayFolders(plan), work)
}

/** Likewise where nothing of the VM grows any more but the point. */
export const whileStoreLasts = <T>(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  work: (job: JobContext<BackupSpec>) => Promise<T>
): Promise<T> => whileRoomLastsIn(job, plan, [], work)

async function whileRoomLastsIn<T>(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  folders: readonly WatchedFolder[],
  work: (job: JobContext<BackupSpec>) => Promise<T>
): Promise<T> {
  const { store } = job.spec
  const point = { path: plan.pointDir, name: store, forWhat: 'the point' }
  try {
    return await whileSpaceLasts([point, ...folders], job.signal, (signal) => work({ ...job, signal }))
  } catch (error) {
    if (!isGone(error, plan.pointDir)) throw error
    const detail = 'It went away while the point was being written: was it unmounted?'
    return fail({ kind: 'store-changed', store, detail }, error)
  }
}

/** Neither the folder is there any more nor what was in it. */
const isGone = (error: unknown, dir: string): boolean =>
  isCode(error, 'ENOENT', 'ESTALE', 'ENOTCONN') &&
  error instanceof Error &&
  'path' in error &&
  String(error.path).startsWith(dir)

function overlayFolders({ method, disks }: CapturePlan): WatchedFolder[] {
  const folders = new Set(method === 'offline' ? [] : disks.map(({ sidecar }) => dirname(sidecar)))
  return [...folders].map((path) => ({ path, forWhat: 'what the VM writes during the backup' }))
}

/**
 * Commits overlays into images that may have to grow for it. Where their file system runs short, the copies that this job
 * has written to the same one go, so that the VM's own data has the room. When this ends, they are gone or stay.
 *
 * @param letGo ends what this process still does with them: nothing goes that somebody has open
 * @throws `no-room` then, when the commit is over: the point is lost, the VM is on its own images
 */
export async function commitWithRoom<T>(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  commit: () => Promise<T>,
  letGo: () => Promise<void> = () => Promise.resolve()
): Promise<T> {
  return whileSpaceLasts(await foldersOfCopies(plan), undefined, async (stop) => {
    const cleared: Promise<void>[] = []
    const clear = (): void => void cleared.push(clearRoom(job, plan, letGo))
    stop.addEventListener('abort', clear)
    try {
      return await commit()
    } finally {
      // First of all: from here on the copies are those of a point that will be complete, or it is given up below.
      stop.removeEventListener('abort', clear)
      await Promise.all(cleared)
      if (cleared.length > 0) stop.throwIfAborted()
    }
  })
}

/** Those of the overlays that share their room with the point; elsewhere there is nothing of ours to give. */
async function foldersOfCopies(plan: CapturePlan): Promise<WatchedFolder[]> {
  const ours = await spaceAtPath(plan.pointDir)
  const folders = overlayFolders(plan)
  const shared = await Promise.all(folders.map(async ({ path }) => (await spaceAtPath(path)) === ours))
  return folders.filter((_, index) => shared[index])
}

async function spaceAtPath(path: string): Promise<string | undefined> {
  const mount = await mountAt(path)
  return mount && spaceOf(mount)
}

/** Never fails: that the room is short is told in any case. */
async function clearRoom(job: JobContext<BackupSpec>, plan: CapturePlan, letGo: () => Promise<void>): Promise<void> {
  try {
    await letGo()
    await removeCopies(job, plan)
  } catch (error) {
    job.note(`No room could be made for what the VM wrote: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function removeCopies(job: JobContext, plan: CapturePlan): Promise<void> {
  const made = shown("it lies in this job's unfinished point")
  const memory = plan.method === 'live' ? [memoryPath(plan)] : []
  const content = shown('it is a copy, and its VM goes on running')
  for (const path of [...copyPaths(plan), ...memory]) {
    const verdict = await removeIfProven(job.shell, { path, made, content })
    if (verdict.kind === 'keep') job.note(`${path} could not make room: ${verdict.because}`)
  }
}
