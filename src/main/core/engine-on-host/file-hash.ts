import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../../shared/failure.ts'
import { readSmallFile } from '../settings/small-file.ts'

/** SHA-256 of a file on this computer, in hex. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The same, remembered until the file changes: a runtime has 126 MB, and every command asks for its hash. */
export async function rememberedHashOf(path: string, cache: string): Promise<string> {
  const stats = await stat(path)
  if (!stats.isFile()) fail({ kind: 'io', path, code: 'EINVAL', detail: 'it is not a regular file' })
  const { size, mtimeMs, ctimeMs, ino } = stats // anybody sets the time of a change, and nobody that of the last change of all
  const key = createHash('sha256').update([path, size, mtimeMs, ctimeMs, ino].join('\0')).digest('hex').slice(0, 32)
  const note = join(cache, `${key}.sha256`)
  const remembered = hashIn(note)
  if (remembered !== undefined) return remembered
  const hash = await hashOf(path)
  await remember(cache, note, hash).catch(() => undefined) // a cache that cannot be written only costs time
  return hash
}

function hashIn(note: string): string | undefined {
  try {
    return /^[0-9a-f]{64}$/.exec(readSmallFile(note, 64) ?? '')?.[0]
  } catch {
    return undefined
  }
}

async function remember(cache: string, note: string, hash: string): Promise<void> {
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const unfinished = `${note}.${randomUUID()}`
  await writeFile(unfinished, hash, { mode: 0o600 })
  await rename(unfinished, note)
}
