import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUN_DIR } from '../../shared/host-paths.ts'

/** Hands keys to programs by way of files that only root reads, and that are in memory only. */
export async function withKeyFiles<T>(
  keys: readonly string[],
  use: (paths: readonly string[]) => Promise<T>
): Promise<T> {
  await mkdir(RUN_DIR, { recursive: true, mode: 0o700 })
  const folder = await mkdtemp(join(RUN_DIR, 'keys-'))
  try {
    const paths = keys.map((_key, n) => join(folder, String(n)))
    for (const [n, path] of paths.entries()) await writeFile(path, keys[n] ?? '', { mode: 0o600 })
    return await use(paths)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
