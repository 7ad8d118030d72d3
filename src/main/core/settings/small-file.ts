import { randomBytes } from 'node:crypto'
import { createReadStream, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
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
export const readSmallFile = (path: string, largestBytes: number): string | undefined =>
  isReadable(path, largestBytes) ? readFileSync(path, 'utf8') : undefined

/** The same, for one of many MiB, of which nobody wants to wait for the end; nothing of one that is not there. */
export async function* streamOfSmallFile(path: string, largestBytes: number): AsyncGenerator<Uint8Array> {
  if (isReadable(path, largestBytes)) yield* createReadStream(path) as AsyncIterable<Uint8Array>
}

/** @throws UnreadableFile */
export function isReadable(path: string, largestBytes: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (found.isDirectory()) throw new UnreadableFile('it is a folder')
  if (!found.isFile()) throw new UnreadableFile('it is no file')
  if (found.size > largestBytes) throw new FarTooLarge('it is far larger than it should be')
  return true
}

/** Whole or not at all. @throws what writing fails with: the file is then as it was */
export function replaceFile(path: string, text: string | Uint8Array): void {
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

/**
 * The same, of lines that are made one by one, so that everything else goes on meanwhile. False: they are more than that many
 * bytes, and the file is as it was. @throws what writing fails with
 */
export async function replaceFileByLines(path: string, lines: Iterable<string>, mostBytes: number): Promise<boolean> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.${randomBytes(3).toString('hex')}.new`
  try {
    const isWhole = await writeLines(fresh, lines, mostBytes)
    if (isWhole) renameSync(fresh, path)
    return isWhole
  } finally {
    rmSync(fresh, { force: true })
  }
}

async function writeLines(path: string, lines: Iterable<string>, mostBytes: number): Promise<boolean> {
  const file = await open(path, 'wx', 0o600)
  try {
    let bytes = 0
    for (const line of lines) {
      bytes += Buffer.byteLength(line)
      if (bytes > mostBytes) return false
      await file.appendFile(line)
    }
    return true
  } finally {
    await file.close()
  }
}

/** Renames what cannot be understood, so that nothing is lost. Returns where it is now. @throws what renaming fails with */
export function putAside(path: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const aside = `${path}.broken-${stamp}-${randomBytes(2).toString('hex')}`
  renameSync(path, aside)
  return aside
}
