import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh, virshBatch } from './virsh.ts'
import { attribute, childAt, childrenOf, parseXml } from './xml.ts'
import { wholeNumber } from './numbers.ts'

export type BlockJobKind = 'pull' | 'copy' | 'commit' | 'active-commit' | 'backup' | 'unknown'

export interface BlockJob {
  readonly kind: BlockJobKind
  readonly doneBytes: number
  readonly totalBytes: number
  /** Limit; 0 for none. */
  readonly bytesPerSecond: number
  /** A copy or active commit mirrors every write from now on, and can be pivoted to. */
  readonly ready: boolean
}

const KINDS: ReadonlyMap<string, BlockJobKind> = new Map([
  ['Block Pull', 'pull'],
  ['Block Copy', 'copy'],
  ['Block Commit', 'commit'],
  ['Active Block Commit', 'active-commit'],
  ['Backup', 'backup']
])

/** The job on this disk, or undefined if there is none. @throws `command-failed` also if the domain does not run */
export async function blockJobInfo(shell: Shell, uuid: Uuid, target: string): Promise<BlockJob | undefined> {
  const ask = ['blockjob', uuid, target, '--info', '--raw', '--bytes'] as const
  const [job, xml] = await virshBatch(shell, [ask, ['dumpxml', uuid]])
  if (job === undefined || xml === undefined || job.failed || xml.failed)
    return fail({ kind: 'command-failed', command: ask.join(' '), exitCode: 1, stderr: job?.stderr ?? '' })
  return parseBlockJob(job.stdout, () => isMirrorReady(xml.stdout, target))
}

/** `isReady` is asked only for jobs that end in a pivot. */
export function parseBlockJob(text: string, isReady: () => boolean): BlockJob | undefined {
  if (text.trim() === '') return undefined
  const type = /^ type=(.*)$/m.exec(text)?.[1]
  const number = (name: string): number | undefined =>
    wholeNumber(new RegExp(`^ ${name}=(\\d+)$`, 'm').exec(text)?.[1], undefined)
  const [doneBytes, totalBytes] = [number('cur'), number('end')]
  if (type === undefined || doneBytes === undefined || totalBytes === undefined)
    return fail({ kind: 'bad-output', what: 'virsh blockjob', detail: text.slice(0, 200) })
  const kind = KINDS.get(type) ?? 'unknown'
  const ready = (kind === 'copy' || kind === 'active-commit') && isReady()
  return { kind, doneBytes, totalBytes, bytesPerSecond: number('bandwidth') ?? 0, ready }
}

/** libvirt pivots only when it has itself taken note that QEMU is ready, which may be later than 100 %. */
export function isMirrorReady(domainXml: string, target: string): boolean {
  const root = parseXml(domainXml, 'domain XML').documentElement ?? undefined
  const disks = childrenOf(childAt(root, 'devices'), 'disk')
  const disk = disks.find((each) => attribute(childAt(each, 'target'), 'dev') === target)
  return attribute(childAt(disk, 'mirror'), 'ready') === 'yes'
}

/**
 * Begins to fold this overlay, which the VM writes to, into the image right below it. Goes on until it is pivoted or aborted.
 *
 * @throws `command-failed` where the VM writes to another image by now: without a name libvirt would fold that
 */
export async function blockCommitActive(shell: Shell, uuid: Uuid, target: string, overlay: string): Promise<void> {
  await virsh(shell, ['blockcommit', uuid, target, '--active', '--shallow', '--top', overlay])
}

/** Folds one image of a running VM's chain, which another has as its base, into the one below. Returns when it is over. */
export async function blockCommitInner(
  shell: Shell,
  uuid: Uuid,
  target: string,
  images: { readonly top: string; readonly base: string }
): Promise<void> {
  await virsh(shell, ['blockcommit', uuid, target, '--top', images.top, '--base', images.base, '--wait'], {
    timeoutMs: Infinity
  })
}

export interface BlockCopyRequest {
  /** Must not exist. */
  readonly destination: string
  readonly format: 'qcow2' | 'raw'
  /** Megabytes per second. */
  readonly limitMiBps?: number
}

/** Begins to mirror a disk into one file that needs no other. Goes on until it is pivoted or aborted. */
export async function blockCopy(shell: Shell, uuid: Uuid, target: string, request: BlockCopyRequest): Promise<void> {
  const { destination, format, limitMiBps } = request
  await virsh(shell, [
    'blockcopy',
    uuid,
    target,
    '--dest',
    destination,
    '--format',
    format,
    // Without it libvirt refuses to copy a disk of a persistent domain: the mirror would be lost if the VM is shut off.
    '--transient-job',
    ...(limitMiBps === undefined ? [] : ['--bandwidth', String(limitMiBps)])
  ])
}

/**
 * Ends the job, and returns when it is over: the VM stays on the image it has, or with `pivot` goes over to the new
 * one, for which the job must be ready.
 */
export async function blockJobAbort(
  shell: Shell,
  uuid: Uuid,
  target: string,
  options: { readonly pivot?: boolean } = {}
): Promise<void> {
  await virsh(shell, ['blockjob', uuid, target, options.pivot === true ? '--pivot' : '--abort'], {
    timeoutMs: 120_000
  })
}

export interface BlockJobWait {
  readonly onProgress?: (job: BlockJob) => void
  readonly signal?: AbortSignal
}

const FIRST_LOOK_MS = 10
/** Each look is a virsh of its own. */
const LONGEST_LOOK_MS = 500

/**
 * Waits until the job is ready to pivot, looking less and less often: it may take hours. Answers `gone` if it ended before:
 * finished, failed or aborted by others, who may have begun one of another kind since.
 */
export async function blockJobReady(
  shell: Shell,
  uuid: Uuid,
  target: string,
  kind: 'copy' | 'active-commit',
  wait: BlockJobWait = {}
): Promise<'ready' | 'gone'> {
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
    const job = await blockJobInfo(shell, uuid, target)
    if (job?.kind !== kind) return 'gone'
    wait.onProgress?.(job)
    if (job.ready) return 'ready'
    if (wait.signal?.aborted === true) return fail({ kind: 'cancelled', what: `block job on ${target}` })
    await sleep(waitMs)
  }
}
