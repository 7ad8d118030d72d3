import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../shared/model/point.ts'
import { isCode, openRegular, readExactly } from './file-io.ts'
import { MANIFEST_NAME, OWNER_NAME } from './layout.ts'
import { parentsOf } from './manifest.ts'
import { QCOW2_HEADER_BYTES, parseQcow2Header, unsafeReasons } from '../shared/qcow2-header.ts'
import { isFailure } from '../shared/failure.ts'

export interface Problem {
  readonly file: string
  readonly detail: string
  /** Using the point might read or write something outside of it. Otherwise it is damaged. */
  readonly unsafe?: true
}

/**
 * Errors that say something of the very file: it is not there, is something else, or its disk has lost what was in it. Others
 * say that a store or this computer does not serve just now, and nothing of what it holds.
 */
export const OF_THE_FILE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EIO', 'EBADMSG', 'EUCLEAN'] as const

/** Files that the manifest lists and that are not as it says: missing, of another size, not plain files, behind a symlink. */
export async function sizeProblems(dir: string, manifest: Manifest): Promise<Problem[]> {
  const folders = new Map<string, Problem | undefined>()
  const problems: Problem[] = []
  for (const file of manifest.files) {
    const problem =
      (await folderProblem(dir, file.path, folders)) ?? (await fileProblem(dir, file.path, file.sizeBytes))
    if (problem) problems.push(problem)
  }
  return problems
}

async function folderProblem(
  dir: string,
  path: string,
  known: Map<string, Problem | undefined>
): Promise<Problem | undefined> {
  for (const folder of parentsOf(path)) {
    if (!known.has(folder)) {
      const stats = await lstatOrNone(join(dir, folder))
      const bad = stats !== undefined && !stats.isDirectory()
      known.set(folder, bad ? { file: folder, detail: 'it is not a directory', unsafe: true } : undefined)
    }
    const problem = known.get(folder)
    if (problem) return { ...problem, file: path, detail: `${folder} is not a directory` }
  }
  return undefined
}

async function fileProblem(dir: string, path: string, sizeBytes: number): Promise<Problem | undefined> {
  const stats = await lstatOrNone(join(dir, path))
  if (stats === undefined) return { file: path, detail: 'it is missing' }
  if (!stats.isFile()) return { file: path, detail: 'it is not a regular file', unsafe: true }
  if (stats.size === sizeBytes) return undefined
  return { file: path, detail: `it has ${stats.size} bytes instead of ${sizeBytes}` }
}

export async function lstatOrNone(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Firmware variables: OVMF's are 528 KiB, the largest known 64 MiB (arm64). */
const MAX_NVRAM_BYTES = 64 * 1024 * 1024

/** Images whose header says that they are not what the manifest takes them for, and firmware of an impossible size. */
export async function headerProblems(dir: string, manifest: Manifest): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const disk of manifest.disks) problems.push(...(await diskProblems(dir, disk.file, disk.virtualSizeBytes)))
  const nvram = manifest.files.find((file) => file.path === manifest.nvram?.file)
  if (nvram && (nvram.sizeBytes === 0 || nvram.sizeBytes > MAX_NVRAM_BYTES))
    problems.push({ file: nvram.path, detail: `firmware variables of ${nvram.sizeBytes} bytes` })
  return problems
}

async function diskProblems(dir: string, path: string, virtualSizeBytes: number): Promise<Problem[]> {
  try {
    const header = parseQcow2Header(await firstBytes(join(dir, path)))
    if (header === undefined) return [{ file: path, detail: 'it is no qcow2 image', unsafe: true }]
    const unsafe = unsafeReasons(header).map((detail) => ({ file: path, detail, unsafe: true as const }))
    if (header.virtualSizeBytes === virtualSizeBytes) return unsafe
    return [
      ...unsafe,
      { file: path, detail: `a disk of ${header.virtualSizeBytes} bytes instead of ${virtualSizeBytes}` }
    ]
  } catch (error) {
    if (isFailure(error, 'bad-output')) return [{ file: path, detail: error.failure.detail, unsafe: true }]
    if (isCode(error, ...OF_THE_FILE)) return [{ file: path, detail: String(error) }]
    throw error
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await openRegular(path, (detail) => {
    throw Object.assign(new Error(detail), { code: 'ELOOP' })
  })
  try {
    const bytes = new Uint8Array(Math.min(QCOW2_HEADER_BYTES, (await file.stat()).size))
    await readExactly(file, bytes, 0, path)
    return bytes
  } finally {
    await file.close()
  }
}

/** Deeper than any listed path. */
const MAX_DEPTH = 8

/** Everything in a point's directory that its manifest does not list, folders of listed files aside. */
export async function unlistedFiles(dir: string, manifest: Manifest): Promise<string[]> {
  const listed = new Set([
    MANIFEST_NAME,
    OWNER_NAME,
    ...manifest.files.flatMap((file) => [file.path, ...parentsOf(file.path)])
  ])
  const found: string[] = []
  for await (const path of entriesOf(dir)) if (!listed.has(path)) found.push(path)
  return found.sort()
}

/** All paths below, folders before what is in them. Does not follow symlinks. */
export async function* entriesOf(dir: string, below = '', depth = 0): AsyncGenerator<string> {
  for (const entry of await readdir(join(dir, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    yield path
    if (entry.isDirectory() && depth < MAX_DEPTH) yield* entriesOf(dir, path, depth + 1)
  }
}
