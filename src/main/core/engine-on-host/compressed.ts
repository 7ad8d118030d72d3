import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { fail } from '../../../shared/failure.ts'
import type { Asset } from './engine-assets.ts'

export interface Compressed {
  readonly path: string
  /** It was made before, for another upload. */
  readonly isOld: boolean
}

/**
 * The asset's gzip, made once per content. A third of the size, and every host has gzip. What is in it is what the asset was when it was
 * asked for: an old one is read before it is sent, and a new one while it is made. @throws `io` where the asset is another one meanwhile
 */
export async function compressed(asset: Asset, cache: string): Promise<Compressed> {
  const path = gzipOf(asset, cache)
  if (await isGzipOf(path, asset.hash)) return { path, isOld: true }
  await forgetCompressed(asset, cache)
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const unfinished = `${path}.${randomUUID()}`
  try {
    if ((await compress(asset.path, unfinished)) !== asset.hash)
      fail({ kind: 'io', path: asset.path, code: 'ESTALE', detail: 'it was changed just before it was sent' })
    await rename(unfinished, path)
  } finally {
    await rm(unfinished, { force: true })
  }
  return { path, isOld: false }
}

/** A host has refused it: the next one is made anew. */
export const forgetCompressed = (asset: Asset, cache: string): Promise<void> =>
  rm(gzipOf(asset, cache), { recursive: true, force: true })

const gzipOf = ({ hash }: Asset, cache: string): string => join(cache, `${hash}.gz`)

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

async function isGzipOf(path: string, hash: string): Promise<boolean> {
  const found = createHash('sha256')
  try {
    if (!(await stat(path)).isFile()) return false
    await pipeline(createReadStream(path), createGunzip(), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) found.update(chunk)
    })
    return found.digest('hex') === hash
  } catch {
    return false
  }
}
