import { createHash } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Argv, Shell } from '../shared/shell.ts'
import type { OnBytes } from './cancel.ts'
import { hashFile } from './copy-file.ts'
import { keepToRoot } from './durable.ts'
import { createFile, failForRoom, makeFile, openWriter, readExactly } from './file-io.ts'
import { mapImage, runQemuImg, type ImageMap, type ImageSource } from './image-map.ts'
import { pipeBlocks, type Block } from './pipeline.ts'
import { CLUSTER_BYTES, dataOf, layOut, tablesOf, type DataBlock, type Qcow2Layout } from './qcow2-layout.ts'

export interface CopyImage {
  /** Of the machine we run on: files are read and written directly. */
  readonly shell: Shell
  /** Must not change meanwhile; may be open in a running QEMU. */
  readonly source: ImageSource
  /** Must not exist yet. Taken away again if the copy fails. */
  readonly target: string
  readonly onProgress?: OnBytes | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CopiedImage {
  readonly sizeBytes: number
  readonly sha256: string
  readonly virtualSizeBytes: number
  /** Data of the guest that the copy holds, in whole clusters of 64 KiB. */
  readonly dataBytes: number
}

/**
 * Copies an image with all of its backing chain into a qcow2 that stands alone, is on disk when this ends, and hashes it on
 * the way. Data is read from the files themselves where `qemu-img map` says it lies; images for which it cannot say are
 * converted by `qemu-img` and hashed afterwards. docs: qcow2-layout.ts for the file's order.
 */
export async function copyImage(copy: CopyImage): Promise<CopiedImage> {
  const map = await mapImage(copy.shell, copy.source, copy.signal)
  return map.extents === undefined ? convertThenHash(copy, map.virtualSizeBytes) : copyMapped(copy, map)
}

async function copyMapped({ target, onProgress, signal }: CopyImage, map: ImageMap): Promise<CopiedImage> {
  const layout = layOut(map.virtualSizeBytes, map.extents)
  const sizeBytes = layout.clusters * CLUSTER_BYTES
  const dataBytes = layout.dataClusters * CLUSTER_BYTES
  const files = await openAll(map.layers)
  try {
    const sha256 = await makeFile(target, async (file) => {
      await file.truncate(sizeBytes) // what is not written below is zero
      return stream(file, blocksOf(layout, map, files), {
        target,
        dataBytes,
        tableBytes: sizeBytes - dataBytes,
        onProgress,
        signal
      })
    }).catch((error: unknown) => failForRoom(error, target, 'a copy of a disk', sizeBytes))
    return { sizeBytes, sha256, virtualSizeBytes: map.virtualSizeBytes, dataBytes }
  } finally {
    await Promise.all(files.map((file) => file.close()))
  }
}

interface Streaming {
  readonly target: string
  readonly dataBytes: number
  readonly tableBytes: number
  readonly onProgress: OnBytes | undefined
  readonly signal: AbortSignal | undefined
}

async function stream(file: FileHandle, blocks: Iterable<Block>, streaming: Streaming): Promise<string> {
  const { target, dataBytes, tableBytes, onProgress, signal } = streaming
  const hash = createHash('sha256')
  let done = -tableBytes
  const take = (bytes: Uint8Array): void => {
    hash.update(bytes)
    done += bytes.byteLength
    if (done >= 0) onProgress?.(done, dataBytes)
  }
  const writer = await openWriter(target, file)
  try {
    await pipeBlocks(blocks, { write: writer.write, take }, signal)
    return hash.digest('hex')
  } finally {
    await writer.close()
  }
}

function* blocksOf(layout: Qcow2Layout, map: ImageMap, files: readonly FileHandle[]): Generator<Block> {
  let offset = 0
  for (const table of tablesOf(layout, map.extents)) {
    yield { offset, length: table.byteLength, fill: (buffer) => buffer.set(table) }
    offset += table.byteLength
  }
  for (const block of dataOf(map.extents)) {
    yield { offset, length: block.length, fill: (buffer) => readParts(block, map, files, buffer) }
    offset += block.length
  }
}

async function readParts(
  block: DataBlock,
  map: ImageMap,
  files: readonly FileHandle[],
  buffer: Uint8Array
): Promise<void> {
  const given = block.parts.reduce((sum, part) => sum + part.length, 0)
  if (given < block.length) buffer.fill(0)
  await Promise.all(
    block.parts.map(({ layer, offset, at, length }) => {
      const file = files[layer]
      if (file === undefined) throw new Error(`extent in layer ${layer} of ${files.length}`)
      return readExactly(file, buffer.subarray(at, at + length), offset, map.layers[layer] ?? '')
    })
  )
}

async function openAll(paths: readonly string[]): Promise<FileHandle[]> {
  const opened = await Promise.allSettled(paths.map((path) => open(path, 'r')))
  const files = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const refused = opened.find((result) => result.status === 'rejected')
  if (refused === undefined) return files
  await Promise.all(files.map((file) => file.close()))
  throw refused.reason
}

/** Reads everything twice, but opens whatever QEMU can. */
async function convertThenHash(copy: CopyImage, virtualSizeBytes: number): Promise<CopiedImage> {
  const { shell, target, onProgress, signal } = copy
  await (await createFile(target)).close() // refuses what is there already, and settles who may read it
  try {
    await convert(copy, virtualSizeBytes)
    const hashed = await hashFile(target, { signal })
    await syncFile(target)
    const dataBytes = await dataBytesOf(shell, target, signal)
    onProgress?.(virtualSizeBytes, virtualSizeBytes)
    return { ...hashed, virtualSizeBytes, dataBytes }
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
}

/** Tells progress in bytes of the guest's disk, as QEMU only says how many per cent of it are done. */
async function convert({ shell, source, target, onProgress, signal }: CopyImage, totalBytes: number): Promise<void> {
  const formats = ['-f', source.format, '-O', 'qcow2']
  const argv: Argv = ['qemu-img', 'convert', '-p', '-U', '-W', ...formats, source.path, resolve(target)]
  const decoder = new TextDecoder()
  const onStdout = (chunk: Uint8Array): void => {
    const percent = /\(([\d.]+)\/100%\)\s*$/.exec(decoder.decode(chunk))?.[1]
    if (percent !== undefined) onProgress?.(Math.round((Number(percent) / 100) * totalBytes), totalBytes)
  }
  await runQemuImg(shell, argv, { signal, timeoutMs: Infinity, onStdout })
  await keepToRoot(target)
}

async function dataBytesOf(shell: Shell, target: string, signal: AbortSignal | undefined): Promise<number> {
  const { virtualSizeBytes, extents } = await mapImage(shell, { path: resolve(target), format: 'qcow2' }, signal)
  return extents === undefined ? virtualSizeBytes : layOut(virtualSizeBytes, extents).dataClusters * CLUSTER_BYTES
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}
