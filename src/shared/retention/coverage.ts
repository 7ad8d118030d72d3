/** A disk that a point holds: what its VM calls it, and where it was. */
export interface HeldDisk {
  readonly target: string
  readonly source: string
}

/** A point of one VM, for the question whether it holds all of it. */
export interface CoveringPoint {
  readonly id: string
  readonly takenAt: string
  /** A damaged point shows nothing of what another should hold. */
  readonly good: boolean
  readonly disks: readonly HeldDisk[]
}

/**
 * What keeps a point from being a whole one, by its id; a whole one is not in it. A point is whole if it holds every disk
 * that good points before it hold, but for those that its policy leaves out now. A disk is the same if it has its source,
 * or else its target: that of a VM whose bus was changed has another name, that of a VM that was restored lies elsewhere.
 */
export function flawsOf(points: readonly CoveringPoint[], excludeDisks: readonly string[] = []): Map<string, string> {
  const flaws = new Map<string, string>()
  let wanted: readonly HeldDisk[] = []
  for (const point of [...points].sort(oldestFirst)) {
    const missing = disksWithout(wanted, point.disks)
    const flaw = flawOf(
      point,
      missing.filter(({ target }) => !excludeDisks.includes(target))
    )
    if (flaw !== undefined) flaws.set(point.id, flaw)
    if (point.good) wanted = [...point.disks, ...missing]
  }
  return flaws
}

function flawOf({ good, disks }: CoveringPoint, lacks: readonly HeldDisk[]): string | undefined {
  if (!good) return 'damaged'
  if (disks.length === 0) return 'without a disk'
  return lacks.length === 0 ? undefined : `without ${lacks.map((disk) => nameOf(disk, disks)).join(' and ')}`
}

/** Its source too, where another disk has its target now. */
const nameOf = ({ target, source }: HeldDisk, held: readonly HeldDisk[]): string =>
  held.some((other) => other.target === target) ? `${target} (${source})` : target

/**
 * Those that are not among the others, one to one: no disk stands for two. Its source says more of what it is than its
 * target, which goes to the next disk when one is unplugged.
 */
export function disksWithout(wanted: readonly HeldDisk[], held: readonly HeldDisk[]): readonly HeldDisk[] {
  return SAME.reduce<Unmatched>(matched, { wanted, held }).wanted
}

interface Unmatched {
  readonly wanted: readonly HeldDisk[]
  readonly held: readonly HeldDisk[]
}
type IsSame = (a: HeldDisk, b: HeldDisk) => boolean

/** By what a disk is known again, the surest first. */
const SAME: readonly IsSame[] = [
  (a, b) => a.source === b.source && a.target === b.target,
  (a, b) => a.source === b.source,
  (a, b) => a.target === b.target
]

/** What neither side has a partner for, by this. */
function matched({ wanted, held }: Unmatched, isSame: IsSame): Unmatched {
  const free = [...held]
  const without = wanted.filter((disk) => {
    const index = free.findIndex((other) => isSame(disk, other))
    if (index !== -1) free.splice(index, 1)
    return index === -1
  })
  return { wanted: without, held: free }
}

const oldestFirst = (a: CoveringPoint, b: CoveringPoint): number =>
  Date.parse(a.takenAt) - Date.parse(b.takenAt) || a.id.localeCompare(b.id)
