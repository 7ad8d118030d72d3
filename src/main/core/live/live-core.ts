import { join } from 'node:path'
import { describeFailure } from '../../../shared/failure-words.ts'
import { failureOf } from '../../../shared/failure.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import type { Choices, ChoicesChange } from '../../../shared/views/settings-view.ts'
import { openCore, type Core, type CoreOptions } from '../core.ts'
import { changeChoices, readChoices } from '../settings/choices.ts'
import { keptDamaged } from '../ssh/damaged-keys.ts'
import { Away, type Meanwhile } from './away.ts'
import { awayNotices } from './away-notice.ts'
import { HostNews } from './host-news.ts'
import { jobNotice } from './job-notice.ts'
import { LiveHosts } from './live-hosts.ts'
import { LiveJobs } from './live-jobs.ts'
import { LivePolicies } from './live-policies.ts'
import { LivePoints } from './live-points.ts'
import { LiveValue } from './live-value.ts'
import { Notices, OURS, unread } from './notices.ts'
import { runNotices } from './policy-notices.ts'
import { Questions } from './questions.ts'
import { watchSettings } from './watch-settings.ts'

/** A timer that comes this late has slept: the laptop's lid was shut. */
const BEAT_MS = 5000
const SLEPT_MS = 20_000

/** What a window mirrors, kept true: everything that is known of hosts, points and jobs, as it changes. */
export class LiveCore {
  readonly core: Core
  readonly questions: Questions
  readonly notices: Notices
  readonly hosts: LiveHosts
  readonly points: LivePoints
  readonly jobs: LiveJobs
  readonly policies: LivePolicies
  readonly away: Away
  private readonly news: HostNews
  readonly choices = new LiveValue<Choices>()
  private readonly stops: (() => void)[]
  private beatAt = Date.now()

  constructor(options: Omit<CoreOptions, 'questions' | 'onPlacing'>) {
    this.questions = new Questions()
    this.core = openCore({
      ...options,
      newerSettings: 'leave',
      catchesUp: false,
      questions: this.questions.forConnecting,
      onPlacing: (...placing) => this.hosts.placing(...placing)
    })
    const { folder, settings } = this.core
    this.notices = new Notices(join(folder, 'notices.json'))
    settings.notices.forEach((text, n) => this.tellOfSettings(text, n))
    this.tellOfKeys()
    this.core.history.listen((remark) =>
      this.notices.add({
        host: OURS,
        ...remark,
        at: new Date().toISOString(),
        severity: 'warning',
        goTo: { screen: 'activity' }
      })
    )
    this.points = new LivePoints(this.core)
    this.policies = new LivePolicies(this.core)
    this.away = new Away((meanwhile) => this.cameBack(meanwhile))
    this.jobs = new LiveJobs(this.core, (job, where) => void this.ended([job], where))
    this.news = new HostNews(this)
    this.hosts = new LiveHosts(this.core, this.notices, {
      left: (host) => this.away.left(host),
      contact: (host) => this.news.contact(host),
      moved: (host, folders) => this.news.moved(host, folders),
      down: (host) => this.down(host),
      listed: (names) => {
        this.policies.follow(names)
        void this.points.follow()
      }
    })
    this.readSettings()
    const beat = setInterval(() => this.beat(), BEAT_MS).unref()
    this.stops = [watchSettings(folder, () => this.readSettings()), () => clearInterval(beat)]
  }

  /** The computer has slept, or the network is another one: everything is looked at anew. */
  wake(): void {
    this.points.wake()
    this.hosts.wake()
    void this.points.refresh(undefined)
  }

  change(change: ChoicesChange): void {
    this.choices.set(changeChoices(this.core.settings, change))
  }

  async close(): Promise<void> {
    this.stops.forEach((stop) => stop())
    this.hosts.stop()
    this.jobs.stop()
    // Now, for connections may take longer than there is time.
    await Promise.all([this.keepWhatIsKnown(), this.core.close()])
  }

  /** Whatever was heard is told and written, at once: there may be no time for anything else. Resolves when all of it is. */
  async keepWhatIsKnown(): Promise<void> {
    const told = this.away.stop()
    this.notices.close()
    await Promise.all([told, this.notices.told()])
  }

  /** Settings that cannot be read just now leave everything as it was. */
  readSettings(): void {
    try {
      this.choices.set(readChoices(this.core.settings))
      this.hosts.follow(this.core.settings.read().hosts)
    } catch (error) {
      this.tellOfSettings(describeFailure(failureOf(error)).explanation, 0)
    }
  }

  private beat(): void {
    const now = Date.now()
    if (now - this.beatAt > SLEPT_MS) this.wake()
    this.beatAt = now
  }

  /** Of a policy: asked again where it was changed from here. A host that has just gone says it when it is back. */
  async policiesChanged(host: string): Promise<void> {
    await this.news.askPolicies(host).catch(() => undefined)
    this.readSettings()
  }

  private down(host: string): void {
    this.away.left(host)
    this.policies.down(host)
    void this.points.refresh(host)
  }

  /** What jobs change is looked at when they have ended: points in the store, VMs on their host. All are of one host. */
  async ended(jobs: readonly JobView[], where: 'here' | 'on its host'): Promise<void> {
    const isSeen = ({ host }: JobView): boolean => where === 'here' || this.away.isHere(host)
    this.away.gather({ jobs: jobs.filter((job) => !isSeen(job)), runs: [] })
    const seen = jobs.filter(isSeen)
    await this.notices.addInTurns(seen, (job) => [jobNotice(job, this.choices.value)])
    for (const host of new Set(seen.map((job) => job.host))) {
      this.hosts.refresh(host)
      void this.points.refresh(host)
    }
    if (seen.some(({ kind }) => kind === 'copy' || kind === 'verify')) void this.points.refresh(undefined)
  }

  private async cameBack(meanwhile: Meanwhile): Promise<void> {
    const wasTold = (host: string, id: string): boolean => this.jobs.wasTold({ host, id })
    // Before anybody's runs have their turns: no host's story waits for what another has to say.
    this.notices.addEach(awayNotices(meanwhile, this.choices.value, wasTold))
    await this.notices.addInTurns(meanwhile.runs, (run) =>
      unread(runNotices({ ...run, missedCount: 0, state: 'done' }))
    )
  }

  /** The log of errors cannot be written, or something in its place made way. */
  notLogged(text: string): void {
    const at = new Date().toISOString()
    const title = 'Something is wrong with the log of errors'
    this.notices.add({ id: `not-logged-${at}`, host: OURS, at, severity: 'warning', title, text })
  }

  /** Once for the same lines, also where another Stillpoint or the terminal has put them aside. */
  private tellOfKeys(): void {
    const { words, mark } = keptDamaged(this.core.folder)
    const about = {
      id: `known-hosts-${mark}`,
      host: OURS,
      at: new Date().toISOString(),
      severity: 'warning',
      title: 'Some known host keys cannot be read',
      goTo: { screen: 'settings' }
    } as const
    this.notices.addAll([...this.core.keyNotices, ...words].map((text) => ({ ...about, text })))
  }

  private tellOfSettings(text: string, n: number): void {
    this.notices.add({
      id: `settings-${new Date().toISOString()}-${n}`,
      host: OURS,
      at: new Date().toISOString(),
      severity: 'warning',
      title: describeFailure({ kind: 'io', path: this.core.settings.path, code: '', detail: text }).title,
      text,
      goTo: { screen: 'settings' }
    })
  }
}
