import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'

/** An argument that no other process on this machine has: a number of seconds for `sleep`. */
export const uniqueSeconds = (): string => `9${Number.parseInt(randomUUID().slice(0, 8), 16)}`

/** Processes of this machine that run with this text among their arguments. */
export function pidsOf(token: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => commandOf(pid).includes(token))
}

/** Empty for zombies and for what has just gone. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
