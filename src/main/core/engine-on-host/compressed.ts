import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { fail } from '../../../shared/failure.ts'
import { openRegular } from '../../../store/file-io.ts'
import type { Asset } from './engine-assets.ts'

export interface Compressed {
  /** Stays what it is, whatever comes to lie under its name. Whoever asked for it closes it. */
  readonly file: FileHandle
  /** It was made before, for another upload. */
  readonly isOld: boolean
}

/**
 * The asset's gzip, made once per content. A third of the size, and every host has gzip. What is in it is what the asset was when it was
 * asked for: an old one is read before it is sent, and a new one while it is made. @throws `io` where the asset is another one meanwhile
 */
export async function compressed(asset: Asset, cache: string): Promise<Compressed> {
  const path = join(cache, `${asset.hash}.gz`)
  const old = await openGzipOf(path, asset.hash)
  if (old !== undefined) return { file: old, isOld: true }
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const unfinished = `${path}.${randomUUID()}`
  try {
    if ((await compress(asset.path, unfinished)) !== asset.hash)
      fail({ kind: 'io', path: asset.path, code: 'ESTALE', detail: 'it was changed just before it was sent' })
    const file = await openFile(unfinished)
    return await putInPlace(unfinished, path).then(
      () => ({ file, isOld: false }),
      async (error: unknown) => {
        await file.close()
        throw error
      }
    )
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** A folder that lies there goes first, and on Windows also a file that somebody reads. */
const putInPlace = (from: string, to: string): Promise<void> =>
  rename(from, to).catch(async () => {
    await rm(to, { recursive: true, force: true })
    await rename(from, to)
  })

/** From its beginning, whoever else reads it. Each chunk is its reader's to keep. */
export async function* bytesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

const CHUNK_BYTES = 256 << 10

/** The SHA-256 of what was compressed. */
async function compress(from: string, to: string): Promise<string> {
  const hash = createHash('sha256')
  const hashed = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk)
      yield chunk
    }
  }
  await pipeline(createReadStream(from), hashed, createGzip({ level: 6 }), createWriteStream(to, { mode: 0o600 }))
  return hash.digest('hex')
}

const openFile = (path: string): Promise<FileHandle> =>
  openRegular(path, (detail) => fail({ kind: 'io', path, code: 'EINVAL', detail }))

/** Undefined: there is none, or it is not what it should be. */
async function openGzipOf(path: string, hash: string): Promise<FileHandle | undefined> {
  const file = await openFile(path).catch(() => undefined)
  if (file === undefined || (await isGzipOf(file, hash))) return file
  await file.close()
  return undefined
}

async function isGzipOf(file: FileHandle, hash: string): Promise<boolean> {
  const found = createHash('sha256')
  try {
    await pipeline(bytesOf(file), createGunzip(), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) found.update(chunk)
    })
    return found.digest('hex') === hash
  } catch {
    return false
  }
}
