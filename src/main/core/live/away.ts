import type { RunReport } from '../../../shared/model/policy.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { charactersOf, MOST_HELD } from './held-in-short.ts'

/** What is told of a job that ended while nobody here could see it: the rest of its report is not held for that. */
export type MissedJob = Pick<JobView, 'id' | 'kind' | 'host' | 'vm' | 'state' | 'startedAt' | 'endedAt'>

/** What ended while nobody here could see it, or so much at once that it is one story. */
export interface Meanwhile {
  readonly jobs: readonly MissedJob[]
  readonly runs: readonly RunReport[]
  /** Hosts that were watched when any of this ended on them. */
  readonly seenOn?: ReadonlySet<string>
}

/** Hosts that come back within this time of each other are one story. */
const SETTLE_MS = 5000
/** And no longer than so many times that: one that has news without end must not keep the others' story. */
const SETTLES_AT_MOST = 6
/** Of more no story is kept waiting: reports, and characters of them. */
const MOST_GATHERED = { reports: 5000, characters: MOST_HELD.ofHost } as const

/**
 * Which hosts are watched just now, and what ended on the others: gathered and told once, when they have come back. By
 * connection, not by time of day: no two clocks have to agree.
 */
export class Away {
  private readonly here = new Set<string>()
  private readonly tell: (meanwhile: Meanwhile) => unknown
  private readonly settleMs: number
  private gathered: Meanwhile = { jobs: [], runs: [] }
  /** Hosts of which some of it was not seen. */
  private readonly missedOn = new Set<string>()
  private characters = 0
  private gatheredSince: number | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(tell: (meanwhile: Meanwhile) => unknown, settleMs = SETTLE_MS) {
    this.tell = tell
    this.settleMs = settleMs
  }

  isHere(host: string): boolean {
    return this.here.has(host)
  }

  back(host: string): void {
    this.here.add(host)
  }

  left(host: string): void {
    this.here.delete(host)
  }

  gather({ jobs, runs }: Meanwhile): void {
    if (jobs.length === 0 && runs.length === 0) return
    const missed = jobs.map((job) => missedOf(job))
    for (const each of [...missed, ...runs]) {
      this.characters += charactersOf(each)
      if (!this.isHere(each.host)) this.missedOn.add(each.host)
    }
    this.gathered = { jobs: [...this.gathered.jobs, ...missed], runs: [...this.gathered.runs, ...runs] }
    clearTimeout(this.timer)
    if (this.isMuch()) this.settle()
    else this.timer = setTimeout(() => this.settle(), this.waitMs()).unref()
  }

  /** What is gathered is not lost with the window. Resolves when it is told. */
  async stop(): Promise<void> {
    if (this.timer !== undefined) await this.settle()
  }

  private isMuch(): boolean {
    const { jobs, runs } = this.gathered
    return jobs.length + runs.length >= MOST_GATHERED.reports || this.characters >= MOST_GATHERED.characters
  }

  private waitMs(): number {
    const now = performance.now()
    this.gatheredSince ??= now
    return Math.max(0, Math.min(this.settleMs, this.gatheredSince + this.settleMs * SETTLES_AT_MOST - now))
  }

  private settle(): unknown {
    clearTimeout(this.timer)
    this.timer = undefined
    this.gatheredSince = undefined
    const { jobs, runs } = this.gathered
    const seenOn = new Set([...jobs, ...runs].map(({ host }) => host).filter((host) => !this.missedOn.has(host)))
    this.gathered = { jobs: [], runs: [] }
    this.missedOn.clear()
    this.characters = 0
    return this.tell({ jobs, runs, seenOn })
  }
}

const missedOf = ({ id, kind, host, vm, state, startedAt, endedAt }: MissedJob): MissedJob => ({
  ...{ id, kind, host, vm, state, startedAt },
  ...(endedAt !== undefined && { endedAt })
})
