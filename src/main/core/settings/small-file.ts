import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats
} from 'node:fs'
import { dirname } from 'node:path'
import { systemCodeOf } from '../../../shared/failure.ts'
import { isTooDeep } from '../../../shared/json-depth.ts'

/** Why a file is not read, in words for the operator. */
export class UnreadableFile extends Error {
  readonly code: string = 'EINVAL'
}

/** It is a file, and more than anybody would want to read. */
export class FarTooLarge extends UnreadableFile {}

/** How files of ours are opened: what somebody has put there is a pipe maybe, and would wait for its other end. */
export const TO_READ = constants.O_RDONLY | constants.O_NONBLOCK
export const TO_ADD = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

/**
 * A file of ours, whole. Undefined: there is none. What is no file is not opened (a device may take that for an order, and
 * a pipe would wait for its other end), and what is far larger than it should be is not read.
 * @throws UnreadableFile, or what reading fails with
 */
export function readSmallFile(path: string, largestBytes: number): string | undefined {
  const file = openSmallFile(path, largestBytes)
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** @throws UnreadableFile */
export function isReadable(path: string, largestBytes: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined) refuseUnreadable(found, largestBytes)
  return found !== undefined
}

/** Undefined: there is none. */
function openSmallFile(path: string, largestBytes: number): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  refuseUnreadable(found, largestBytes)
  const file = openSync(path, TO_READ)
  try {
    refuseUnreadable(fstatSync(file), largestBytes)
    return file
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function refuseUnreadable(found: Stats, largestBytes: number): void {
  if (found.isDirectory()) throw new UnreadableFile('it is a folder')
  if (!found.isFile()) throw new UnreadableFile('it is no file')
  if (found.size > largestBytes) throw new FarTooLarge('it is far larger than it should be')
}

/** What a file of ours says. Undefined: it is no JSON, or nested so deeply that whoever walks through it comes to no end. */
export function parsedJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isTooDeep(value) ? undefined : value
  } catch {
    return undefined
  }
}

/** Whole or not at all; with `flush` it outlives a power cut. @throws what writing fails with: the file is then as it was */
export function replaceFile(path: string, text: string | Uint8Array, { flush = false } = {}): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    writeFileSync(fresh, text, { mode: 0o600, flag: 'wx', flush })
    renameSync(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** Renames what cannot be understood, so that nothing is lost. Returns where it is now. @throws what renaming fails with */
export function putAside(path: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const aside = `${path}.broken-${stamp}-${randomBytes(6).toString('hex')}`
  renameSync(path, aside)
  return aside
}

/**
 * Makes room for a file that is only written to: a folder, a pipe or a device in its place makes way. Returns where that is now.
 * @throws what renaming fails with
 */
export const putAsideUnlessFile = (path: string): string | undefined => (isInTheWay(path) ? putAside(path) : undefined)

function isInTheWay(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === false
  } catch (error) {
    if (systemCodeOf(error) === 'ELOOP') return true
    throw error
  }
}
