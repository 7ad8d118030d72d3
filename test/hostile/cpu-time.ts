import { readFileSync } from 'node:fs'

const TRIES = 5

/** Of this thread, by the clock of its own work: whatever else the machine does counts for nothing. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Of this process's main thread, as the kernel counts it: its work, and its waiting for a processor that other programs had. */
export function processorTimes(): { readonly workedMs: number; readonly waitedMs: number } {
  const [workedNs = NaN, waitedNs = NaN] = readFileSync('/proc/self/schedstat', 'utf8').split(' ').map(Number)
  return { workedMs: workedNs / 1e6, waitedMs: waitedNs / 1e6 }
}

/** From now on: how many times as long as on a machine of its own this thread takes for its work. */
export function stretchFromNow(): () => number {
  const began = processorTimes()
  return () => {
    const { workedMs, waitedMs } = processorTimes()
    return 1 + (waitedMs - began.waitedMs) / (workedMs - began.workedMs)
  }
}

export function cpuMsOf(work: () => unknown): number {
  const before = cpuMs()
  work()
  return cpuMs() - before
}

/**
 * How many times as much work twice as much of something makes: 2 where it is linear, 4 where each is compared with each. The best
 * of several tries, for garbage is collected in one or the other of them.
 */
export function growthOf(prepare: (count: number) => () => unknown, count: number): number {
  const costOf = (each: number): number => best(() => cpuMsOf(prepare(each)))
  costOf(count) // compiles what is then measured
  return costOf(2 * count) / Math.max(costOf(count), LEAST_MS)
}

/** Less cannot be told from what else this thread does. */
const LEAST_MS = 5

/** The longest that this holds everybody else up: the most work between two turns of the event loop. The best of several tries. */
export async function longestPieceMs(prepare: () => () => unknown): Promise<number> {
  let least = Infinity
  for (let n = 0; n < TRIES; n += 1) least = Math.min(least, await longestOf(prepare()))
  return least
}

async function longestOf(work: () => unknown): Promise<number> {
  let [longest, last, isOver] = [0, 0, false]
  const look = (): void => {
    const now = cpuMs()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  await nextTurn()
  last = cpuMs()
  setImmediate(look)
  await work()
  await nextTurn()
  isOver = true
  return longest
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const best = (costMs: () => number): number => Math.min(...Array.from({ length: TRIES }, costMs))
