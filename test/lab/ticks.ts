/** One count of a guest: kept in its RAM, written to its disks, printed on its serial port. */
export interface Tick {
  readonly counter: number
  /** The guest's own time since it booted. It stands still while the guest does. */
  readonly uptimeMs: number
  /** Differs after every boot of the guest, stays the same over a RAM restore. */
  readonly bootId: string
  /** When the line was seen on the lab's machine, if somebody watched. */
  readonly hostMs?: number
}

export type FileSystemState = 'clean' | 'recovered' | 'damaged'

/** What a guest said on its serial port when it booted: how it found its disks. */
export interface Boot {
  readonly bootId: string
  readonly disks: readonly { readonly target: string; readonly state: FileSystemState; readonly lastTick: number }[]
}

export interface VerifyReport {
  readonly ok: boolean
  /** Records that were read back and are what they should be; 0 if any is bad. */
  readonly records: number
  /** `ram`: compared with the checksums that RAM remembers. `disk`: at boot, with those on the disk itself. */
  readonly against: 'ram' | 'disk'
  readonly bootId: string
  /** One line per bad record. */
  readonly complaints: readonly string[]
}

/** Reads all ticks of a serial log; lines cut off by a pause, a crash or a kernel message are left out. */
export function parseTicks(log: string): Tick[] {
  return [...log.matchAll(/^TICK (\d+) (\d+\.\d\d) ([0-9a-f]{8})\r?\n/gm)].map(([, counter, uptime, bootId = '']) => ({
    counter: Number(counter),
    uptimeMs: Math.round(Number(uptime) * 1000),
    bootId
  }))
}

export function parseBoots(log: string): Boot[] {
  const parts = log.split(/^BOOT /m).slice(1)
  return parts.map((part) => ({ bootId: part.slice(0, 8), disks: parseDisks(part) }))
}

export function parseVerifyReports(log: string): VerifyReport[] {
  const reports: VerifyReport[] = []
  let complaints: string[] = []
  for (const line of log.split(/\r?\n/)) {
    if (line.startsWith('VERIFY BAD ')) complaints.push(line.slice('VERIFY BAD '.length))
    const end = /^VERIFY (OK|FAILED) (\d+) (ram|disk) ([0-9a-f]{8})$/.exec(line)
    if (!end) continue
    const ok = end[1] === 'OK'
    const against = end[3] === 'ram' ? 'ram' : 'disk'
    reports.push({ ok, records: ok ? Number(end[2]) : 0, against, bootId: end[4] ?? '', complaints })
    complaints = []
  }
  return reports
}

/** Rates, in MiB per second, that a rewriting guest measured of itself, oldest first. */
export function parseRewriteRates(log: string): number[] {
  return [...log.matchAll(/^REWRITE \d+ RATE (\d+)\r?$/gm)].map(([, rate]) => Number(rate))
}

/** Where the counter does not go up by one. */
export function gaps(ticks: readonly Tick[]): { readonly from: Tick; readonly to: Tick }[] {
  return pairs(ticks).filter(({ from, to }) => to.counter !== from.counter + 1)
}

export function isContiguous(ticks: readonly Tick[]): boolean {
  return ticks.length > 0 && gaps(ticks).length === 0
}

/** Whether all ticks belong to one run of the guest: it never booted in between. */
export function isOneBoot(ticks: readonly Tick[]): boolean {
  return new Set(ticks.map((tick) => tick.bootId)).size === 1
}

/**
 * The life of a guest that was captured in one place and resumed in another: the original's ticks up to the instant of
 * the capture, then those of the resumed one. A tick whose line the capture cut in two is missing from the second log
 * but stands in the first, because the original went on.
 */
export function joinResumed(original: readonly Tick[], resumed: readonly Tick[]): Tick[] {
  const [first] = resumed
  return first === undefined ? [...original] : [...original.filter((tick) => tick.counter < first.counter), ...resumed]
}

/** The longest time between two ticks, by the guest's clock or by the host's. */
export function longestGapMs(ticks: readonly Tick[], clock: 'guest' | 'host'): number {
  const at = (tick: Tick) => (clock === 'guest' ? tick.uptimeMs : tick.hostMs)
  const lengths = pairs(ticks).map(({ from, to }) => (at(to) ?? NaN) - (at(from) ?? NaN))
  return Math.max(0, ...lengths.filter((length) => !Number.isNaN(length)))
}

function pairs(ticks: readonly Tick[]): { readonly from: Tick; readonly to: Tick }[] {
  return ticks.slice(1).flatMap((to, index) => {
    const from = ticks[index]
    return from === undefined ? [] : [{ from, to }]
  })
}

function parseDisks(part: string): Boot['disks'] {
  return [...part.matchAll(/^FS (\w+) (CLEAN|DIRTY|DAMAGED)/gm)].map(([, target = '', word]) => ({
    target,
    state: word === 'CLEAN' ? 'clean' : word === 'DIRTY' ? 'recovered' : 'damaged',
    lastTick: Number(new RegExp(`^DISK ${target} (\\d+)`, 'm').exec(part)?.[1] ?? 0)
  }))
}
