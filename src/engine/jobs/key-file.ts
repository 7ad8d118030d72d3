import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUN_DIR } from '../../shared/host-paths.ts'
import { isCode } from '../../store/file-io.ts'
import { isSameProcess, processNow } from '../evidence/vm-process.ts'

/** Hands keys to programs by way of files that only root reads, and that are in memory only, as is all of their folder. */
export async function withKeyFiles<T>(
  keys: readonly string[],
  use: (paths: readonly string[], folder: string) => Promise<T>
): Promise<T> {
  await removeDeadKeys()
  await mkdir(RUN_DIR, { recursive: true, mode: 0o700 })
  const ours = await processNow(process.pid)
  const folder = await mkdtemp(join(RUN_DIR, `keys-${process.pid}-${ours?.startTicks ?? ''}-`))
  try {
    const paths = keys.map((_key, n) => join(folder, String(n)))
    for (const [n, path] of paths.entries()) await writeFile(path, keys[n] ?? '', { mode: 0o600 })
    return await use(paths, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What an engine that was killed has left there would lie readable to root until the next boot. */
export async function removeDeadKeys(): Promise<void> {
  for (const folder of await deadKeys()) await rm(folder, { recursive: true, force: true })
}

/** Folders with keys of engines that are gone. */
export async function deadKeys(): Promise<string[]> {
  const dead: string[] = []
  for (const name of await namesIn(RUN_DIR)) {
    const [, pid, startTicks = ''] = /^keys-(\d+)-(\d+)-/.exec(name) ?? []
    if (pid === undefined) continue
    const then = { pid: Number(pid), startTicks }
    if (!isSameProcess(then, await processNow(then.pid))) dead.push(join(RUN_DIR, name))
  }
  return dead
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return []
    throw error
  })
