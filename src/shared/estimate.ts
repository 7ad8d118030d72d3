const MIB = 1024 ** 2

/**
 * Measured on the lab: RAM of a VM, and how long the classic method (suspend, save, restore) held it still. All of the
 * RAM is written and read again while the VM waits, so the time goes by the size.
 */
const CLASSIC: readonly Sample[] = [
  { ramBytes: 256 * MIB, ms: 950 },
  { ramBytes: 1024 * MIB, ms: 3300 },
  { ramBytes: 2048 * MIB, ms: 8600 }
]

interface Sample {
  readonly ramBytes: number
  readonly ms: number
}

/** What a backup of a VM with that much RAM would cost in pause by the classic method: a yardstick, not a promise. */
export function classicPauseMs(ramBytes: number): number {
  const above = CLASSIC.findIndex((sample) => sample.ramBytes >= ramBytes)
  const upper = above === -1 ? CLASSIC.length - 1 : Math.max(1, above)
  const [from, to] = [CLASSIC[upper - 1], CLASSIC[upper]] as [Sample, Sample]
  return Math.round(from.ms + ((ramBytes - from.ramBytes) * (to.ms - from.ms)) / (to.ramBytes - from.ramBytes))
}
