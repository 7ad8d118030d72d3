import * as z from 'zod'

/**
 * Figures of a host, as they are parsed: whatever it says, they can be added up, compared and shown. What is out of range is brought
 * to the end of it: a figure that cannot be right must not be the reason that the rest of a report is not shown.
 */
const between = (least: number, most: number): z.ZodNumber =>
  z.number().overwrite((value) => Math.min(Math.max(value, least), most))

/** Ten years: nothing that is measured takes longer. */
const LONGEST_MS = 3_652 * 86_400_000

export const Bytes = between(0, Number.MAX_SAFE_INTEGER)
export const Milliseconds = between(0, LONGEST_MS)
/** How late something is; it may be early. */
export const Lateness = between(-LONGEST_MS, LONGEST_MS)
export const Seconds = between(0, LONGEST_MS / 1000)
export const Count = between(0, 1_000_000_000).overwrite(Math.round)
/** Of a program; whatever a system says in its place. */
export const ExitCode = between(-(2 ** 31), 2 ** 32).overwrite(Math.round)

const FIRST = '2000-01-01T00:00:00.000Z'
const LAST = '2099-12-31T23:59:59.999Z'

/** Clocks without a battery begin in 1970: nothing happened before there was anything to back up. */
export const withinYears = (at: string): string => (at < FIRST ? FIRST : at > LAST ? LAST : at)

/** A second may have any number of decimals. */
const toTheMillisecond = (at: string): string => (at.length > LAST.length ? `${at.slice(0, LAST.length - 1)}Z` : at)

/** ISO time, UTC. */
export const Moment = z.iso.datetime().overwrite((at) => withinYears(toTheMillisecond(at)))
