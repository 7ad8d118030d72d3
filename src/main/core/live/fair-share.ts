import { charactersOf } from './held-in-short.ts'

interface OfHost {
  readonly id: string
  readonly host: string
}

/** Newest first, at most so many; where there are more, those of the hosts that have the most give way. */
export const fairShare = <T extends OfHost>(all: readonly T[], most: number): T[] =>
  firstOfEach(sortedNewestFirst(all), most)

/** The same in the order that they are in: of each host its first, and where that leaves room, of whoever comes next. */
export function firstOfEach<T extends Pick<OfHost, 'host'>>(inOrder: readonly T[], most: number): T[] {
  if (inOrder.length <= most) return [...inOrder]
  const share = shareOf(countsByHost(inOrder), most)
  const had = new Map<string, number>()
  const within = new Set(
    inOrder.filter(({ host }) => {
      const count = (had.get(host) ?? 0) + 1
      had.set(host, count)
      return count <= share
    })
  )
  let spare = most - within.size
  return inOrder.filter((one) => within.has(one) || spare-- > 0)
}

const sortedNewestFirst = <T extends OfHost>(all: readonly T[]): T[] =>
  all.toSorted((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))

/** Newest first, of each host those that come to at most so many characters together. At least one of each host. */
export function newestWithin<T extends OfHost>(all: readonly T[], mostCharacters: number): T[] {
  const had = new Map<string, number>()
  return sortedNewestFirst(all).filter((one) => {
    const before = had.get(one.host) ?? 0
    had.set(one.host, before + knownCharacters(one))
    return before === 0 || before + knownCharacters(one) <= mostCharacters
  })
}

const counted = new WeakMap<object, number>()
/** What is held does not change, and is looked at again whenever something is heard. */
export function knownCharacters(one: object): number {
  const known = counted.get(one) ?? charactersOf(one)
  counted.set(one, known)
  return known
}

function countsByHost(all: readonly Pick<OfHost, 'host'>[]): readonly number[] {
  const counts = new Map<string, number>()
  for (const { host } of all) counts.set(host, (counts.get(host) ?? 0) + 1)
  return [...counts.values()].sort((a, b) => a - b)
}

/** As large as it may be: whoever has fewer leaves the rest to the others. At least one of each host. */
function shareOf(countsAscending: readonly number[], most: number): number {
  let left = most
  for (const [n, count] of countsAscending.entries()) {
    const share = Math.floor(left / (countsAscending.length - n))
    if (count > share) return Math.max(share, 1)
    left -= count
  }
  return most
}
