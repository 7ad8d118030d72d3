import { expect } from 'vitest'
import { medianOf } from './figures.ts'
import type { SeenChange } from './good-news.ts'

export type TimedChange = Omit<SeenChange, 'looks'>

const SOON_MS = 2_000
/** For each single one: on a machine of its own, where the latest have taken less than three seconds, and on the busiest. */
const AT_WORST_MS = { alone: 10_000, busiest: 60_000 } as const
/** Of a core that is asked by other processes as well, at other times. */
const TIMES_AS_LATE_AS_BESIDE = 3
const LATE_ONE_OF = 20
/** Of fewer the median is chance. */
export const FEW = 5
/** Stretched by less than this, a machine has little else to do. */
const CALM = 1.2

export const isCalm = (stretched: number): boolean => stretched < CALM

/** Changes of the good host, and the attacks that they fell into. */
interface Attacked {
  /** So many of them within the attacks, and the others behind. */
  readonly meanwhile: number
  readonly changes: readonly TimedChange[]
  readonly attackMs: number
  /** So many times as long as on a machine of its own all took meanwhile. */
  readonly stretched: number
}

/** Where few changes fell within the attacks, these were over before as many could have been seen: else the changes were late. */
export function expectSoonSeenWithin({ meanwhile, changes, attackMs, stretched }: Attacked): void {
  if (meanwhile >= FEW) expectSoonSeen(changes, stretched)
  else
    expect(attackMs, `ms of attacks within which no more than ${meanwhile} changes were seen`).toBeLessThan(
      FEW * soonMs(changes, stretched) * stretched
    )
}

/**
 * Within two seconds, without what the core waited for a processor that other programs had; or, where this machine has so much else
 * to do that the core beside it, which no host attacks, takes long for the same, not much later than that. Of single changes all but
 * one of many: how long the hosts and their sshd wait for a processor is chance too.
 */
export function expectSoonSeen(changes: readonly TimedChange[], stretched: number): void {
  const ms = medianOf(changes.map(takenBy))
  expect(ms, 'ms until half of the changes were seen').toBeLessThan(soonMs(changes, stretched))
  const late = changes.filter((each) => takenBy(each) >= soonMs([each], stretched))
  expect(late.length, JSON.stringify(late)).toBeLessThanOrEqual(Math.ceil(changes.length / LATE_ONE_OF))
}

/** Two seconds where all is calm; else it also goes by how long half of these took beside. */
const soonMs = (changes: readonly TimedChange[], stretched: number): number =>
  isCalm(stretched)
    ? SOON_MS
    : Math.max(SOON_MS, TIMES_AS_LATE_AS_BESIDE * medianOf(changes.map(({ besideMs }) => besideMs)))

/**
 * Each of them, be they few: by a bound that is as much wider as other programs made the process of the hosts slower, or not much later
 * than beside.
 */
export function expectSeenInTime(changes: readonly TimedChange[], stretched: number): void {
  const atWorstMs = Math.min(AT_WORST_MS.alone * stretched, AT_WORST_MS.busiest)
  const boundOf = ({ besideMs }: TimedChange): number => Math.max(atWorstMs, TIMES_AS_LATE_AS_BESIDE * besideMs)
  expect(changes.filter((each) => !(takenBy(each) <= boundOf(each)))).toEqual([])
}

/** Without what the core waited for a processor. */
const takenBy = (each: TimedChange): number => each.ms - each.waitedMs
