import { link, lstat, rename, rm, unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Shell } from '../../shared/shell.ts'
import { isLocked } from '../../libvirt/qemu-img.ts'
import { quoted } from '../../shared/quoted.ts'
import { isCode } from '../../store/file-io.ts'
import { lstatOrNone } from '../../store/point-files.ts'
import { identityOf, isStill, type FileIdentity } from './file-identity.ts'
import { imageUsers, openersOf, usersOf, type ImageUser, type Opener } from './image-users.ts'
import { isThere } from './presence.ts'
import { keep, removable, type Kept, type Removable, type Verdict } from './verdict.ts'

/** A file or folder that may hold a guest's only copy of something, and that our code would take away. */
export interface Doomed {
  readonly path: string
  /** For an image: its format, so that QEMU's lock on it can be asked. */
  readonly format?: 'qcow2' | 'raw'
  /** The VM that may go on naming it, since it makes way for another. */
  readonly exceptVm?: string
  /** Shows that this very job of this very host made it (or may move it): the journal, a name, an inode. */
  readonly made: () => Promise<Verdict>
  /** Shows that what it holds is elsewhere. */
  readonly content: () => Promise<Verdict>
}

/**
 * The one place where it is decided whether a file of a guest may be removed or renamed away: only if it is ours, what it
 * holds is proven to be elsewhere, no VM of this host names it, and nobody has it open. What cannot be shown keeps it.
 */
export async function judge(shell: Shell, doomed: Doomed): Promise<Verdict> {
  const proof: string[] = []
  for (const show of [doomed.made, () => unnamed(shell, doomed), () => unopened(shell, doomed), doomed.content]) {
    const verdict = await show()
    if (verdict.kind === 'keep') return verdict
    proof.push(...verdict.proof)
  }
  return removable(...proof)
}

const GONE_ALREADY = removable('it is gone already')
/** By this very call. Who has taken away what was gone already, and where to, nobody knows. */
export const wasRemoved = (verdict: Verdict): boolean => verdict.kind === 'remove' && verdict !== GONE_ALREADY

/** Removes the file if that is proven to lose nothing. One that is gone already is no error. */
export async function removeIfProven(shell: Shell, doomed: Doomed): Promise<Verdict> {
  if (!(await isThere(doomed.path))) return GONE_ALREADY
  const verdict = await judge(shell, doomed)
  if (verdict.kind === 'remove') await rm(doomed.path, { recursive: true, force: true })
  return verdict
}

/**
 * Renames the file if nobody else needs it where it is. One that has gone there already is no error. Nothing is ever put over
 * what has that name by then, and what has taken the file's place is left alone: a judgement takes seconds, and another host
 * may write to the same folder.
 */
export async function renameIfProven(shell: Shell, doomed: Doomed, to: string): Promise<Verdict> {
  const { path } = doomed
  if (!(await isThere(path))) return removable('it is gone from there already')
  if ((await isThere(to)) && !(await hasBothNames(path, to))) return isTaken(path, to)
  const judged = await identityOf(path)
  const verdict = await judge(shell, doomed)
  if (verdict.kind === 'keep') return verdict
  if (!(await isStill(path, judged))) return keep(path, 'it was replaced while it was looked at')
  return (await moveTo(path, to, judged)) ?? verdict
}

async function isTaken(path: string, to: string): Promise<Kept> {
  const [a, b] = await Promise.all([path, to].map(lstatOrNone))
  const mayBeOne = a?.isFile() === true && a.size === b?.size && a.mtimeMs === b.mtimeMs
  if (!mayBeOne) return keep(path, `${to} is there already`)
  return keep(
    path,
    `${to} is there already, and may be one file with it: a renaming may have been cut short between two names`,
    `cmp ${quoted(path)} ${quoted(to)} && rm ${quoted(path)}   # if no VM runs on it`
  )
}

/** An earlier pass was cut short between the new name and the end of the old one. */
async function hasBothNames(from: string, to: string): Promise<boolean> {
  const [a, b] = await Promise.all([from, to].map((path) => lstat(path, { bigint: true })))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino && a.nlink > 1n
}

/**
 * A file gets its new name as a second one, which fails where a renaming would replace; and loses the old one only if that is
 * its own still. Answers why something stayed.
 */
async function moveTo(from: string, to: string, judged: FileIdentity | undefined): Promise<Kept | undefined> {
  if ((await lstat(from)).isDirectory()) return renameFolder(from, to)
  try {
    await link(from, to)
  } catch (error) {
    if (isCode(error, ...NO_SECOND_NAME)) return renameUnlessThere(from, to)
    if (!isCode(error, 'EEXIST')) throw error
    if (!(await hasBothNames(from, to))) return isTaken(from, to)
  }
  if (!(await isStill(to, judged))) return takeBack(from, to)
  if (!(await isStill(from, judged)))
    return keep(from, `what was here is ${to} now, and somebody has put another in its place`)
  await unlink(from)
  return undefined
}

/** It was another that got the name, in the very moment. */
async function takeBack(from: string, to: string): Promise<Kept> {
  if (await hasBothNames(from, to)) await unlink(to)
  return keep(from, 'it was replaced while it was looked at')
}

/** A folder is never renamed onto one that holds something, nor onto a file. */
async function renameFolder(from: string, to: string): Promise<Kept | undefined> {
  try {
    await rename(from, to)
    return undefined
  } catch (error) {
    if (isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return isTaken(from, to)
    throw error
  }
}

/** Of file systems whose files have one name only, such as vfat and some of cifs. */
const NO_SECOND_NAME = ['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EINVAL']

async function renameUnlessThere(from: string, to: string): Promise<Kept | undefined> {
  if (await isThere(to)) return isTaken(from, to)
  await rename(from, to)
  return undefined
}

/** Shown elsewhere, for instance by how the caller came by it. */
export const shown =
  (...proof: string[]): (() => Promise<Removable>) =>
  () =>
    Promise.resolve(removable(...proof))

async function unnamed(shell: Shell, { path, exceptVm }: Doomed): Promise<Verdict> {
  const [user] = await usersOf(await imageUsers(shell), path, exceptVm)
  return user === undefined ? removable('no VM of this host names it') : namedBy(path, user)
}

const namedBy = (path: string, { vm, by }: ImageUser): Kept => keep(path, `VM ${vm} needs it (${by})`)

const CLOSED_WITHIN_MS = 5000

/** A QEMU that has just gone over to another image may take a moment to close this one. */
async function unopened(shell: Shell, doomed: Doomed): Promise<Verdict> {
  const began = performance.now()
  for (;;) {
    const verdict = await unopenedNow(shell, doomed)
    if (verdict.kind === 'remove' || performance.now() - began > CLOSED_WITHIN_MS) return verdict
    await sleep(200)
  }
}

async function unopenedNow(shell: Shell, { path, format }: Doomed): Promise<Verdict> {
  const [opener] = await openersOf(path)
  if (opener !== undefined) return openedBy(path, opener)
  if (format !== undefined && (await isLocked(shell, path, format)) === true)
    return keep(path, 'somebody has it open for writing, perhaps on another host')
  return removable('nobody has it open')
}

const openedBy = (path: string, { program, pid }: Opener): Kept => keep(path, `${program} (process ${pid}) has it open`)
