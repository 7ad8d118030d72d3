import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail, isFailure } from '../shared/failure.ts'
import { isCode } from './file-io.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

export interface Space {
  /** What others than root may still take. */
  readonly freeBytes: number
  readonly totalBytes: number
}

export async function spaceAt(path: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(path)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/** Small file systems keep this part of themselves where a whole GiB would leave nothing to work with. */
const SMALL_PART = 1 / 16
const LARGE_PART = 0.02
/** Two per cent of a store of 100 TB are no use to anybody. */
const MOST_OF_A_PART = 32 * GIB
const FORESIGHT_SECONDS = 2

/**
 * What of a file system is never written to, so that guests and everybody else go on when a job has to give way: 1 GiB,
 * or 2 % where that is more, or a sixteenth where that is less; and what is written in two seconds at the highest rate
 * that was seen, up to twice the 1 GiB. docs/decisions/0018
 */
export function reserveBytes(totalBytes: number, bytesPerSecond: number): number {
  const { least, most } = reserveRange(totalBytes)
  return Math.min(most, Math.max(least, FORESIGHT_SECONDS * bytesPerSecond))
}

/** What a job that has not begun must leave free: as much as `reserveBytes` can ever come to while it runs. */
export const reserveAtStart = (totalBytes: number): number => reserveRange(totalBytes).most

function reserveRange(totalBytes: number): { least: number; most: number } {
  const part = Math.min(totalBytes * LARGE_PART, MOST_OF_A_PART)
  const floor = (bytes: number): number => Math.max(part, Math.min(bytes, totalBytes * SMALL_PART))
  return { least: floor(GIB), most: floor(FORESIGHT_SECONDS * GIB) }
}

const SLOWEST_LOOK_MS = 500
const FASTEST_LOOK_MS = 50
/** Reckoned with before anything was seen: what a guest on a fast disk writes. */
const EXPECTED_RATE = 512 * MIB

/** Looks at one file system, and from look to look at how fast it fills. Knows no clock and no disk. */
export class SpaceWatch {
  private last: { readonly atMs: number; readonly freeBytes: number } | undefined
  private highestRate = 0

  /** Whether the reserve is touched, and when to look again: halfway to there at the latest. */
  look(atMs: number, { freeBytes, totalBytes }: Space): { isShort: boolean; reserve: number; lookInMs: number } {
    if (this.last !== undefined && atMs > this.last.atMs) {
      const rate = ((this.last.freeBytes - freeBytes) * 1000) / (atMs - this.last.atMs)
      this.highestRate = Math.max(this.highestRate, rate)
    }
    this.last = { atMs, freeBytes }
    const reserve = reserveBytes(totalBytes, this.highestRate)
    const halfwayMs = ((freeBytes - reserve) * 500) / Math.max(this.highestRate, EXPECTED_RATE)
    const lookInMs = Math.min(SLOWEST_LOOK_MS, Math.max(FASTEST_LOOK_MS, halfwayMs))
    return { isShort: freeBytes < reserve, reserve, lookInMs }
  }
}

/** A folder whose file system must not fill up, and what is being written there, in the operator's words. */
export interface WatchedFolder {
  readonly path: string
  /** What the failure calls it; else `path`. */
  readonly name?: string
  readonly forWhat: string
}

/**
 * Does `work` while each of these file systems keeps its reserve; otherwise aborts the signal that `work` was given.
 *
 * @throws `no-room` then, whatever `work` came to say of it, and also where it was the first to meet the full file system
 */
export async function whileSpaceLasts<T>(
  folders: readonly WatchedFolder[],
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const stop = new AbortController()
  const done = new AbortController()
  // Each for itself: a server that does not answer must not blind us to the others. Nobody waits for its answer either, and
  // one that comes when the work is over stops nobody.
  const tooLate = (): boolean => done.signal.aborted
  for (const folder of folders)
    watch(folder, done.signal).catch((error: unknown) => (tooLate() ? undefined : stop.abort(error)))
  try {
    return await work(signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]))
  } catch (error) {
    if (stop.signal.aborted) throw stop.signal.reason
    if (isCode(error, 'ENOSPC', 'EDQUOT')) await requireSpace(folders)
    throw error
  } finally {
    done.abort()
  }
}

const ANSWER_WITHIN_MS = 2000

/** What met a full file system may have been faster than the first look. @throws `no-room` if one of them is that short */
async function requireSpace(folders: readonly WatchedFolder[]): Promise<void> {
  const soon = (): Promise<void> => sleep(ANSWER_WITHIN_MS, undefined, { ref: false })
  const looks = folders.map((folder) => Promise.race([look(new SpaceWatch(), folder), soon()]))
  for (const look of await Promise.allSettled(looks))
    if (look.status === 'rejected' && isFailure(look.reason, 'no-room')) throw look.reason
}

async function watch(folder: WatchedFolder, done: AbortSignal): Promise<void> {
  const watch = new SpaceWatch()
  while (!done.aborted) {
    const lookInMs = await look(watch, folder)
    await sleep(lookInMs, undefined, { signal: done }).catch(() => undefined)
  }
}

/** Answers when to look again. @throws `no-room` if the reserve is touched */
async function look(watch: SpaceWatch, { path, name = path, forWhat }: WatchedFolder): Promise<number> {
  const space = await spaceAt(path)
  const { isShort, reserve, lookInMs } = watch.look(performance.now(), space)
  if (!isShort) return lookInMs
  return fail({ kind: 'no-room', path: name, forWhat, neededBytes: Math.ceil(reserve), freeBytes: space.freeBytes })
}
