import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

const TICKS_PER_SECOND = 100

/** When process 1 of this host began, by the clock as it goes now: also right in a container, which shares its kernel's. */
export function bootedAt(): Date {
  const behindName = readFileSync('/proc/1/stat', 'utf8').split(') ').at(-1) ?? ''
  const startTicks = Number(behindName.split(' ')[19])
  return new Date(Date.now() - (uptime() - startTicks / TICKS_PER_SECOND) * 1000)
}
