import type { RunReport } from '../../../shared/model/policy.ts'
import type { HostPolicies, PoliciesView, PolicyState } from '../../../shared/views/policy-view.ts'
import type { Core } from '../core.ts'
import type { Known } from '../jobs/catch-up.ts'
import { DistinctIds, keyOf, withoutFormerNames } from '../jobs/whose-job.ts'
import { lastPolicies, readPolicies } from '../policies/read-policies.ts'
import { fairShare, knownCharacters, newestWithin } from './fair-share.ts'
import { inShort, MOST_HELD, withinCharacters } from './held-in-short.ts'
import { eachInTurns, OneByOne, oldestFirst } from './in-turns.ts'
import { LiveValue } from './live-value.ts'

const TELL_EVERY_MS = 100
const MOST_RUNS = 1000

/** The policies of every host, as it says or last said, and how their runs went. */
export class LivePolicies {
  readonly all = new LiveValue<PoliciesView>(TELL_EVERY_MS)
  readonly runs = new LiveValue<readonly RunReport[]>(TELL_EVERY_MS)
  private readonly core: Core
  private readonly hosts = new Map<string, HostPolicies | undefined>()
  /** By these runs are known here, and to a window. */
  private readonly ids = new DistinctIds()
  /** By what their hosts call them. */
  private readonly reports = new Map<string, RunReport>()
  private readonly hearing = new OneByOne()
  /** By host: how often it was down. */
  private readonly downs = new Map<string, number>()
  /** Resolves when the runs of the history are known. */
  readonly remembered: Promise<void>

  constructor(core: Core) {
    this.core = core
    this.tell()
    this.remembered = this.remember()
  }

  /** The hosts of the settings: of those that are new here, what they last said is remembered. */
  follow(names: readonly string[]): void {
    for (const known of this.hosts.keys()) if (!names.includes(known)) this.hosts.delete(known)
    for (const name of names) if (!this.hosts.has(name)) this.hosts.set(name, this.last(name))
    this.tell()
  }

  /** What is remembered is short. */
  private last(name: string): HostPolicies | undefined {
    const said = lastPolicies(this.core, name)
    return said && { ...said, ...restInShort(said), policies: said.policies.map(stateInShort(said)) }
  }

  /** It never said anything of policies, now or to an earlier Stillpoint. */
  isNew(host: string): boolean {
    return this.hosts.get(host) === undefined
  }

  of(host: string): HostPolicies | undefined {
    return this.hosts.get(host)
  }

  /** Asks the host. @throws what asking fails with; what it last said stays */
  async refresh(host: string): Promise<HostPolicies> {
    const downs = this.downs.get(host)
    const answer = await readPolicies(this.core, host)
    return this.hearing.run(host, async () => {
      const said = await heldInTurns(answer)
      const held = { ...said, reachable: this.downs.get(host) === downs }
      if (this.hosts.has(host)) this.hosts.set(host, held)
      this.tell()
      return held
    })
  }

  down(host: string): void {
    this.downs.set(host, (this.downs.get(host) ?? 0) + 1)
    const last = this.hosts.get(host)
    if (last === undefined) return
    this.hosts.set(host, { ...last, reachable: false })
    this.tell()
  }

  /** What runs are known of a host: it is asked for what comes after. */
  known(host: string): readonly Known[] {
    const ofHost = [...this.reports.values()].filter((run) => run.host === host)
    return ofHost.map(({ id, endedAt }) => ({ id, isOpen: endedAt === undefined }))
  }

  /** What a host says of runs. Returns those that ended and were not heard of before, oldest first. */
  async heardRuns(reports: readonly RunReport[]): Promise<readonly RunReport[]> {
    void this.core.history.addRuns(reports)
    const ended: RunReport[] = []
    await eachInTurns(oldestFirst(reports), (report) => {
      if (!this.isOpen(report)) return
      const run = this.shown(report)
      knownCharacters(run)
      this.reports.set(keyOf(report), run)
      if (run.endedAt !== undefined) ended.push(run)
    })
    this.trim()
    this.tellRuns()
    return ended
  }

  private async remember(): Promise<void> {
    const { history, settings } = this.core
    for (const run of withoutFormerNames(await history.runs({ newest: MOST_RUNS }), settings))
      if (!this.reports.has(keyOf(run))) this.reports.set(keyOf(run), this.shown(run))
    this.trim()
    this.tellRuns()
  }

  /** Not known, or not known to have ended. */
  private isOpen(run: RunReport): boolean {
    return this.reports.get(keyOf(run))?.endedAt === undefined
  }

  private shown(run: RunReport): RunReport {
    return inShort({ ...run, id: this.ids.shownAs(run) }, MOST_HELD.ofRun)
  }

  private trim(): void {
    const within = newestWithin([...this.reports.values()], MOST_HELD.ofHost)
    const kept = new Set(within.length <= 2 * MOST_RUNS ? within : fairShare(within, MOST_RUNS))
    for (const [key, run] of this.reports) if (!kept.has(run)) this.reports.delete(key)
  }

  private tell(): void {
    const all = [...this.hosts.values()]
    const hosts = all.flatMap((each) => each ?? []).sort((a, b) => a.host.localeCompare(b.host))
    this.all.set({ hosts, known: all.every((each) => each !== undefined) })
  }

  private tellRuns(): void {
    this.runs.set(fairShare([...this.reports.values()], MOST_RUNS))
  }
}

/** Some of them at a time: a host may have a hundred, each with a last run of thousands of VMs. */
async function heldInTurns(said: HostPolicies): Promise<HostPolicies> {
  const policies: PolicyState[] = []
  const held = stateInShort(said)
  await eachInTurns(said.policies, (state) => void policies.push(held(state)))
  return { ...said, policies, ...restInShort(said) }
}

/** Policies are held as they are, since they are changed from here; what is told of runs and messages in short. */
function stateInShort({ policies }: HostPolicies): (state: PolicyState) => PolicyState {
  const most = Math.min(MOST_HELD.ofRun, MOST_HELD.ofHost / policies.length)
  return (state) => (state.lastRun === undefined ? state : { ...state, lastRun: inShort(state.lastRun, most) })
}

const restInShort = ({ broken, outbox }: HostPolicies): Pick<HostPolicies, 'broken' | 'outbox'> => ({
  broken: withinCharacters(broken, MOST_HELD.ofRun),
  outbox: withinCharacters(outbox, MOST_HELD.ofRun)
})
