import { rename, rm } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Shell } from '../../shared/shell.ts'
import { isLocked } from '../../libvirt/qemu-img.ts'
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

/** Removes the file if that is proven to lose nothing. One that is gone already is no error. */
export async function removeIfProven(shell: Shell, doomed: Doomed): Promise<Verdict> {
  if (!(await isThere(doomed.path))) return removable('it is gone already')
  const verdict = await judge(shell, doomed)
  if (verdict.kind === 'remove') await rm(doomed.path, { recursive: true, force: true })
  return verdict
}

/** Renames the file if nobody else needs it where it is. One that has gone there already is no error. */
export async function renameIfProven(shell: Shell, doomed: Doomed, to: string): Promise<Verdict> {
  if (!(await isThere(doomed.path))) return removable('it is gone from there already')
  if (await isThere(to)) return keep(doomed.path, `${to} is there already`)
  const verdict = await judge(shell, doomed)
  if (verdict.kind === 'remove') await rename(doomed.path, to)
  return verdict
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
