import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ENGINE_DIR, JOBS_DIR, RUN_DIR } from '../../shared/host-paths.ts'
import { isCode } from '../../store/file-io.ts'
import { isSameProcess, processNow } from '../evidence/vm-process.ts'

/**
 * Hands keys of disks, and definitions with what is secret in them, to programs by way of files that only root reads, and that
 * are in memory only, as is all of their folder.
 */
export async function withPrivateFiles<T>(
  texts: readonly string[],
  use: (paths: readonly string[], folder: string) => Promise<T>
): Promise<T> {
  await removeDeadFiles()
  await mkdir(RUN_DIR, { recursive: true, mode: 0o700 })
  const ours = await processNow(process.pid)
  const folder = await mkdtemp(join(RUN_DIR, `private-${process.pid}-${ours?.startTicks ?? ''}-`))
  try {
    const paths = texts.map((_text, n) => join(folder, String(n)))
    for (const [n, path] of paths.entries()) await writeFile(path, texts[n] ?? '', { mode: 0o600 })
    return await use(paths, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Hands XML to libvirt: a definition may have the password of a screen in it. */
export const withXmlFile = <T>(xml: string, use: (path: string) => Promise<T>): Promise<T> =>
  withPrivateFiles([xml], ([path = '']) => use(path))

/** What an engine that was killed has left there would lie readable to root until the next boot, or for ever. */
export async function removeDeadFiles(): Promise<void> {
  for (const path of await deadFiles()) await rm(path, { recursive: true, force: true })
}

/** Folders with such files of engines that are gone, and single ones where engines before this one had them. */
export async function deadFiles(): Promise<string[]> {
  const dead: string[] = []
  for (const name of await namesIn(RUN_DIR)) {
    const [, pid, startTicks = ''] = /^(?:private|keys)-(\d+)-(\d+)-/.exec(name) ?? []
    if (pid === undefined) continue
    const then = { pid: Number(pid), startTicks }
    if (!isSameProcess(then, await processNow(then.pid))) dead.push(join(RUN_DIR, name))
  }
  for (const name of await namesIn(JOBS_DIR)) {
    const [, pid] = /^\.define-.*-(\d+)\.xml$/.exec(name) ?? []
    if (pid !== undefined && !(await isEngine(pid))) dead.push(join(JOBS_DIR, name))
  }
  return dead
}

/** Another program may have the number by now. */
const isEngine = async (pid: string): Promise<boolean> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(`${ENGINE_DIR}/`)

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return []
    throw error
  })
