import { setTimeout as sleep } from 'node:timers/promises'
import { fail, failureOf } from '../../../shared/failure.ts'
import { isEnded, type JobReport, type Progress } from '../../../shared/model/job.ts'
import type { JobLive, JobView } from '../../../shared/views/job-view.ts'
import type { Core } from '../core.ts'
import type { Known } from '../jobs/catch-up.ts'
import { FollowTurns } from '../jobs/follow-turns.ts'
import { cancelJob, newJobId, watchJob } from '../jobs/jobs.ts'
import { DistinctIds, Recent, withoutFormerNames } from '../jobs/whose-job.ts'
import { HeardOfJob, type Watched } from '../jobs/follow-job.ts'
import { fairShare, knownCharacters, newestWithin } from './fair-share.ts'
import { MOST_HELD } from './held-in-short.ts'
import { eachInTurns, OneByOne, oldestFirst } from './in-turns.ts'
import { JobRecord, viewOfReport } from './job-record.ts'
import { LiveValue } from './live-value.ts'

const LIST_EVERY_MS = 100
const LIVE_EVERY_MS = 200
const MOST_ENDED = 1000
const MOST_ENDED_HELD = 2000
const FOLLOW_AGAIN_MS = 5000

/** Work that Stillpoint does itself: it ends with it. */
export interface Task {
  readonly view: Omit<
    JobView,
    'id' | 'state' | 'startedAt' | 'pauses' | 'pauseMs' | 'phases' | 'warnings' | 'retryable'
  >
  /** What it adds to its view in the end; a job of a host under the same id goes on from there. */
  run(context: TaskContext): Promise<Partial<JobView> | 'handed over'>
}

export interface TaskContext {
  readonly id: string
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
  /** Stands in the job, however that ends. */
  readonly onWarning: (text: string) => void
}

type AskAgain = () => Promise<{ readonly id: string }>

/** Where it ran: this computer's own work is news also while its host is away. */
type OnEnd = (job: JobView, where: 'here' | 'on its host') => void

const MOST_ASKED = 1000

/** Far more than a host runs at a time: each of them is followed. */
const MOST_OPEN_OF_HOST = 100

/** More running jobs than a host can have are not believed: they would all have to be followed. */
class RoomForOpen {
  private left: number

  constructor(known: number) {
    this.left = MOST_OPEN_OF_HOST - known
  }

  /** For one more; false: there is none. */
  take(): boolean {
    this.left -= 1
    return this.left >= 0
  }
}

/** All jobs that are known: those of the hosts, followed while they run, and those of this computer. */
export class LiveJobs {
  readonly all = new LiveValue<readonly JobView[]>(LIST_EVERY_MS)
  readonly live = new LiveValue<readonly JobLive[]>(LIVE_EVERY_MS, [])
  private readonly core: Core
  private readonly onEnd: OnEnd
  /** Of everything that has ended and was told, also what is too old to be listed. */
  private readonly told = new Recent()
  /** By these jobs are known here, and to a window. */
  private readonly ids = new DistinctIds()
  /** Resolves when the jobs of the history are known: nothing is told of hosts before. */
  readonly remembered: Promise<void>
  private isRemembered = false
  private readonly records = new Map<string, JobRecord>()
  /** Their hosts, by job. */
  private readonly following = new Map<string, string>()
  private readonly tasks = new Map<string, AbortController>()
  /** What was asked for from here, to be asked for again: no host has a say in what that is. */
  private readonly asked = new Map<string, AskAgain>()
  private readonly stopped = new AbortController()
  private readonly hearing = new OneByOne()

  /** By host. */
  private readonly turns = new Map<string, FollowTurns>()

  constructor(core: Core, onEnd: OnEnd) {
    this.core = core
    this.onEnd = onEnd
    this.remembered = this.remember()
  }

  private async remember(): Promise<void> {
    const { history, settings } = this.core
    const past = withoutFormerNames(await history.jobs({ newest: MOST_ENDED_HELD }), settings)
    for (const report of past.map((each) => this.shown(each)))
      if (!this.records.has(report.id)) this.records.set(report.id, new JobRecord(viewOfReport(report), new Date()))
    for (const { host, ids } of await history.idsByHost('job')) for (const id of ids) this.told.add({ host, id })
    this.trim()
    this.isRemembered = true
    this.tell()
  }

  /** Nothing of this host has been heard yet, now or by an earlier Stillpoint. */
  isNew(host: string): boolean {
    return ![...this.records.values()].some(({ view }) => view.host === host)
  }

  /** What is known of a host: it is asked for what comes after. */
  known(host: string): readonly Known[] {
    const ofHost = [...this.records.values()].filter(({ view }) => view.host === host && !this.tasks.has(view.id))
    // One that needs its operator and has no end may still be put right: its host goes on trying.
    return ofHost.map(({ view, isOpen }) => ({ id: view.id, isOpen: isOpen || view.endedAt === undefined }))
  }

  /** What a host says of its jobs: those that run are followed. Returns those that ended and were not told yet, oldest first. */
  heard(host: string, reports: readonly JobReport[]): Promise<readonly JobView[]> {
    void this.core.history.addJobs(reports)
    return this.hearing.run(host, async () => {
      const ended: JobView[] = []
      const room = new RoomForOpen(this.openOf(host))
      await eachInTurns(oldestFirst(reports), (report) => ended.push(...this.heardOne(host, report, room)))
      this.trim()
      this.tell()
      return ended
    })
  }

  /** How many of its jobs run, or are still followed: a host may say in its list that one has ended, and not to who follows it. */
  private openOf(host: string): number {
    const open = [...this.records.values()].filter(({ view, isOpen }) => view.host === host && isOpen)
    const followed = [...this.following].filter(([, of]) => of === host)
    return new Set([...open.map(({ view }) => view.id), ...followed.map(([id]) => id)]).size
  }

  /** The job, if it has ended and was not told yet. */
  private heardOne(host: string, report: JobReport, room: RoomForOpen): readonly JobView[] {
    if (this.told.has(report)) return []
    const record = new JobRecord(viewOfReport(this.shown(report)), new Date())
    knownCharacters(record.view)
    if (isEnded(report.state)) this.records.set(record.view.id, record)
    else this.heardOpen(host, record, room)
    if (!isEnded(report.state) || report.endedAt === undefined) return []
    this.told.add(report)
    return [record.view]
  }

  private heardOpen(host: string, record: JobRecord, room: RoomForOpen): void {
    const { id } = record.view
    if (this.following.has(id)) return
    if (this.records.get(id)?.isOpen !== true && !room.take()) return
    this.records.set(id, record)
    this.follow(host, id)
  }

  /** A job that has just been handed to its host. */
  began(host: string, said: JobView): void {
    const view = this.shown(said)
    if (!this.records.has(view.id)) this.records.set(view.id, new JobRecord(view, new Date()))
    this.follow(host, view.id)
    this.tell()
  }

  find(id: string): JobView | undefined {
    return this.records.get(id)?.view
  }

  askedFor(id: string, again: AskAgain): void {
    this.asked.set(id, again)
    for (const oldest of this.asked.keys()) {
      if (this.asked.size <= MOST_ASKED) break
      this.asked.delete(oldest)
    }
    this.tell()
  }

  /** Asks for the same again. Undefined: it was not asked for from here since Stillpoint started. */
  again(id: string): AskAgain | undefined {
    return this.asked.get(id)
  }

  /** It ended, and was told. `id`: as its host calls it. */
  wasTold(job: { readonly host: string; readonly id: string }): boolean {
    return this.told.has(job)
  }

  /** As its host calls it. */
  idOnHost(id: string): string {
    return this.ids.onHost(id)
  }

  isOurs(id: string): boolean {
    return this.tasks.has(id)
  }

  /** Resolves when it is confirmed. A job that had ended stays as it ended. */
  async cancel(id: string): Promise<void> {
    const record = this.records.get(id) ?? fail({ kind: 'not-found', what: 'job', name: id })
    if (!record.isOpen) return
    record.cancelling()
    this.tellLive()
    const task = this.tasks.get(id)
    if (task !== undefined) task.abort()
    else await cancelJob(this.core, record.view.host, this.idOnHost(id))
  }

  /** Starts work of this computer, and returns its id at once. */
  start(task: Task): string {
    const id = this.ids.shownAs({ host: task.view.host, id: newJobId() })
    const stop = new AbortController()
    const startedAt = new Date().toISOString()
    const view: JobView = {
      ...task.view,
      id,
      state: 'running',
      startedAt,
      pauses: [],
      pauseMs: 0,
      phases: [],
      warnings: [],
      retryable: false
    }
    const record = new JobRecord(view, new Date())
    this.records.set(id, record)
    this.tasks.set(id, stop)
    this.tell()
    const onProgress = (progress: Progress): void => {
      record.progress(progress, new Date())
      this.tellLive()
    }
    const onWarning = (text: string): void => {
      record.view = { ...record.view, warnings: [...record.view.warnings, text] }
    }
    void this.finish(id, task, { id, signal: stop.signal, onProgress, onWarning })
    return id
  }

  stop(): void {
    this.stopped.abort()
    this.tasks.forEach((task) => task.abort())
  }

  private async finish(id: string, task: Task, context: TaskContext): Promise<void> {
    const end = await task.run(context).catch((error: unknown): Partial<JobView> => {
      const failure = failureOf(error)
      const isCancel = failure.kind === 'cancelled' || context.signal.aborted
      return { state: isCancel ? 'cancelled' : 'failed-clean', failure, retryable: true }
    })
    this.tasks.delete(id)
    const record = this.records.get(id)
    if (end === 'handed over' || record === undefined) return
    const state = record.view.warnings.length > 0 ? 'done-with-warnings' : 'done'
    record.view = { ...record.view, state, endedAt: new Date().toISOString(), ...end }
    this.tell()
    this.onEnd(record.view, 'here')
  }

  private follow(host: string, id: string): void {
    if (this.following.has(id) || this.stopped.signal.aborted) return
    this.following.set(id, host)
    void this.followToEnd(host, id).finally(() => this.following.delete(id))
  }

  /** Goes on for as long as it takes, and from where it was: a host that is away for days is asked again when it is back. */
  private async followToEnd(host: string, id: string): Promise<void> {
    const { signal } = this.stopped
    const heard = new HeardOfJob()
    while (!signal.aborted) {
      try {
        const onWatched = (what: Watched): void => this.watched(id, what)
        const report = await watchJob(this.core, host, this.idOnHost(id), {
          onWatched,
          signal,
          turns: this.turnsOf(host),
          heard
        })
        this.ended(report)
        return
      } catch (error) {
        if (failureOf(error).kind === 'not-found') {
          this.forget(id)
          return
        }
        await sleep(FOLLOW_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined)
      }
    }
  }

  private turnsOf(host: string): FollowTurns {
    const turns = this.turns.get(host) ?? new FollowTurns()
    this.turns.set(host, turns)
    return turns
  }

  private watched(id: string, what: Watched): void {
    const isNews = this.records.get(id)?.watched(what, new Date()) ?? false
    if (isNews) this.tell()
    else this.tellLive()
  }

  /** Unless the host's own list has said so meanwhile. */
  private ended(report: JobReport): void {
    if (this.told.has(report)) return
    if (report.endedAt !== undefined) this.told.add(report)
    const record = new JobRecord(viewOfReport(this.shown(report)), new Date())
    this.records.set(record.view.id, record)
    this.tell()
    this.onEnd(record.view, 'on its host')
  }

  /** The host was rebuilt, or removed. */
  private forget(id: string): void {
    this.records.delete(id)
    this.tell()
  }

  private shown<T extends JobReport | JobView>(report: T): T {
    return { ...report, id: this.ids.shownAs(report) }
  }

  /** A year of hourly backups need not be held, nor reports without end: the history has them. */
  private trim(): void {
    const ended = [...this.records.values()].flatMap(({ view, isOpen }) => (isOpen ? [] : [view]))
    const within = newestWithin(ended, MOST_HELD.ofHost)
    const kept = new Set(within.length <= 2 * MOST_ENDED_HELD ? within : fairShare(within, MOST_ENDED_HELD))
    for (const view of ended) if (!kept.has(view)) this.records.delete(view.id)
  }

  private tell(): void {
    if (this.isRemembered) this.all.renew(() => this.listed())
    this.tellLive()
  }

  private listed(): readonly JobView[] {
    const views = [...this.records.values()]
      .map(({ view }) => this.withBeginning(this.asOurs(view)))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
    const ended = views.filter(({ state }) => isEnded(state))
    return [...views.filter(({ state }) => !isEnded(state)), ...fairShare(ended, MOST_ENDED)]
  }

  /** A restore can bring a point from one host to another: none is begun again because a host says what it was. */
  private asOurs(view: JobView): JobView {
    if (this.tasks.has(view.id)) return { ...view, isHere: true }
    const isAsked = view.kind !== 'restore' || this.asked.has(view.id)
    return view.retryable && !isAsked ? { ...view, retryable: false } : view
  }

  /** What is known here of a restore that was begun here. */
  private withBeginning(view: JobView): JobView {
    const begun = view.kind === 'restore' ? this.core.history.begun(view.host, this.ids.onHost(view.id)) : undefined
    if (begun === undefined) return view
    const { point: id, vm, takenAt, at, places } = begun
    const { hosts, isOurs } = this.core.history.told.of({ id, vm, takenAt }, places)
    return { ...view, begun: { at, vm: vm.uuid, toldBy: hosts, isOurs } }
  }

  private tellLive(): void {
    this.live.renew(() => [...this.records.values()].filter(({ isOpen }) => isOpen).map(({ live }) => live))
  }
}
