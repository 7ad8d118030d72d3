import { CharactersInTurns } from '../../../shared/turns.ts'
import { charactersOf } from './held-in-short.ts'

/** What taking a report costs beside its characters, and how many of them are counted. */
const EACH = 1000
const MOST_COUNTED = 128 << 10

/** Takes one after the other: a host that reports thousands, or makes them up, holds no other host and no window up. */
export async function eachInTurns<T>(all: readonly T[], take: (one: T) => void): Promise<void> {
  const turns = new CharactersInTurns()
  for (const one of all) {
    take(one)
    await turns.taken(EACH + charactersOf(one, MOST_COUNTED))
  }
}

/** The same, of what is made of each. */
export async function madeInTurns<T, Made>(all: readonly T[], make: (one: T) => readonly Made[]): Promise<Made[]> {
  const made: Made[] = []
  await eachInTurns(all, (one) => void made.push(...make(one)))
  return made
}

/** By host, one after the other: the answer that came first is taken first, however long it is. */
export class OneByOne {
  private readonly last = new Map<string, Promise<unknown>>()

  async run<T>(host: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.last.get(host) ?? Promise.resolve()).then(work)
    const settled = mine.catch(() => undefined)
    this.last.set(host, settled)
    try {
      return await mine
    } finally {
      if (this.last.get(host) === settled) this.last.delete(host)
    }
  }
}

/** Oldest first, by ids that begin with the time. */
export const oldestFirst = <T extends { readonly id: string }>(all: readonly T[]): T[] =>
  all.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
