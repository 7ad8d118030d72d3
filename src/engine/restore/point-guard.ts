import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fail } from '../../shared/failure.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { labelForLibvirt, SELINUX } from '../../libvirt/selinux.ts'
import { sizeProblems } from '../../store/point-files.ts'
import type { Checklist } from './checklist.ts'

const WRITABLE_BY_OTHERS = 0o022

/**
 * Who else may write to a point, in words: what was hashed can then be another thing by the time it is read. As ssh asks of the
 * folders of its keys, from the store down. Undefined: root alone.
 */
export async function othersWhoWrite(store: string, dir: string, manifest: Manifest): Promise<string | undefined> {
  const files = manifest.files.map(({ path }) => join(dir, path))
  const self = process.geteuid?.() ?? 0
  for (const path of new Set([store, dirname(dir), dir, ...files.map((file) => dirname(file)), ...files])) {
    const stats = await lstat(path).catch(() => undefined)
    if (stats !== undefined && stats.uid !== 0 && stats.uid !== self) return `${path} belongs to user ${stats.uid}`
    if (stats !== undefined && (stats.mode & WRITABLE_BY_OTHERS) !== 0) return `others than root may write to ${path}`
  }
  return undefined
}

export async function tellWriters(store: string, dir: string, manifest: Manifest, list: Checklist): Promise<void> {
  const writers = await othersWhoWrite(store, dir, manifest)
  if (writers !== undefined)
    list.warning(
      'point',
      `Others can change this point: ${writers}. Restore it only if you trust them; chown root and chmod go-w keep them out`
    )
}

/** How the files of a point that others can write to stand before they are read. */
export type Seal = ReadonlyMap<string, string>

/**
 * Of a point that root alone can write to there is nothing to note. What libvirt is to open is labelled before, which changes a
 * file too; in a point that is not what it says nothing is, since it may lead elsewhere.
 */
export async function seal(
  shell: Shell,
  store: string,
  dir: string,
  manifest: Manifest,
  selinux = SELINUX
): Promise<Seal> {
  const { memory } = manifest
  if (memory !== undefined && (await sizeProblems(dir, manifest)).length === 0)
    await labelForLibvirt(shell, [dir, `${dir}/${memory.file}`], selinux)
  const seen = new Map<string, string>()
  if ((await othersWhoWrite(store, dir, manifest)) === undefined) return seen
  for (const { path } of manifest.files) seen.set(path, await stateOf(join(dir, path)))
  return seen
}

/**
 * What was hashed is what was read: no file is another by now, or was written to. When a file last changed nobody but root can
 * make look otherwise. @throws `point-damaged`
 */
export async function requireSealed(point: string, dir: string, seen: Seal): Promise<void> {
  for (const [file, state] of seen)
    if ((await stateOf(join(dir, file))) !== state)
      fail({ kind: 'point-damaged', point, file, detail: 'somebody has changed it since its hash was checked' })
}

async function stateOf(path: string): Promise<string> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined)
  return stats === undefined ? 'gone' : [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ')
}
