import { readFileSync } from 'node:fs'

const TRIES = 5
const MOST_TRIES = 50

/** Of this thread, by the clock of its own work: whatever else the machine does counts for nothing. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

export interface ProcessorTimes {
  readonly workedMs: number
  /** For a processor that other programs had. */
  readonly waitedMs: number
}

/** Of this process's main thread, since it began. @throws where the kernel does not count it: nothing could be late then */
export function processorTimes(): ProcessorTimes {
  const [workedNs = 0, waitedNs = 0] = readFileSync('/proc/self/schedstat', 'utf8').split(' ').map(Number)
  if (!(workedNs > 0)) throw new Error('this kernel does not count how long a thread waits for a processor')
  return { workedMs: workedNs / 1e6, waitedMs: waitedNs / 1e6 }
}

/** How many times as long as on a machine of its own a thread took for its work between the two. */
export const stretchOf = (began: ProcessorTimes, ended: ProcessorTimes): number =>
  1 + (ended.waitedMs - began.waitedMs) / (ended.workedMs - began.workedMs)

/** The same of this thread, from now on. */
export function stretchFromNow(): () => number {
  const began = processorTimes()
  return () => stretchOf(began, processorTimes())
}

/** A fixed piece of work, of which little garbage is left. */
const YARDSTICK = JSON.stringify(
  Array.from({ length: 100 }, (_, n) => ({
    id: `${n}`.padStart(40, 'x'),
    numbers: [n, n, n, n],
    text: 'y'.repeat(100)
  }))
)
const YARDSTICK_TIMES = 200
/** What it takes at best where nothing else is to be done. */
const YARDSTICK_MS = 5

/** How many times as long as on a machine of its own the same work takes just now, 1 at least: others have its caches and its core too. */
export function slownessNow(): number {
  const ms = cpuMsOf(() => {
    for (let n = 0; n < YARDSTICK_TIMES; n += 1) JSON.parse(YARDSTICK)
  })
  return Math.max(1, ms / YARDSTICK_MS)
}

/** What work took, and how slow the machine was beside it. */
export interface Timed {
  readonly ms: number
  readonly slowness: number
}

export function timed(work: () => unknown): Timed {
  const before = slownessNow()
  const ms = cpuMsOf(work)
  return { ms, slowness: (before + slownessNow()) / 2 }
}

/**
 * Until one was good enough: on a busy machine V8 comes late to compiling what is then faster. @returns all of them, of which the
 * last may be the only good one
 */
export function triedUntil<T extends Timed>(enoughMs: number, one: () => T): readonly T[] {
  const tries = [one()]
  while (bestMsOf(tries) >= enoughMs && tries.length < MOST_TRIES) tries.push(one())
  return tries
}

/** The best of several tries, each as it had been on a machine of its own. */
export const bestMsOf = (tries: readonly Timed[]): number => Math.min(...tries.map(({ ms, slowness }) => ms / slowness))

export function cpuMsOf(work: () => unknown): number {
  const before = cpuMs()
  work()
  return cpuMs() - before
}

/**
 * How many times as much work twice as much of something makes: 2 where it is linear, 4 where each is compared with each. The best
 * of several tries, for garbage is collected in one or the other of them; the first ones compile what is then measured.
 */
export function growthOf(prepare: (count: number) => () => unknown, count: number): number {
  const costs = { once: Infinity, twice: Infinity }
  const growth = (): number => costs.twice / Math.max(costs.once, LEAST_MS)
  for (let n = 0; n < TRIES || (n < MOST_TRIES && growth() > NO_DOUBT); n += 1) {
    costs.once = Math.min(costs.once, cpuMsOf(prepare(count)))
    costs.twice = Math.min(costs.twice, cpuMsOf(prepare(2 * count)))
  }
  return growth()
}

/** Less is not each compared with each. Of more, on a busy machine, it takes more tries to be sure. */
const NO_DOUBT = 2.5

/** Less cannot be told from what else this thread does. */
const LEAST_MS = 5

/**
 * The longest that this holds everybody else up: the most work between two turns of the event loop. The best of several tries, as on
 * a machine of its own.
 */
export async function longestPieceMs(prepare: () => () => unknown): Promise<number> {
  const tries: Timed[] = []
  for (let n = 0; n < TRIES; n += 1) {
    const work = prepare()
    const before = slownessNow()
    const ms = await longestOf(work)
    tries.push({ ms, slowness: (before + slownessNow()) / 2 })
  }
  return bestMsOf(tries)
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
