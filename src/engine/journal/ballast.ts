import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncDirectory } from './json-lines.ts'

const BALLAST_BYTES = 4 << 20

const ballastPath = (journal: string): string => `${dirname(journal)}/ballast`

/**
 * Takes room beside a journal that can be given up when the file system runs full. Written with noise, since a file system
 * that compresses or leaves holes would hold no room for zeros.
 *
 * @throws what the file system says; then a job had better not begin
 */
export function takeBallast(journal: string): void {
  const fd = openSync(ballastPath(journal), 'w', 0o600)
  try {
    const noise = randomBytes(BALLAST_BYTES)
    for (let done = 0; done < BALLAST_BYTES;) done += writeSync(fd, noise, done)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  syncDirectory(dirname(journal))
}

/** Gives the room up. False if there was none any more. */
export function dropBallast(journal: string): boolean {
  const had = statSync(ballastPath(journal), { throwIfNoEntry: false }) !== undefined
  rmSync(ballastPath(journal), { force: true })
  return had
}
