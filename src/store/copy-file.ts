import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { fail } from '../shared/failure.ts'
import type { OnBytes } from './cancel.ts'
import { failForRoom, makeFile, openRegular, readExactly, writeSparse } from './file-io.ts'
import { BLOCK_BYTES, pipeBlocks, type Block, type Sink } from './pipeline.ts'

/**
 * Hashing happens in the thread that starts reads and writes, while libuv's threads do them. A worker for the hash was
 * measured: it is no faster (the hash itself, 1.9 GB/s with SHA instructions, is what takes longest) and costs 16 MB.
 */

export interface HashedFile {
  readonly sizeBytes: number
  readonly sha256: string
}

export interface FileOptions {
  readonly onProgress?: OnBytes | undefined
  readonly signal?: AbortSignal | undefined
}

/** Size and SHA-256 of a regular file. */
export async function hashFile(path: string, options: FileOptions = {}): Promise<HashedFile> {
  const file = await openRegular(path, (detail) => notRegular(path, detail))
  try {
    return await passThrough(file, path, undefined, options)
  } finally {
    await file.close()
  }
}

/** Copies a regular file, leaving out what is zero. The copy is new, root's only, and on disk when this ends. */
export async function copyFile(source: string, target: string, options: FileOptions = {}): Promise<HashedFile> {
  const from = await openRegular(source, (detail) => notRegular(source, detail))
  try {
    const { size } = await from.stat()
    return await makeFile(target, async (to) => {
      const hashed = await passThrough(from, source, (bytes, offset) => writeSparse(to, bytes, offset), options)
      await to.truncate(hashed.sizeBytes)
      return hashed
    }).catch((error: unknown) => failForRoom(error, target, 'the copy of a file', size))
  } finally {
    await from.close()
  }
}

async function passThrough(
  file: FileHandle,
  path: string,
  write: Sink['write'],
  { onProgress, signal }: FileOptions
): Promise<HashedFile> {
  const { size } = await file.stat()
  const hash = createHash('sha256')
  let done = 0
  const take = (bytes: Uint8Array): void => {
    hash.update(bytes)
    done += bytes.byteLength
    onProgress?.(done, size)
  }
  await pipeBlocks(blocksOf(file, path, size), { ...(write && { write }), take }, signal)
  return { sizeBytes: size, sha256: hash.digest('hex') }
}

function* blocksOf(file: FileHandle, path: string, size: number): Generator<Block> {
  for (let offset = 0; offset < size; offset += BLOCK_BYTES) {
    const length = Math.min(BLOCK_BYTES, size - offset)
    yield { offset, length, fill: (buffer) => readExactly(file, buffer, offset, path) }
  }
}

const notRegular = (path: string, detail: string): never => fail({ kind: 'bad-output', what: path, detail })
