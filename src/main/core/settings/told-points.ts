import { withinYears } from '../../../shared/model/figures.ts'
import { CLOCKS_DIFFER_MS } from '../jobs/catch-up.ts'
import type { CopyRecord, HistoryLine } from './history-lines.ts'

/** A point as whoever has it now describes it. */
interface Described {
  readonly id: string
  readonly vm: { readonly uuid: string; readonly name: string }
  readonly takenAt: string
}

/** Whose word there is for a point. */
export interface Told {
  /** As they are called here; those that have it now come first. */
  readonly hosts: readonly string[]
  /** Those of them that told of it themselves: what was put there from another host is no word of theirs. */
  readonly atFirstHand: readonly string[]
  /** This computer keeps it, or has put it where it is. */
  readonly isOurs: boolean
}

interface Backup {
  readonly vm: string
  readonly endedAt: string
}

/** Of each host: far more than one makes in half a year. One that makes up more pushes out its own. */
const MOST_OF_HOST = 20_000

/**
 * Of which points hosts have told in what the history knows: backups that a host itself reported, and copies, which were read from
 * where that says. An id alone is no proof: a point that was taken at another time than that which was copied, or later than its
 * backup ended, is another one.
 */
export class ToldPoints {
  /** Grows with everything that is new. */
  count = 0
  /** The same of copies alone. */
  copied = 0
  private readonly backups = new Map<string, Map<string, Backup>>()
  /** By point, each once. */
  private readonly copies = new Map<string, Map<string, CopyRecord>>()

  learn(line: HistoryLine): void {
    if (line.type === 'job' && line.report.kind === 'backup') this.learnBackup(line.report)
    if (line.type === 'copy') this.learnCopy(line.copy)
  }

  /** `labels`: of the places that have it. */
  of(point: Described, labels: readonly string[]): Told {
    const copies = this.copiesOf(point)
    const fitting = copies.filter((copy) => isOf(copy, point))
    const backedUp = [...this.backups].flatMap(([host, ofHost]) => (fits(ofHost.get(point.id), point) ? [host] : []))
    const from = fitting.map((copy) => copy.from)
    const isKeptHere = labels.some((label) => isHere(label, copies))
    const isPutThere = fitting.some(({ from: here, to }) => labels.includes(to) && isHere(here, copies))
    const own = [...labels, ...from].filter((label) => isFirstHand(label, copies, hostsIn([label])))
    return {
      hosts: [...new Set([...hostsIn(labels), ...backedUp, ...hostsIn(from)])],
      atFirstHand: [...backedUp, ...hostsIn(own)],
      isOurs: isKeptHere || isPutThere
    }
  }

  /**
   * Whether a place of this computer, or of the point's own host, was sent it from another host, by this Stillpoint: then it is worth
   * no more there than that one's word. `own`: what that host is called here, and was.
   */
  isSecondHand(point: Pick<Described, 'id'>, own: readonly string[], label: string): boolean {
    return !isFirstHand(label, this.copiesOf(point), own)
  }

  /** How often a point was told of: as long as it is the same, so is what is told of it. */
  heard(id: string): number {
    let count = this.copies.get(id)?.size ?? 0
    for (const ofHost of this.backups.values()) if (ofHost.has(id)) count += 1
    return count
  }

  /** The oldest first: what another Stillpoint has written is learnt late. */
  private copiesOf({ id }: Pick<Described, 'id'>): readonly CopyRecord[] {
    const copies = [...(this.copies.get(id)?.values() ?? [])]
    return copies.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  }

  private learnCopy(copy: CopyRecord): void {
    const ofPoint = this.copies.get(copy.point) ?? new Map<string, CopyRecord>()
    const before = ofPoint.size
    this.copies.set(copy.point, ofPoint.set(JSON.stringify(copy), copy))
    this.count += ofPoint.size - before
    this.copied += ofPoint.size - before
  }

  private learnBackup({ host, point, vm, endedAt }: Extract<HistoryLine, { type: 'job' }>['report']): void {
    if (point === undefined || endedAt === undefined) return
    const ofHost = this.backups.get(host) ?? new Map<string, Backup>()
    this.backups.set(host, ofHost)
    if (ofHost.has(point)) return
    ofHost.set(point, { vm: vm.uuid, endedAt })
    this.count += 1
    const [oldest] = ofHost.keys()
    if (ofHost.size > MOST_OF_HOST && oldest !== undefined) ofHost.delete(oldest)
  }
}

const fits = (backup: Backup | undefined, point: Described): boolean =>
  backup !== undefined && backup.vm === point.vm.uuid && !isLater(point, backup.endedAt)

const isLater = ({ takenAt }: Described, than: string, byMs = 0): boolean =>
  !(Date.parse(takenAt) <= Date.parse(than) + byMs)

/** Hosts have clocks of their own: only earlier Stillpoints noted no more than when, by this computer's, they copied it. */
function isOf({ uuid, vm, takenAt, at }: CopyRecord, point: Described): boolean {
  if ((uuid ?? vm) !== (uuid === undefined ? point.vm.name : point.vm.uuid)) return false
  return takenAt === undefined
    ? !isLater(point, at, CLOCKS_DIFFER_MS.inBetween)
    : withinYears(takenAt) === withinYears(point.takenAt)
}

/** The host of a place, as copies name it. Undefined: a directory of this computer. */
const hostIn = (label: string): string | undefined => (label.startsWith('/') ? undefined : label.split(':', 1)[0])

const hostsIn = (labels: readonly string[]): string[] => labels.flatMap((label) => hostIn(label) ?? [])

/** A directory of this computer into which no host's point came. */
const isHere = (label: string, copies: readonly CopyRecord[]): boolean => isFirstHand(label, copies, [])

/**
 * No point came there of another host than its own: a copy is worth what was copied, as it was then. `copies`: the oldest first. A place
 * has one point of an id, and nothing is copied over it: only what came last is there.
 */
function isFirstHand(label: string, copies: readonly CopyRecord[], own: readonly string[]): boolean {
  const host = hostIn(label)
  if (host !== undefined && !own.includes(host)) return false
  const last = copies.findLastIndex(({ to }) => to === label)
  const came = copies[last]
  if (came === undefined || (came.hasOwnRam === true && own.length > 0)) return true
  return isFirstHand(came.from, copies.slice(0, last), own)
}
