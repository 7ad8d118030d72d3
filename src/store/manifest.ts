import { basename, dirname, join, resolve } from 'node:path'
import * as z from 'zod'
import { fail } from '../shared/failure.ts'
import { formatBytes } from '../shared/format.ts'
import { MANIFEST_VERSION, Manifest, sizeBytesOf } from '../shared/model/point.ts'
import { safeText, shorten } from '../shared/safe-text.ts'
import { isCode, openRegular, readExactly } from './file-io.ts'
import { MANIFEST_NAME } from './layout.ts'
import { whyNotPortable } from './portable-paths.ts'
import { parseStrictJson } from './strict-json.ts'

export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

/** The manifest of a point, checked in itself and against its place. `not-found` without one, `point-format` if it is not to be trusted. */
export async function readManifest(dir: string): Promise<Manifest> {
  return (await readManifestBytes(dir)).manifest
}

export async function readManifestBytes(dir: string): Promise<{ manifest: Manifest; bytes: Uint8Array }> {
  const point = basename(resolve(dir))
  const bytes = await bytesOf(join(dir, MANIFEST_NAME), point)
  const manifest = parseManifest(bytes, point)
  checkPlace(manifest, dir)
  return { manifest, bytes }
}

async function bytesOf(path: string, point: string): Promise<Uint8Array> {
  const file = await openRegular(path, (detail) => badFormat(point, `manifest: ${detail}`)).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error
    return fail({ kind: 'not-found', what: 'point', name: point, where: dirname(path) }, error)
  })
  try {
    const { size } = await file.stat()
    if (size > MAX_MANIFEST_BYTES) return badFormat(point, `its manifest is larger than ${MAX_MANIFEST_BYTES} bytes`)
    const bytes = new Uint8Array(size)
    await readExactly(file, bytes, 0, path)
    return bytes
  } finally {
    await file.close()
  }
}

/** From bytes that anyone may have written. */
export function parseManifest(bytes: Uint8Array, point: string): Manifest {
  if (bytes.byteLength > MAX_MANIFEST_BYTES)
    return badFormat(point, `its manifest is larger than ${MAX_MANIFEST_BYTES} bytes`)
  const data = dataOf(bytes, point)
  refuseOtherVersion(data, point)
  const manifest = Manifest.safeParse(data)
  if (!manifest.success) return badFormat(point, `its manifest does not fit: ${firstIssue(manifest.error)}`)
  checkFiles(manifest.data)
  return manifest.data
}

function dataOf(bytes: Uint8Array, point: string): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : String(error)
    return badFormat(point, `its manifest is not our JSON: ${safeText(shorten(why, 200))}`)
  }
}

const AnyVersion = z.looseObject({ format: z.literal('stillpoint-point'), version: z.number() })

function refuseOtherVersion(data: unknown, point: string): void {
  const any = AnyVersion.safeParse(data)
  if (!any.success || any.data.version === MANIFEST_VERSION) return
  const whose = any.data.version > MANIFEST_VERSION ? 'a newer Stillpoint wrote it' : 'no Stillpoint wrote that'
  badFormat(point, `its manifest has version ${any.data.version}, this Stillpoint reads ${MANIFEST_VERSION}: ${whose}`)
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  const where = issue?.path.map(String).join('.') ?? ''
  return safeText(shorten(`${where === '' ? '' : `${where}: `}${issue?.message ?? ''}`, 300))
}

/**
 * The most that all files of a point may have: twice the largest image that we write. A hole costs its maker nothing, and
 * whoever hashes it a second for every 2 GiB.
 */
export const MAX_POINT_BYTES = 2 ** 47

/** Those of a point's files that are read as a whole. */
const TEXT = /^((domain|running|memory)\.xml|host\.json|RESTORE(\.next)?\.md)$/
/** As much as is taken of an answer of virsh, which they are made from; libvirt itself sends no definition above 4 MiB. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024

/** Made and gone again when a manifest is written: a file of this name would be lost. */
const OF_THE_MANIFEST = [MANIFEST_NAME, `${MANIFEST_NAME}.new`]

/**
 * What no schema says: every file is listed once, none lies within another, what disks and memory name is listed, and all of
 * it can be kept, and read, on any computer.
 */
export function checkFiles(manifest: Manifest): void {
  const paths = new Set<string>()
  for (const { path, sizeBytes } of manifest.files) {
    if (OF_THE_MANIFEST.some((name) => path === name || path.startsWith(`${name}/`)))
      badFormat(manifest.id, `it lists ${path}`)
    if (sizeBytes > MAX_TEXT_BYTES && TEXT.test(path))
      badFormat(manifest.id, `it says that ${path} has ${formatBytes(sizeBytes)}, which no such text has`)
    if (paths.has(path)) badFormat(manifest.id, `it lists ${path} twice`)
    paths.add(path)
  }
  for (const path of paths)
    for (const parent of parentsOf(path)) if (paths.has(parent)) badFormat(manifest.id, `${path} lies within a file`)
  const why = whyNotPortable([...OF_THE_MANIFEST, ...paths])
  if (why !== undefined) badFormat(manifest.id, why)
  const bytes = sizeBytesOf(manifest)
  if (bytes > MAX_POINT_BYTES)
    badFormat(
      manifest.id,
      `it says that it has ${formatBytes(bytes)}; no point has more than ${formatBytes(MAX_POINT_BYTES)}`
    )
  for (const path of namedPaths(manifest))
    if (!paths.has(path)) badFormat(manifest.id, `it names ${path}, which it does not list`)
  const targets = manifest.disks.map((disk) => disk.target)
  if (new Set(targets).size < targets.length) badFormat(manifest.id, 'it has a disk twice')
  if (new Set(manifest.disks.map((disk) => disk.file)).size < targets.length)
    badFormat(manifest.id, 'two disks share a file')
}

/** `a/b` and `a` for `a/b/c`. */
export function parentsOf(path: string): string[] {
  const segments = path.split('/')
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'))
}

function namedPaths({ disks, memory, nvram, tpm, boot = [] }: Manifest): string[] {
  const others = [memory?.file, nvram?.file, ...(tpm?.files ?? []), ...boot.map(({ file }) => file)].filter(
    (path) => path !== undefined
  )
  return [...disks.map((disk) => disk.file), ...others]
}

/** A manifest counts only where it belongs: another VM's, or another point's, copied in is refused. */
export function checkPlace(manifest: Manifest, dir: string): void {
  const point = basename(resolve(dir))
  const vm = basename(dirname(resolve(dir)))
  if (manifest.id !== point) badFormat(point, `its manifest is that of point ${manifest.id}`)
  if (manifest.vm.uuid !== vm)
    badFormat(point, `its manifest is that of VM ${manifest.vm.uuid}, its place that of ${safeText(vm)}`)
}

export const badFormat = (point: string, detail: string): never => fail({ kind: 'point-format', point, detail })
