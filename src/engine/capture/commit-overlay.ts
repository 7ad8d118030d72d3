import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail, isFailure } from '../../shared/failure.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import {
  blockCommitActive,
  blockCommitInner,
  blockJobAbort,
  blockJobInfo,
  blockJobReady
} from '../../libvirt/block-jobs.ts'
import { domainState } from '../../libvirt/domains.ts'
import {
  checkImage,
  commitOverlay as commitImage,
  holdsNothing,
  imageInfo,
  isLocked,
  showsAllOf,
  type OverlayAccess
} from '../../libvirt/qemu-img.ts'
import { freeBytesAt } from '../../store/file-io.ts'
import { openersOf, restsOn } from '../evidence/image-users.ts'
import { isGone } from '../evidence/presence.ts'
import { judge, removeIfProven, shown, wasRemoved } from '../evidence/removal.ts'
import { keep, removable, type Kept, type Verdict } from '../evidence/verdict.ts'
import type { VmBefore } from '../evidence/vm-before.ts'
import {
  hasBeenElsewhere,
  historySince,
  logPosition,
  type LogPosition,
  type VmHistory
} from '../evidence/vm-history.ts'
import { isSameProcess, vmProcess, type VmProcess } from '../evidence/vm-process.ts'
import {
  defineSourceAgain,
  lookAtDisk,
  redefineSavedImage,
  redefineSnapshots,
  syncDefinitions,
  type DiskNow
} from '../vm.ts'
import { imageBelow, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import { hasChanged, type HeldDisk } from './hold-disks.ts'
import { othersReach, sampledElse } from './image-samples.ts'
import { unreadOnTop } from './overlay-disk.ts'
import { dropKey, keepKeyOfLost, withOverlayAccess } from './overlay-keys.ts'
import { isAsPlaced, type Placed } from './overlay-owner.ts'

/** What was noted of a QEMU that was told to go over to the image below. */
export interface Pivoted {
  readonly process: VmProcess | undefined
  /** libvirt's number for the image below in that QEMU. */
  readonly node: string | undefined
  /** The VM would have started with the overlay then. */
  readonly wasDefined: boolean
  /** How far libvirt's log of the VM had got. */
  readonly log?: LogPosition | undefined
  /** It was seen to have done it. */
  readonly done: boolean
}

/** How an overlay was begun to be written into its image: by a VM that ran on it, at any time, or only while it was off. */
export type Began = 'in use' | 'at rest'

/** A disk on an overlay, with all that the job has noted of it. */
export interface OverlayCase {
  readonly shell: Shell
  /** The VM, and its definition as it was when its disks were its own. */
  readonly owner: Pick<CapturePlan, 'vm' | 'vmName' | 'definition'>
  readonly disk: CaptureDisk
  /** How the VM stood before the job. Empty: it is not known. */
  readonly before: VmBefore
  /** The host has not been booted since `before`. */
  readonly sameBoot: boolean
  /** The QEMU that an undo has started, on images that it had compared with how they were. */
  readonly started: VmProcess | undefined
  /** How the image below stood when the overlay began. */
  readonly held: HeldDisk | undefined
  /** The empty files that this job has put down for libvirt to make overlays of. */
  readonly placed: Placed
  /** This job has begun to write the overlay into its image. */
  readonly commitBegan: () => Began | undefined
  /** Announces that the overlay will be written into its image, and has it done. */
  readonly write: (how: Began, work: () => Promise<void>) => Promise<void>
  /** What was noted when this job told a QEMU to go over to the image. */
  readonly pivoted: () => Pivoted | undefined
  /** Announces that this QEMU will be told to go over to the image below, and has it done. */
  readonly pivot: (told: Omit<Pivoted, 'done'>, work: () => Promise<void>) => Promise<void>
  /** Notes that the QEMU that was told to is on the overlay still, and will not go over by that. */
  readonly stay: () => Promise<void>
  /** This job was about to remove it before, when all that it held was in the image. */
  readonly dropped: boolean
  /** Announces that it is removed now. */
  readonly drop: () => Promise<void>
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
}

/**
 * Makes a disk's image the one that its VM writes to again, with all that the overlay took meanwhile, and removes the
 * overlay. It looks at what is there and goes on from it: at any moment, any number of times, whether the VM runs, is
 * off, saved, or not known any more. What cannot be shown to be safe is left as it is, and said.
 *
 * @throws what may go better another time: no room in the image's file system, libvirt that does not answer, work of others
 */
export async function commitOverlay(work: OverlayCase): Promise<Kept | undefined> {
  const now = await look(work)
  if (!isInUse(now, work.disk)) return (await commitAtRest(work, now)) ?? tidy(work, now)
  const kept = await whyNotInUse(work)
  if (kept !== undefined) return kept
  const process = await vmProcess(work.owner.vm)
  await commitInUse(work, now)
  const after = await look(work)
  if (after.isActive && isInUse(after, work.disk)) {
    await waitForOthers(work, after)
    await commitFailed(work.disk)
  }
  // It may have ended meanwhile, with or without having gone over; or the disk was unplugged, and plugged in again.
  const node = nodeOf(now, work.disk)
  const isSeen = node !== undefined && nodeOf(after, work.disk) === node
  if (!isSeen || !isSameProcess(process, await vmProcess(work.owner.vm)))
    return (await commitAtRest(work, after)) ?? tidy(work, after)
  return tidy(work, after, removable('its VM was seen to go over to the image below'))
}

const look = ({ shell, owner, disk }: OverlayCase): Promise<DiskNow> => lookAtDisk(shell, owner.vm, disk.target)
const isInUse = ({ chain }: DiskNow, { sidecar }: CaptureDisk): boolean => chain.includes(sidecar)

/** libvirt's number for the disk's own image, if the VM runs on it, or on something that rests on it. */
const nodeOf = ({ chain, nodes }: DiskNow, { source }: CaptureDisk): string | undefined => nodes[chain.indexOf(source)]

/** The VM runs on the overlay, or on an image that somebody has put on top of it. */
async function commitInUse(work: OverlayCase, now: DiskNow): Promise<void> {
  const { shell, disk, owner } = work
  await waitForOthers(work, now)
  if (isUnseen(work) && (await hasStayed(work))) await work.stay()
  if (now.live === disk.sidecar) return commitActive(work)
  const images = { top: disk.sidecar, base: imageBelow(disk).path }
  await work.write('in use', () => blockCommitInner(shell, owner.vm, disk.target, images))
}

/** Only where no job is there any more: one that had no answer in time may take the VM over yet. */
async function hasStayed(work: OverlayCase): Promise<boolean> {
  const { shell, owner, disk, pivoted } = work
  if ((await blockJobInfo(shell, owner.vm, disk.target)) !== undefined) return false
  return isInUse(await look(work), disk) && isSameProcess(pivoted()?.process, await vmProcess(owner.vm))
}

/** A commit would make the overlay's own snapshots useless; one without a base is the disk itself. */
async function whyNotInUse(work: OverlayCase): Promise<Kept | undefined> {
  const { shell, owner, disk } = work
  if (await isGone(disk.sidecar, owner.vmName, disk.mountPoint)) return undefined // unlinked under its VM, whose QEMU still has it
  const { backingFile, internalSnapshots } = await imageInfo(shell, disk.sidecar, { format: 'qcow2' })
  if (backingFile === undefined)
    return keep(
      disk.sidecar,
      `it needs no other image any more (blockpull): it is ${disk.target} of ${owner.vmName} now`
    )
  return internalSnapshots === 0 ? startedOnOlder(work) : holdsSnapshots(disk, owner.vmName)
}

/** Whoever started the VM on the overlay, as libvirt does at boot, did not ask what became of the image meanwhile; but we do. */
async function startedOnOlder(work: OverlayCase): Promise<Kept | undefined> {
  const { disk, owner, sameBoot, started, commitBegan, pivoted } = work
  const mayBe = pivoted()?.done === true || (!sameBoot && (isUnseen(work) || commitBegan() === undefined))
  if (!mayBe || isSameProcess(started, await vmProcess(owner.vm)) || !(await restsOnNewerImage(work))) return undefined
  const because = isUnseen(work)
    ? `${owner.vmName} was started on it though its QEMU had been told to go over to ${disk.source}, and may have: each may hold writes that the other lacks`
    : `${owner.vmName} was started on it though ${disk.source} was written to since: each holds writes that the other lacks, unless it had been emptied into that, or made anew, before`
  return keep(disk.sidecar, because, ...bothSides(disk), OVER_ITS_IMAGE, commitByHand(work))
}

const OVER_ITS_IMAGE = '# to go on with what it runs on, over what its image holds:'

/**
 * Whoever types it may do so days later, when the VM runs on something that its owner has put on top meanwhile: then that
 * stays where it is, and rests on the image. The overlay goes only where libvirt names it in no chain of the VM any more. An
 * image on a server has no name there but a number, which changes.
 */
function commitByHand({ disk, owner }: Pick<OverlayCase, 'disk' | 'owner'>): string {
  const [vm, overlay] = [quoted(owner.vmName), quoted(disk.sidecar)]
  const [base, which] =
    disk.type === 'network'
      ? [`'${disk.target}[N]'`, `   # N: index of the image below the overlay, in: virsh dumpxml ${vm}`]
      : [quoted(imageBelow(disk).path), '']
  const commit = `virsh blockcommit ${vm} ${disk.target} --top ${overlay} --base ${base}`
  const isOffIt = `virsh domstats --block --backing ${vm} | tr -d '\\n' | grep block.count | grep -qvF ${overlay}`
  const secret = disk.encryption?.overlaySecret
  const key = secret === undefined ? '' : ` && virsh secret-undefine ${secret}`
  return `{ ${commit} --active --pivot || ${commit} --wait; } && ${isOffIt} && rm ${overlay}${key}${which}`
}

/** Its QEMU was told to go over to the image, and nobody saw whether it did. */
const isUnseen = ({ pivoted }: OverlayCase): boolean => pivoted()?.done === false

const holdsSnapshots = ({ sidecar, target }: CaptureDisk, vmName: string): Kept =>
  keep(
    sidecar,
    `a snapshot was taken of ${vmName} meanwhile, and it lies inside this overlay of ${target}`,
    `virsh snapshot-list ${quoted(vmName)}`,
    `virsh snapshot-delete ${quoted(vmName)} SNAPSHOT   # when you need it no more; then have the host looked after again`
  )

const AGAIN = 'then have the host looked after again'
/** Once its VM runs on it, nothing shows any more that an overlay was emptied, or is another. */
const beforeStart = ({ vmName }: OverlayCase['owner']): string => `${AGAIN}, before ${vmName} is started`

/** A job of others on this disk ends by itself; it is never aborted. */
async function waitForOthers({ shell, owner, disk }: OverlayCase, now: DiskNow): Promise<void> {
  const job = await blockJobInfo(shell, owner.vm, disk.target)
  if (job === undefined || (job.kind === 'active-commit' && foldsTheOverlay(now, disk))) return
  const to = now.mirrorTo === undefined ? '' : ` into ${now.mirrorTo}`
  fail({ kind: 'foreign-work', vm: owner.vmName, detail: `a block job (${job.kind}${to}) runs on ${disk.target}` })
}

/** What an active commit of this disk folds is the overlay, and into the image right below it: others may begin one deeper. */
const foldsTheOverlay = ({ live, chain: [, below], mirrorTo }: DiskNow, { sidecar }: CaptureDisk): boolean =>
  live === sidecar && (mirrorTo === undefined || below === undefined || mirrorTo === below)

/** The overlay is what a running QEMU writes to: commit it into the image below, then pivot. */
async function commitActive(work: OverlayCase): Promise<void> {
  const { shell, owner, disk, pivot, onProgress } = work
  const running = await blockJobInfo(shell, owner.vm, disk.target)
  // One that somebody has begun by hand and that writes the same into the image is gone on with.
  await work.write('in use', async () => {
    if (running === undefined) await beginCommit(shell, owner, disk)
  })
  const end = await blockJobReady(shell, owner.vm, disk.target, 'active-commit', {
    onProgress: ({ doneBytes, totalBytes }) => onProgress?.(doneBytes, totalBytes)
  })
  if (end === 'gone') return
  // It may have taken hours, in which its owner may have given it another definition, or begun another commit.
  const [now, process, log] = await Promise.all([look(work), vmProcess(owner.vm), logPosition(owner.vmName)])
  if (!foldsTheOverlay(now, disk)) return
  await pivot({ process, node: nodeOf(now, disk), wasDefined: now.defined === disk.sidecar, log }, async () => {
    await blockJobAbort(shell, owner.vm, disk.target, { pivot: true })
    // From here on there is no way back, also for a libvirt that starts the VM after a power cut.
    await syncDefinitions()
  })
}

async function beginCommit(shell: Shell, owner: OverlayCase['owner'], disk: CaptureDisk): Promise<void> {
  try {
    await blockCommitActive(shell, owner.vm, disk.target, disk.sidecar)
  } catch (error) {
    const state = isFailure(error, 'command-failed') ? await domainState(shell, owner.vm) : undefined
    // A VM whose owner paused it while its RAM was captured has its images closed, and QEMU opens them when it runs.
    if (state?.state === 'paused')
      fail({ kind: 'vm-state', vm: owner.vmName, state: 'paused', wanted: 'running' }, error)
    throw error
  }
}

/** A job that is gone has not necessarily got through. */
async function commitFailed(disk: CaptureDisk): Promise<never> {
  const { sidecar, type } = disk
  const { path } = imageBelow(disk)
  const neededBytes = (await stat(sidecar).catch(() => undefined))?.size ?? 0
  const folder = dirname(path)
  const freeBytes = type === 'file' ? await freeBytesAt(folder) : Infinity
  if (freeBytes < neededBytes)
    fail({ kind: 'no-room', path: folder, forWhat: 'what the VM wrote during the backup', neededBytes, freeBytes })
  const detail = `${sidecar} could not be written into it; the VM goes on with both`
  return fail({ kind: 'io', path, code: 'COMMIT', detail })
}

/** No running disk of this VM has the overlay: it was pivoted already, or fell with the VM, or was unplugged. */
async function commitAtRest(work: OverlayCase, now: DiskNow): Promise<Kept | undefined> {
  const { shell, owner, disk } = work
  if (await isGone(disk.sidecar, owner.vmName, disk.mountPoint)) return goneThoughNamed(work, now)
  if ((await isCommitted(work, now)).kind === 'remove') return undefined
  const kept = await whyNotAtRest(work, now)
  if (kept !== undefined) return kept
  await work.write('at rest', () =>
    withOverlayAccess(shell, disk, (access) => commitImage(shell, disk.sidecar, access))
  )
  return (await isEmpty(work)) ? undefined : commitFailed(disk)
}

const isEmpty = ({ shell, disk }: OverlayCase): Promise<boolean> =>
  withOverlayAccess(shell, disk, (access) => holdsNothing(shell, disk.sidecar, access))

/** What the VM would start with is the overlay, or something that its owner has put on top of it, which shows what it holds. */
async function isNeeded(
  { defined, saved }: Pick<DiskNow, 'defined' | 'saved'>,
  { sidecar }: CaptureDisk
): Promise<boolean> {
  return (await restsOn(defined, sidecar)) || restsOn(saved, sidecar)
}

/** So may something be that cannot be read: then it is emptied all the same, and stays. */
async function mayBeNeeded({ owner, disk }: OverlayCase, { defined, saved }: DiskNow): Promise<Kept | undefined> {
  const unread = (await unreadOnTop(owner, disk, defined)) ?? (await unreadOnTop(owner, disk, saved))
  if (unread === undefined) return undefined
  const because = `${owner.vmName} needs ${unread}, which cannot be read, and may lie on top of this`
  return keep(disk.sidecar, because, `# when that is there, or ${owner.vmName} needs it no more, ${AGAIN}`)
}

/**
 * Nothing is to be committed; but a VM that would start without what the overlay held must not do so unheard. One that we
 * removed ourselves is named again where somebody read the definition during the backup, and defines that later.
 */
async function goneThoughNamed(work: OverlayCase, { defined, saved }: DiskNow): Promise<Kept | undefined> {
  const { sidecar, target } = work.disk
  if (!(await isNeeded({ defined, saved }, work.disk))) return undefined
  if (saved !== sidecar && (work.dropped || (await wasCommittedElsewhere(work)))) return undefined
  return keep(
    sidecar,
    `somebody removed it, though ${target} of the VM needs it: what it held is lost, if there is no copy`
  )
}

/** Its VM has been on another host, and somebody has written to the image, which only who commits the overlay may do. */
async function wasCommittedElsewhere({ owner, disk, before, held }: OverlayCase): Promise<boolean> {
  const history = await historySince(owner.vmName, before.log)
  if (history === undefined || !hasBeenElsewhere(history)) return false
  return held !== undefined && (await hasChanged(disk, held))
}

/** Whether all that the overlay took is in the image below. */
export async function isCommitted(work: OverlayCase, now: DiskNow): Promise<Verdict> {
  const { shell, owner, disk, before, placed } = work
  if (await hasGoneOver(work, now)) return removable('the very QEMU that wrote to it has gone over to the image below')
  if (await wasNotedToGoOver(work, now))
    return removable('its QEMU was told to go over to the image below, and libvirt noted that it did')
  const isWritten = (await openersOf(disk.sidecar)).some(({ writes }) => writes)
  if (!isWritten && (await isAsPlaced(disk.sidecar, placed)))
    return removable('it is as empty as this job put it there: no VM has ever run on it')
  const away = wentAway(work, now, await historySince(owner.vmName, before.log))
  if (away !== undefined) return away
  if (isWritten || (await isLocked(shell, disk.sidecar, 'qcow2')) !== false)
    return keep(disk.sidecar, 'somebody has it open for writing')
  if (await isEmpty(work)) return removable('it holds nothing that the image below lacks')
  // So it was when its QEMU was told to go over; but what was written since is in one of them alone.
  const isInImage = (access?: OverlayAccess): Promise<boolean> =>
    showsAllOf(shell, disk.sidecar, imageBelow(disk), access)
  if (isUnseen(work) && (await withOverlayAccess(shell, disk, isInImage)))
    return removable('the image below, which its QEMU was told to go over to, shows all that it holds')
  return keep(disk.sidecar, 'it may hold what its VM wrote last')
}

/** The image has the number still that it had below the overlay. Unplugged and plugged in again it has another one. */
async function hasGoneOver({ owner, disk, before, sameBoot, pivoted }: OverlayCase, now: DiskNow): Promise<boolean> {
  const node = nodeOf(now, disk)
  if (!sameBoot || node === undefined || isInUse(now, disk)) return false
  const process = await vmProcess(owner.vm)
  if (isSameProcess(before.process, process)) return node === disk.node
  const told = pivoted()
  return isSameProcess(told?.process, process) && (told?.done === true || told?.node === node)
}

/**
 * libvirt changes the definition when a QEMU has gone over. So may its owner, who has an older one at hand; but then the
 * overlay was written to last. Once it was seen to have gone over, only a QEMU that was started since can have gone back.
 */
async function wasNotedToGoOver({ owner, disk, pivoted }: OverlayCase, { defined }: DiskNow): Promise<boolean> {
  const told = pivoted()
  if (told?.done === true && (await historySince(owner.vmName, told.log))?.startedAgain === false) return true
  if (told === undefined || defined !== disk.source) return false
  return told.done || (told.wasDefined && (await wasWrittenLast(imageBelow(disk).path, disk.sidecar)))
}

async function wasWrittenLast(path: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([path, other].map((each) => stat(each, { bigint: true }).catch(() => undefined)))
  return a?.isFile() === true && b?.isFile() === true && a.mtimeNs > b.mtimeNs
}

/** Reasons for which the overlay is not written into its image now, though no VM of this host runs on it. */
async function whyNotAtRest(work: OverlayCase, now: DiskNow): Promise<Kept | undefined> {
  const { shell, owner, disk } = work
  const history = await historySince(owner.vmName, work.before.log)
  return (
    ranOnImage(work, now) ??
    wentAway(work, now, history) ??
    (await inOtherHands(work)) ??
    (await imageMovedOn(work, now, history)) ??
    (await unfit(shell, owner.vmName, disk))
  )
}

function ranOnImage({ disk, owner }: OverlayCase, { live }: DiskNow): Kept | undefined {
  if (live !== disk.source) return undefined
  const because = `${owner.vmName} was started on ${disk.source} without it: each holds writes that the other lacks`
  return keep(disk.sidecar, because, ...bothSides(disk))
}

const bothSides = ({ sidecar, target, encryption }: CaptureDisk): string[] =>
  encryption === undefined
    ? [
        `# what the VM had written to ${target} by then, over what its image holds now, as an image of its own to look into:`,
        `qemu-img convert -U -O qcow2 ${quoted(sidecar)} ${quoted(`${sidecar}.rescued.qcow2`)}`
      ]
    : [
        `# both are encrypted; their keys, for qemu-img --object secret (man qemu-img):`,
        `virsh secret-get-value ${encryption.overlaySecret}   # of ${sidecar}`,
        `virsh secret-get-value ${encryption.secret}   # of its image`
      ]

/** A VM that migrated runs elsewhere on these files, or may; one saved to a file by its owner names them in that file. */
function wentAway({ disk, owner }: OverlayCase, now: DiskNow, history: VmHistory | undefined): Kept | undefined {
  const reason = history?.ended ?? (now.state?.state === 'shut off' ? now.state.reason : undefined)
  if (reason === 'migrated')
    return keep(
      disk.sidecar,
      `${owner.vmName} has migrated, and may run on it where it is now`,
      '# on the host where the VM runs now, if that names this file:',
      commitByHand({ disk, owner }),
      ...(now.defined === disk.sidecar
        ? ['# then have this host looked after again, whose definition of it still names this file']
        : [])
    )
  if (reason === 'saved' && now.saved === undefined)
    return keep(
      disk.sidecar,
      `${owner.vmName} was saved to a file, which names it: it goes back when the VM runs again`,
      'virsh restore FILE   # then have the host looked after again'
    )
  return undefined
}

/** Another VM, a process or another host has the overlay or the image below it. */
async function inOtherHands({ shell, owner, disk }: OverlayCase): Promise<Kept | undefined> {
  const free = shown('only looked at')
  const { sidecar: path } = disk
  const verdict = await judge(shell, { path, format: 'qcow2', exceptVm: owner.vm, made: free, content: free })
  if (verdict.kind === 'keep') return verdict
  if (disk.type === 'network') return undefined
  const below = imageBelow(disk)
  const [opener] = await openersOf(below.path)
  if (opener !== undefined)
    return keep(path, `${opener.program} (process ${opener.pid}) has the image below it open, ${below.path}`)
  if ((await isLocked(shell, below.path, below.format)) === true)
    return keep(path, `somebody has the image below it open for writing, ${below.path}`)
  return undefined
}

/**
 * The image must be as it was when the overlay began, or have changed by our own commit alone. Where that was not noted, the
 * VM's own definition shows it: naming the overlay it can only have run on that, unless it was on another host, which may have
 * committed it.
 */
async function imageMovedOn(
  work: OverlayCase,
  now: DiskNow,
  history: VmHistory | undefined
): Promise<Kept | undefined> {
  const { disk, owner, held, commitBegan, pivoted } = work
  const needed = await isNeeded(now, disk)
  if (!(await restsOnNewerImage(work))) {
    if (needed && !hasBeenElsewhere(history)) return undefined
    const isTold = held?.image !== undefined || (work.sameBoot && held?.writes !== undefined)
    const isAsItWas = isTold && !(await hasChanged(disk, held))
    const onlyWeWrote = commitBegan() !== undefined && pivoted() === undefined && history?.startedAgain === false
    if (isAsItWas || onlyWeWrote) return undefined
  }
  return keep(
    disk.sidecar,
    isUnseen(work)
      ? `nothing shows whether ${owner.vmName} wrote to it last, or to ${disk.source}, which its QEMU was told to go over to`
      : `nothing shows that ${disk.source} is as it was when this overlay of ${owner.vmName} began`,
    ...(pivoted()?.done === true || history?.events.includes('migrated') === true ? [] : withIt(work)),
    ...bothSides(disk),
    ...(needed || (await mayBeNeeded(work, now))
      ? withoutIt(work, now)
      : [`rm ${quoted(disk.sidecar)}   # when you need it no more; ${AGAIN}`])
  )
}

/** What the VM would start with is not to be taken away: the way to its image leads over an empty one of the same name. */
function withoutIt({ disk, owner }: OverlayCase, { defined, saved }: DiskNow): string[] {
  const { sidecar, encryption } = disk
  if (defined !== sidecar || saved !== undefined || encryption !== undefined) return []
  const { path, format } = imageBelow(disk)
  const anew = `qemu-img create -q -f qcow2 -b ${quoted(path)} -F ${format} ${quoted(sidecar)}`
  return [
    `mv ${quoted(sidecar)} ${quoted(`${sidecar}.kept.qcow2`)} && ${anew}   # to go on without it; ${beforeStart(owner)}`
  ]
}

/** What a commit, also one by hand, has written before its QEMU died looks like another host's writes. */
function withIt(work: OverlayCase): string[] {
  if (work.disk.encryption !== undefined) return []
  const [when, otherwise] = isUnseen(work)
    ? ['if its QEMU had not gone over to the image yet', 'if it had']
    : [
        'if the VM has run on no other host since, nor without it, a commit of this overlay was cut short there',
        'if it has'
      ]
  return [
    `# ${when}:`,
    `qemu-img commit ${quoted(work.disk.sidecar)}   # ${beforeStart(work.owner)}`,
    `# ${otherwise}:`
  ]
}

/**
 * Somebody has written to the image since the overlay began, other than our commit: over it, the overlay is of no moment. Its
 * own VM has, once it went over to it, and may have where it was told to, unless the overlay was written to last. A power cut
 * may have taken a time of change back, which is no write; a device counts from each boot anew, and only what this host
 * writes. What the image shows where the overlay holds nothing tells of other hosts, also once we have begun to commit; but a
 * QEMU that commits while the guest writes may have noted in the overlay less than it has copied, so that this counts only
 * where there can be another host.
 *
 * @throws `left-behind` where that cannot be read just now: it may be back
 */
export async function restsOnNewerImage(work: OverlayCase): Promise<boolean> {
  const { shell, disk, sameBoot, held, commitBegan, pivoted } = work
  if (pivoted()?.done === true) return true
  // Once it is emptied nothing in it excuses what was written from it; but an overlay that holds nothing is never the older one.
  if (commitBegan() !== undefined && (await isEmpty(work))) return false
  if (isUnseen(work) && !(sameBoot && (await wasWrittenLast(disk.sidecar, imageBelow(disk).path)))) return true
  const tells = commitBegan() !== 'in use' || (await othersReach(disk))
  const others = tells && ((await sampledElse(shell, disk, held?.samples)) ?? (await cannotTell(work)))
  if (others) return true
  if (held === undefined || commitBegan() !== undefined) return false
  if (held.image === undefined) return sameBoot && (await hasChanged(disk, held))
  const now = await stat(imageBelow(disk).path, { bigint: true }).catch(() => undefined)
  return String(now?.ino) !== held.image.ino || (now !== undefined && now.mtimeNs > BigInt(held.image.mtimeNs))
}

/** Nobody waits for the image of a disk that its VM has no more, which may be gone for good: its overlay is left to a person. */
async function cannotTell(work: OverlayCase): Promise<true> {
  const { owner, disk } = work
  const now = await look(work)
  const isNamed = [now.live, now.defined, now.saved].includes(disk.source) || (await isNeeded(now, disk))
  if (now.state !== undefined && !isInUse(now, disk) && !isNamed && !(await mayBeNeeded(work, now))) return true
  const because = `${disk.source} cannot be compared just now with how it was when this overlay of it began`
  const left = [{ path: disk.sidecar, because, mend: withoutImage(work, now) }]
  return fail({ kind: 'left-behind', vm: owner.vmName, left })
}

function withoutImage({ owner, disk }: OverlayCase, now: DiskNow): string[] {
  const { sidecar, target } = disk
  if (isInUse(now, disk)) return [OVER_ITS_IMAGE, commitByHand({ disk, owner })]
  return [
    '# if that is gone for good:',
    now.state === undefined
      ? `mv ${quoted(sidecar)} ${quoted(`${sidecar}.kept.qcow2`)}   # ${AGAIN}`
      : `virsh detach-disk ${quoted(owner.vmName)} ${target} --config   # ${AGAIN}`
  ]
}

async function unfit(shell: Shell, vmName: string, disk: CaptureDisk): Promise<Kept | undefined> {
  const { backingFile, internalSnapshots } = await imageInfo(shell, disk.sidecar, { format: 'qcow2' })
  if (internalSnapshots > 0) return holdsSnapshots(disk, vmName)
  if (backingFile === undefined)
    return keep(disk.sidecar, `it needs no other image any more: it is ${disk.target} itself`)
  if (disk.type !== 'network' && backingFile !== imageBelow(disk).path)
    return keep(disk.sidecar, `the image below it is ${backingFile} now, and was ${disk.source}`)
  const { corruptions } = await withOverlayAccess(shell, disk, (access) =>
    checkImage(shell, disk.sidecar, 'qcow2', access)
  )
  if (corruptions === 0) return undefined
  return keep(
    disk.sidecar,
    `it is damaged (${corruptions} corruptions)`,
    `qemu-img check -r all ${quoted(disk.sidecar)}`
  )
}

/** Definitions, the managed save image and snapshots name the image again; then nobody needs the overlay. */
async function tidy(work: OverlayCase, now: DiskNow, seen?: Verdict): Promise<Kept | undefined> {
  const { shell, owner, disk } = work
  const { sidecar, target } = disk
  await defineSourceAgain(shell, owner, target, now, sidecar)
  await redefineSavedImage(shell, owner, target, now, sidecar)
  if (await isGone(sidecar, owner.vmName, disk.mountPoint))
    return seen !== undefined || (await wasOver(work, now)) ? dropKey(shell, disk) : keepKeyOfLost(shell, disk)
  if (now.state !== undefined) await redefineSnapshots(shell, owner, target, sidecar)
  const verdict = await removeIfProven(shell, {
    path: sidecar,
    format: 'qcow2',
    made: shown("the job's plan names it, and its name the job"),
    content: async () =>
      (await mayBeNeeded(work, now)) ?? announced(work, seen ?? (await isCommitted(work, await look(work))))
  })
  if (verdict.kind === 'keep') return verdict
  return wasRemoved(verdict) ? dropKey(shell, disk) : keepKeyOfLost(shell, disk)
}

/** All that the overlay held was seen in its image while it was there. */
async function wasOver(work: OverlayCase, now: DiskNow): Promise<boolean> {
  return work.dropped || (await hasGoneOver(work, now)) || wasNotedToGoOver(work, now)
}

/** Definitions that do not name it any more last longer than the overlay does, and so does the word of its end. */
async function announced({ drop }: OverlayCase, verdict: Verdict): Promise<Verdict> {
  if (verdict.kind === 'keep') return verdict
  await syncDefinitions()
  await drop()
  return verdict
}
