import { fail, isFailure } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Manifest, PointFile } from '../../shared/model/point.ts'
import { NO_FILE, whyNoMedium } from '../../libvirt/backup-limits.ts'
import { domainXml } from '../../libvirt/domains.ts'
import { mediaIn, parseDomain, type DomainXml, type XmlDisk } from '../../libvirt/domain-xml.ts'
import { makeFoldersIn } from '../../store/durable.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import type { CapturePlan } from './capture-plan.ts'
import {
  copyAtRest,
  isNotThere,
  isSameContent,
  isSameStamp,
  lookAtFile,
  type CopiedAtRest,
  type FileStamp
} from './copy-at-rest.ts'
import { whileStoreLasts } from './watch-room.ts'

/**
 * What lies in the drives of a VM, where points are to have it. A VM does without a medium: one that cannot be had, or not as it
 * was at the instant of the point, is left out and warned of, and costs nothing else.
 */

type PlannedMedium = CapturePlan['media'][number]

/** Of the drives as they are, each once. What is no file of this host is warned of, and what no restore would give to a drive. */
export async function mediaOf(
  job: Pick<JobContext, 'shell' | 'signal' | 'warn'>,
  domain: DomainXml
): Promise<PlannedMedium[]> {
  const media = new Map<string, PlannedMedium>()
  const drives = mediaIn(domain)
  const looks = await Promise.all(drives.map((drive) => lookInto(job, drive)))
  for (const [n, { target, source }] of drives.entries()) {
    const look = looks[n]
    if (typeof look === 'object') media.set(source, { originalPath: source, stamp: look })
    else job.warn(`The medium in ${target} (${source}) is not in the point: ${look ?? NO_FILE}`)
  }
  return [...media.values()]
}

/** Answers why no point has it, or how it stands. */
async function lookInto(
  { shell, signal }: Pick<JobContext, 'shell' | 'signal'>,
  drive: XmlDisk & { readonly source: string }
): Promise<FileStamp | string> {
  const because = whyNoMedium(drive)
  if (because !== undefined) return because
  try {
    const { kind, stamp } = await lookAtFile(shell, drive.source, { signal })
    return kind === 'file' ? stamp : NO_FILE
  } catch (error) {
    if (!isFailure(error, 'io')) throw error
    return isNotThere(error) ? NO_FILE : error.failure.detail
  }
}

/** How media stood behind the instant of the point; those that could not be looked at are missing. */
export type MediaSeen = ReadonlyMap<string, FileStamp>

/** Begun right behind the instant. Nobody waits for it while the VM is on its overlays, and it never fails. */
export async function lookAtMedia({ shell, signal }: JobContext, { media }: CapturePlan): Promise<MediaSeen> {
  const seen = new Map<string, FileStamp>()
  const look = async ({ originalPath }: PlannedMedium): Promise<void> => {
    const looked = await lookAtFile(shell, originalPath, { signal }).catch(() => undefined)
    if (looked !== undefined) seen.set(originalPath, looked.stamp)
  }
  await Promise.all(media.map(look))
  return seen
}

export interface AtInstant {
  readonly media: MediaSeen
  /** What the RAM of the point knows of its drives. */
  readonly memoryXml?: string | undefined
}

interface TakenMedia {
  readonly taken: NonNullable<Manifest['boot']>
  readonly files: readonly PointFile[]
}

/** Each by itself. One that was changed since the plan was made is not the RAM's. */
export async function takeMedia(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  { media, memoryXml }: AtInstant
): Promise<TakenMedia> {
  const { vm, pointDir } = plan
  const taken: NonNullable<Manifest['boot']> = []
  const files: PointFile[] = []
  for (const [n, medium] of plan.media.entries()) {
    const { originalPath } = medium
    const lacking = `The medium ${originalPath} is not in the point`
    await orWarn(job, lacking, async () => {
      const drives = mediaIn(parseDomain(memoryXml ?? (await domainXml(job.shell, vm))))
      const holding = drives.filter(({ source }) => source === originalPath)
      if (holding.length === 0) {
        job.warn(`${lacking}: it was taken out of its drive meanwhile`)
        return
      }
      const path = `boot/medium-${n}`
      await makeFoldersIn(pointDir, 'boot')
      const isWritten = holding.some(({ device, readOnly }) => device === 'floppy' && !readOnly)
      const copied = await copyMedium(job, plan, medium, { target: `${pointDir}/${path}`, isWritten })
      if (copied === undefined) {
        job.warn(`${lacking}: it was written to, or another took its place, after the backup had begun`)
        return
      }
      if (isWritten) warnIfNewer(job, medium, copied, media.get(originalPath))
      files.push({ path, ...copied.file })
      taken.push({ role: 'medium', file: path, originalPath })
    })
  }
  return { taken, files }
}

interface How {
  readonly target: string
  /** The guest may write to it. */
  readonly isWritten: boolean
}

/**
 * While the store has room. A disc is copied only as it was planned; a floppy that its guest may write to must only be the same
 * file. Undefined: it is not.
 */
async function copyMedium(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  { originalPath, stamp }: PlannedMedium,
  { target, isWritten }: How
): Promise<CopiedAtRest | undefined> {
  const requireWanted = (now: FileStamp): void => {
    const isWanted = isWritten ? now.ino === stamp.ino : isSameContent(now, stamp)
    if (!isWanted) fail({ kind: 'foreign-work', vm: plan.vmName, detail: CHANGED })
  }
  try {
    return await whileStoreLasts(job, plan, ({ signal }) =>
      copyAtRest(job.shell, originalPath, target, {
        signal,
        requireWanted,
        onProgress: (done, total) => job.progress(`copying ${originalPath}`, done, total)
      })
    )
  } catch (error) {
    if (isFailure(error, 'foreign-work') && error.failure.detail === CHANGED) return undefined
    throw error
  }
}

const CHANGED = 'the medium is not what was planned any more'

/** What its guest has written to it since the instant is neither in the disks of the point nor known to its RAM. */
function warnIfNewer(
  job: JobContext,
  { originalPath, stamp }: PlannedMedium,
  copied: CopiedAtRest,
  atInstant: FileStamp | undefined
): void {
  if (!copied.isAtRest)
    job.warn(
      `The medium ${originalPath} was written to while it was copied: what the point has of it may not fit together`
    )
  else if (!isSameStamp(copied.stamp, stamp) && !isSameStamp(copied.stamp, atInstant))
    job.warn(
      `The medium ${originalPath} was written to after the instant of the point, which has it as it was when it was copied: newer than the disks`
    )
}
