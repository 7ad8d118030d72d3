import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { RUN_DIR } from '../../shared/host-paths.ts'
import { isHeld, lockPath, removeStaleLock, tryHostLock, type HostLock } from './host-lock.ts'

/** Locks of this process that carry a note for others of this host to read. They end with it, however it ends. */
const noted = new Map<string, HostLock>()

/** Takes the lock, unless this process has it, and writes the note into its file. False: another process has it. */
export async function noteInLock(
  name: string,
  holder: string,
  note: Readonly<Record<string, unknown>>
): Promise<boolean> {
  const lock = noted.get(name) ?? (await tryHostLock(name, holder))
  if (lock === undefined) return false
  if (noted.size === 0) process.once('exit', removeFiles)
  noted.set(name, lock)
  writeFileSync(lockPath(name), JSON.stringify({ ...readNote(name), ...note }))
  return true
}

/** A lock that nobody holds any more does no harm, but it is not left lying about. */
function removeFiles(): void {
  for (const name of noted.keys()) rmSync(lockPath(name), { force: true })
}

export async function releaseNoted(name: string): Promise<void> {
  const lock = noted.get(name)
  noted.delete(name)
  await lock?.release()
}

/** Notes in locks whose names begin so and whose holders live. What others left is removed. */
export async function notesOf(prefix: string, but: string | undefined): Promise<unknown[]> {
  const names = readdirSync(RUN_DIR)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.lock'))
    .map((name) => basename(name, '.lock'))
  const notes: unknown[] = []
  for (const name of names) {
    if (name === but) continue
    if (await isHeld(name)) notes.push(readNote(name))
    else await removeStaleLock(name)
  }
  return notes
}

/** Empty for one that cannot be read: it ends just now. */
function readNote(name: string): object {
  try {
    const note: unknown = JSON.parse(readFileSync(lockPath(name), 'utf8'))
    return typeof note === 'object' && note !== null ? note : {}
  } catch {
    return {}
  }
}
