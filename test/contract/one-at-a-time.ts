import { readFileSync, rmSync, writeFileSync } from 'node:fs'

const POLL_MS = 100
const pause = new Int32Array(new SharedArrayBuffer(4))

/** Test files run side by side: the first to come does the work, the others wait for it. Whose process is gone is not waited for. */
export function oneAtATime(lock: string, work: () => void): void {
  while (!taken(lock)) Atomics.wait(pause, 0, 0, POLL_MS)
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function taken(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (!isAlive(lock)) rmSync(lock, { force: true })
    return false
  }
}

/** An empty file is of somebody who is just writing their number into it. */
function isAlive(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    return pid === 0 || process.kill(pid, 0)
  } catch {
    return false
  }
}
