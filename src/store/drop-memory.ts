import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest, PointFile } from '../shared/model/point.ts'
import { nothingBetween, type Between } from './between.ts'
import { removeFile, syncDir, writeDurably } from './durable.ts'
import { MANIFEST_NAME } from './layout.ts'
import { checkPlace, parseManifest } from './manifest.ts'
import { lstatOrNone } from './point-files.ts'
import { readPoint } from './point-store.ts'

const GUIDE = 'RESTORE.md'
/** The guide as it will be, under a name of its own for as long as the manifest still lists the old one. */
const NEXT_GUIDE = 'RESTORE.next.md'
const MEMORY_FILES: readonly string[] = ['memory.save', 'memory.xml']
/** What is removed once no manifest lists it. */
const LEAVINGS = [...MEMORY_FILES, NEXT_GUIDE, `${NEXT_GUIDE}.new`, `${GUIDE}.new`, `${MANIFEST_NAME}.new`]

export type GuideOf = (manifest: Omit<Manifest, 'files'>) => string

/** Bytes of RAM and what belongs to it. Undefined: the point holds none. */
export function memoryBytesOf(manifest: Manifest): number | undefined {
  if (manifest.memory === undefined) return undefined
  return manifest.files.reduce((sum, file) => sum + (isMemory(manifest, file) ? file.sizeBytes : 0), 0)
}

const isMemory = ({ memory }: Manifest, { path }: PointFile): boolean =>
  path === memory?.file || MEMORY_FILES.includes(path)

/**
 * Makes a point one of disks only, with a `RESTORE.md` that says so. A good point at every instant: the manifest changes over
 * to a new guide under another name, then to the same guide under its own, and only what it no longer lists is removed. Does
 * it again from where a kill left it. Returns the bytes that became free.
 *
 * @throws what the file system says, for instance of a full one; the point is then good, with or without its RAM
 */
export async function dropMemory(dir: string, guideOf: GuideOf, between: Between = nothingBetween): Promise<number> {
  const manifest = await readPoint(dir)
  if (manifest.memory !== undefined) await changeOver(dir, manifest, guideOf, between)
  await renameGuide(dir, between)
  return removeLeavings(dir, between)
}

/** True of a point whose RAM was being dropped when the engine died. */
export async function isHalfDropped(dir: string, manifest: Manifest): Promise<boolean> {
  if (manifest.memory !== undefined) return false
  const stats = await Promise.all([...MEMORY_FILES, NEXT_GUIDE].map((name) => lstatOrNone(join(dir, name))))
  return stats.some((each) => each !== undefined)
}

async function changeOver(dir: string, manifest: Manifest, guideOf: GuideOf, between: Between): Promise<void> {
  const { memory: _memory, files, ...head } = manifest
  const guide = new TextEncoder().encode(guideOf(head))
  await writeDurably(join(dir, NEXT_GUIDE), guide)
  await between('drop.guide')
  const kept = files.filter((file) => !isMemory(manifest, file) && file.path !== GUIDE)
  await writeManifest(dir, { ...head, files: [...kept, fileOf(NEXT_GUIDE, guide)] })
  await between('drop.manifest')
}

async function renameGuide(dir: string, between: Between): Promise<void> {
  const manifest = await readPoint(dir)
  if (!manifest.files.some(({ path }) => path === NEXT_GUIDE)) return
  const guide = await readFile(join(dir, NEXT_GUIDE))
  await writeDurably(join(dir, GUIDE), guide)
  await between('drop.guide-again')
  const kept = manifest.files.filter(({ path }) => path !== NEXT_GUIDE)
  await writeManifest(dir, { ...manifest, files: [...kept, fileOf(GUIDE, guide)] })
  await between('drop.manifest-again')
}

async function removeLeavings(dir: string, between: Between): Promise<number> {
  const listed = new Set((await readPoint(dir)).files.map(({ path }) => path))
  let freedBytes = 0
  for (const name of LEAVINGS) {
    if (listed.has(name) || (await lstatOrNone(join(dir, name)))?.isFile() !== true) continue
    freedBytes += await removeFile(join(dir, name))
    await between('drop.removed')
  }
  await syncDir(dir)
  return freedBytes
}

async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`)
  checkPlace(parseManifest(bytes, manifest.id), dir)
  await writeDurably(join(dir, MANIFEST_NAME), bytes)
}

const fileOf = (path: string, bytes: Uint8Array): PointFile => ({
  path,
  sizeBytes: bytes.byteLength,
  sha256: createHash('sha256').update(bytes).digest('hex')
})
