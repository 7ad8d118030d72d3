import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Asset } from './engine-assets.ts'

/** Path of the asset's gzip, made once per content. A third of the size, and every host has gzip. */
export async function compressed(asset: Asset, cache: string): Promise<string> {
  const path = join(cache, `${asset.hash}.gz`)
  if (existsSync(path)) return path
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const unfinished = `${path}.${randomUUID()}`
  try {
    await pipeline(
      createReadStream(asset.path),
      createGzip({ level: 6 }),
      createWriteStream(unfinished, { mode: 0o600 })
    )
    await rename(unfinished, path)
  } finally {
    await rm(unfinished, { force: true })
  }
  return path
}
