import { failureOf, isFailure } from '../../../shared/failure.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import type { Core } from '../core.ts'
import { askForPast, CLOCKS_DIFFER_MS } from '../jobs/catch-up.ts'
import { adoptionNotice } from './adoption-notice.ts'
import type { Away } from './away.ts'
import type { Folder } from './folder-script.ts'
import type { LiveJobs } from './live-jobs.ts'
import type { LivePoints } from './live-points.ts'
import type { LivePolicies } from './live-policies.ts'
import { unread, type Notices } from './notices.ts'
import { policyNotices, runNotices, untoldNotice } from './policy-notices.ts'

/** Jobs and runs that end between two looks at a host, a second apart. */
const MOST_AT_ONCE = 20

interface Parts {
  readonly core: Core
  readonly jobs: LiveJobs
  readonly policies: LivePolicies
  readonly points: LivePoints
  readonly notices: Notices
  readonly away: Away
  /** Jobs of one host ended that were not told yet. */
  ended(jobs: readonly JobView[], where: 'on its host'): Promise<void>
}

/** How much a host has brought that nothing was known of before, as far as it has said. */
interface Brought {
  jobs?: number
  runs?: number
}

/** What a host has to tell: everything when it comes into contact, then what moves on it. Each is told as soon as it is heard. */
export class HostNews {
  private readonly parts: Parts
  /** Hosts that are met for the first time, until they have said all: that may take several contacts. */
  private readonly met = new Map<string, Brought>()

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** What ended meanwhile is gathered into one story; of a host that nothing was known of, it is what the host brought. */
  async contact(host: string): Promise<void> {
    const { jobs, policies, points, away } = this.parts
    await Promise.all([jobs.remembered, policies.remembered])
    const brought = this.broughtBy(host)
    await this.askPolicies(host)
    await this.askJobs(host, 'atContact', (ended) => {
      if (brought !== undefined && brought.jobs === undefined) brought.jobs = ended.length
      else away.gather({ jobs: ended, runs: [] })
    })
    await this.askRuns(host, 'atContact', (ended) => {
      if (brought !== undefined && brought.runs === undefined) brought.runs = ended.length
      else away.gather({ jobs: [], runs: ended })
    })
    this.met.delete(host)
    away.back(host)
    const looking = points.refresh(host)
    if (brought !== undefined) void looking.then(() => this.adopted(host, brought))
  }

  async moved(host: string, folders: readonly Folder[]): Promise<void> {
    if (folders.includes('jobs')) await this.askJobs(host, 'inBetween', (jobs) => this.ended(host, jobs))
    if (!folders.some((folder) => folder !== 'jobs')) return
    await this.askPolicies(host)
    if (folders.includes('policies')) void this.parts.points.follow()
    await this.askRuns(host, 'inBetween', (runs) => this.ran(host, runs))
  }

  /** Undefined: the host was known before. */
  private broughtBy(host: string): Brought | undefined {
    const { jobs, policies } = this.parts
    const brought = this.met.get(host) ?? (jobs.isNew(host) && policies.isNew(host) ? {} : undefined)
    if (brought !== undefined) this.met.set(host, brought)
    return brought
  }

  private async ran(host: string, runs: readonly RunReport[]): Promise<void> {
    const { notices, points, away } = this.parts
    if (runs.length > MOST_AT_ONCE) away.gather({ jobs: [], runs })
    else await notices.addInTurns(runs, (run) => unread(runNotices(run)))
    if (runs.length > 0) void points.refresh(host)
  }

  /** So many at once are one story, and one look at what they changed. */
  private async ended(host: string, jobs: readonly JobView[]): Promise<void> {
    const { away, points } = this.parts
    if (jobs.length <= MOST_AT_ONCE) {
      await this.parts.ended(jobs, 'on its host')
      return
    }
    away.gather({ jobs, runs: [] })
    void points.refresh(host)
  }

  /** A host that answers and cannot say it keeps what it last said, and the reason is told. @throws where nobody answers */
  async askPolicies(host: string): Promise<void> {
    const { policies, notices } = this.parts
    try {
      const said = await policies.refresh(host)
      notices.addAll(policyNotices(said, new Date()))
    } catch (error) {
      if (isFailure(error, 'connection-lost', 'host-unreachable', 'timeout')) throw error
      policies.down(host)
      notices.add(untoldNotice(host, failureOf(error), new Date()))
    }
  }

  /** `told`: what ended, of which nobody has heard yet. @throws what asking fails with */
  private async askJobs(
    host: string,
    when: keyof typeof CLOCKS_DIFFER_MS,
    told: (ended: readonly JobView[]) => unknown
  ): Promise<void> {
    const { core, jobs } = this.parts
    await core.history.hasTaken(host)
    const engine = await core.connections.engine(host)
    await askForPast({
      kind: 'job',
      host,
      history: core.history,
      known: jobs.known(host),
      differMs: CLOCKS_DIFFER_MS[when],
      ask: (question) => engine.call('jobs', question),
      heard: async (reports, isNews) => told((await jobs.heard(host, reports)).filter(isNews))
    })
  }

  /** The same of runs. */
  private async askRuns(
    host: string,
    when: keyof typeof CLOCKS_DIFFER_MS,
    told: (ended: readonly RunReport[]) => unknown
  ): Promise<void> {
    const { core, policies } = this.parts
    await core.history.hasTaken(host)
    const engine = await core.connections.engine(host)
    await askForPast({
      kind: 'run',
      host,
      history: core.history,
      known: policies.known(host),
      differMs: CLOCKS_DIFFER_MS[when],
      ask: (question) => engine.call('runs', question),
      heard: async (reports, isNews) => told((await policies.heardRuns(reports)).filter(isNews))
    })
  }

  private adopted(host: string, { jobs = 0 }: Brought): void {
    const { policies, points, notices } = this.parts
    const inPlace = (points.all.value?.points ?? []).filter(({ places }) => places.some((place) => place.host === host))
    const schedules = policies.of(host)?.policies.length ?? 0
    const notice = adoptionNotice(host, { schedules, points: inPlace.length, jobs })
    if (notice !== undefined) notices.add(notice)
  }
}
