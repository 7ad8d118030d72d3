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
 * that good points before it hold, but for those that its policy leaves out now. A disk is the same if it has its target or
 * its source: that of a VM that was restored lies elsewhere, that of a VM whose bus was changed has another name.
 */
export function flawsOf(points: readonly CoveringPoint[], excludeDisks: readonly string[] = []): Map<string, string> {
  const flaws = new Map<string, string>()
  let wanted: readonly HeldDisk[] = []
  for (const point of [...points].sort(oldestFirst)) {
    const missing = wanted.filter((disk) => !isHeld(disk, point.disks))
    const flaw = flawOf(
      point,
      missing.filter(({ target }) => !excludeDisks.includes(target))
    )
    if (flaw !== undefined) flaws.set(point.id, flaw)
    if (point.good) wanted = [...missing, ...point.disks]
  }
  return flaws
}

function flawOf({ good, disks }: CoveringPoint, lacks: readonly HeldDisk[]): string | undefined {
  if (!good) return 'damaged'
  if (disks.length === 0) return 'without a disk'
  return lacks.length === 0 ? undefined : `without ${lacks.map(({ target }) => target).join(' and ')}`
}

const isHeld = (disk: HeldDisk, by: readonly HeldDisk[]): boolean =>
  by.some(({ target, source }) => target === disk.target || source === disk.source)

const oldestFirst = (a: CoveringPoint, b: CoveringPoint): number =>
  Date.parse(a.takenAt) - Date.parse(b.takenAt) || a.id.localeCompare(b.id)
