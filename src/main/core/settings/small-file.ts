import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Why a file is not read, in words for the operator. */
export class UnreadableFile extends Error {
  readonly code: string = 'EINVAL'
}

/** It is a file, and more than anybody would want to read. */
export class FarTooLarge extends UnreadableFile {}

/**
 * A file of ours, whole. Undefined: there is none. What is no file is not opened (a pipe would wait for its other end), and
 * what is far larger than it should be is not read.
 * @throws UnreadableFile, or what reading fails with
 */
export function readSmallFile(path: string, largestBytes: number): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (found.isDirectory()) throw new UnreadableFile('it is a folder')
  if (!found.isFile()) throw new UnreadableFile('it is no file')
  if (found.size > largestBytes) throw new FarTooLarge('it is far larger than it should be')
  return readFileSync(path, 'utf8')
}

/** Whole or not at all. @throws what writing fails with: the file is then as it was */
export function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.${randomBytes(3).toString('hex')}.new`
  try {
    writeFileSync(fresh, text, { mode: 0o600 })
    renameSync(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** Renames what cannot be understood, so that nothing is lost. Returns where it is now. @throws what renaming fails with */
export function putAside(path: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const aside = `${path}.broken-${stamp}-${randomBytes(2).toString('hex')}`
  renameSync(path, aside)
  return aside
}
