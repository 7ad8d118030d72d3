import { randomBytes } from 'node:crypto'
import { isEnded, type JobReport } from '../../../shared/model/job.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import { formatBytes } from '../../../shared/format.ts'
import { CharactersInTurns } from '../../../shared/turns.ts'
import { DailyRoom, type DailyLimits } from './daily-room.ts'
import { errorCode, HistoryFiles, type HistoryFile, type HistoryLimits } from './history-files.ts'
import {
  LONGEST_LINE_BYTES,
  LONGEST_WRITTEN_BYTES,
  inBrief,
  textOf,
  type BegunRestore,
  type CopyRecord,
  type FoundLine,
  type HistoryLine,
  type LinesRead
} from './history-lines.ts'
import { ToldPoints } from './told-points.ts'

/** Something about the history that the operator should hear, once under its id. */
export interface HistoryRemark {
  readonly id: string
  readonly title: string
  readonly text: string
}

export interface Limits extends HistoryLimits, DailyLimits {}

/**
 * A backup takes 1 to 2 KB here, and half of that where there are many (`inBrief`): 128 MiB are a hundred VMs backed up nightly for
 * two years, and their downtime stands in their points as well. A host of 300 VMs that are backed up each hour makes 7,200 jobs and
 * up to 8 MiB a day; what fails has a tenth more (`DailyRoom`). With what is kept of its points (2 MiB), its policies (1 MiB), its
 * notices (2 MiB) and the bugs that it meets (`errors.log`, half a MiB) that is less than 16 MB, whatever noise it makes. One that is
 * met for the first time brings a thousand jobs, and a thousand runs of maybe a hundred VMs each, 25 MiB: the oldest of them are
 * asked for again on the next days.
 */
export const HISTORY_LIMITS: Limits = {
  fileBytes: 8 << 20,
  totalBytes: 128 << 20,
  damagedBytes: 8 << 20,
  entriesOfHostAndDay: 20_000,
  bytesOfHostAndDay: 8 << 20
}

type Kind = 'job' | 'run'
type Report = JobReport | RunReport

interface ToWrite<T> {
  readonly report: T
  readonly line: HistoryLine
  readonly text: string
  readonly bytes: number
}

/** Which reports are wanted. */
export interface Wanted<T> {
  readonly isMeant?: (report: T) => boolean
  /** Only so many, the youngest by their ids: however long the history is, no more than twice as many are held. */
  readonly newest?: number
}

/**
 * Every job and every run of a policy that ended, and every copy, oldest first: in files that are read as streams. Nothing
 * here throws. What cannot be read or written is told, and hides nothing else.
 */
export class History {
  /** As far as the history has been looked through. */
  readonly told = new ToldPoints()
  private readonly files: HistoryFiles
  private readonly limits: Limits
  private readonly room: DailyRoom
  private readonly now: () => Date
  /** How far each file has been looked through. */
  private readonly looked = new Map<string, number>()
  /** By host: whoever reports the id of another host's job has not reported that job. */
  private readonly known: Record<Kind, Map<string, Set<string>>> = { job: new Map(), run: new Map() }
  /** By host: the oldest one that there was no room for, and that has not been asked for again. */
  private readonly leftOut: Record<Kind, Map<string, string>> = { job: new Map(), run: new Map() }
  private readonly leftOutWritten = new Set<string>()
  /** Of which day they were last asked again. */
  private readonly askedAgain = new Map<string, string>()
  /** By host and job. */
  private readonly restores = new Map<string, BegunRestore>()
  private readonly remarks = new Map<string, HistoryRemark>()
  private readonly listeners = new Set<(remark: HistoryRemark) => void>()
  private queue: Promise<unknown> = Promise.resolve()
  private once: Promise<void> | undefined
  /** By host: of how many reports it is not known yet whether they can be written. */
  private readonly unwritten = new Map<string, number>()

  constructor(path: string, limits: Limits = HISTORY_LIMITS, now: () => Date = () => new Date()) {
    this.files = new HistoryFiles(path, limits)
    this.limits = limits
    this.room = new DailyRoom(limits)
    this.now = now
  }

  /** Hears of everything that is remarked, also of what was before. */
  listen(listener: (remark: HistoryRemark) => void): void {
    this.listeners.add(listener)
    this.remarks.forEach((remark) => listener(remark))
  }

  /** Each job of a host once, however many controllers wrote it down. */
  jobs(wanted: Wanted<JobReport> = {}): Promise<JobReport[]> {
    return this.reports((line) => (line.type === 'job' ? line.report : undefined), wanted)
  }

  /** Each run of a host once. */
  runs(wanted: Wanted<RunReport> = {}): Promise<RunReport[]> {
    return this.reports((line) => (line.type === 'run' ? line.report : undefined), wanted)
  }

  /** Each once: what was written twice says the same. */
  async copies(): Promise<CopyRecord[]> {
    const copies = new Map<string, CopyRecord>()
    await this.eachLine((line) => {
      if (line.type === 'copy') copies.set(JSON.stringify(line.copy), line.copy)
    })
    return [...copies.values()]
  }

  /** Those of a host that are written down. */
  async idsOf(kind: Kind, host: string): Promise<ReadonlySet<string>> {
    return this.inTurn(async () => {
      await this.look()
      return new Set(this.known[kind].get(host))
    })
  }

  /** All that are written down, by host. */
  async idsByHost(kind: Kind): Promise<readonly { readonly host: string; readonly ids: readonly string[] }[]> {
    return this.inTurn(async () => {
      await this.look()
      return [...this.known[kind]].map(([host, ids]) => ({ host, ids: [...ids] }))
    })
  }

  /** Writes down those that are new and whose journal has an end; a job that only looks dead may still be recovered. */
  addJobs(reports: readonly JobReport[]): Promise<JobReport[]> {
    const ended = reports.filter(({ state, endedAt }) => isEnded(state) && endedAt !== undefined)
    return this.add('job', ended, (report, writtenAt) => ({ type: 'job', report, writtenAt }))
  }

  /** Writes down those that are new and have ended. */
  addRuns(reports: readonly RunReport[]): Promise<RunReport[]> {
    const ended = reports.filter(({ endedAt }) => endedAt !== undefined)
    return this.add('run', ended, (report, writtenAt) => ({ type: 'run', report, writtenAt }))
  }

  /**
   * From where on a host is to be asked once more, as far as the history has been looked through: there was no room for everything.
   * Undefined: nothing is missing, or it has been asked today, and there will not be more room before tomorrow.
   */
  oldestLeftOut(kind: Kind, host: string): string | undefined {
    return this.askedAgain.get(`${kind} ${host}`) === this.today() ? undefined : this.leftOut[kind].get(host)
  }

  /**
   * A host has answered for everything from `askedFrom`, its `oldestLeftOut`, on: what there is still no room for is all that is missing. `add`
   * begins at once, so that nobody's lines are waited for.
   */
  async addAgain(kind: Kind, host: string, askedFrom: string, add: () => unknown): Promise<void> {
    this.askedAgain.set(`${kind} ${host}`, this.today())
    let before: string | undefined
    void this.inTurn(async () => {
      await this.look()
      before = this.leftOut[kind].get(host)
      // What there was no room for since, and is older, was not asked for.
      if (before !== undefined && before >= askedFrom) this.leftOut[kind].delete(host)
    })
    await add()
    void this.inTurn(async () => {
      if (this.leftOut[kind].get(host) !== before) await this.writeLeftOut(kind, host)
    })
  }

  /** Resolves when no more than a few of what a host has said wait to be written. Nobody is asked on whose lines are not. */
  async hasTaken(host: string): Promise<void> {
    while ((this.unwritten.get(host) ?? 0) > MOST_UNWRITTEN) await this.queue
  }

  addCopy(copy: CopyRecord): Promise<void> {
    return this.addLine({ type: 'copy', copy })
  }

  addBegun(restore: BegunRestore): Promise<void> {
    return this.addLine({ type: 'begun', restore })
  }

  /** A restore that this Stillpoint began there, as far as the history has been looked through. */
  begun(host: string, job: string): BegunRestore | undefined {
    return this.restores.get(keyOf({ host, id: job }))
  }

  /** Resolves when everything that is in it is known: also what another Stillpoint has written. */
  async ready(): Promise<void> {
    await this.inTurn(() => this.look())
  }

  /** The same, but for what has come since it was asked for first: nobody waits for the lines of all hosts, which are written in turn. */
  readOnce(): Promise<void> {
    return (this.once ??= this.ready())
  }

  /** Resolves when all that was to be written has been. */
  async settled(): Promise<void> {
    await this.queue
  }

  private today(): string {
    return this.now().toISOString().slice(0, 10)
  }

  /** At once, whatever hosts have to be written: somebody waits for it here. */
  private async addLine(line: HistoryLine): Promise<void> {
    this.remember(line)
    const written = this.write([JSON.stringify(line)])
    this.queue = Promise.all([this.queue, written.catch(() => undefined)])
    await written
  }

  /** What is known of points and restores; the same once more changes nothing. */
  private remember(line: HistoryLine): void {
    this.told.learn(line)
    if (line.type !== 'begun') return
    const { host, job } = line.restore
    this.restores.set(keyOf({ host, id: job }), line.restore)
  }

  private async reports<T extends Report>(
    reportIn: (line: HistoryLine) => T | undefined,
    { isMeant = () => true, newest = Infinity }: Wanted<T>
  ): Promise<T[]> {
    let byKey = new Map<string, T>()
    await this.eachLine((line) => {
      const report = reportIn(line)
      if (report === undefined || byKey.has(keyOf(report)) || !isMeant(report)) return
      byKey.set(keyOf(report), report)
      if (byKey.size > 2 * newest) byKey = newestOf(byKey, newest)
    })
    return [...(byKey.size > newest ? newestOf(byKey, newest) : byKey).values()]
  }

  /** A file that is put by meanwhile is not missed: it is looked for again until there is no new one. */
  private async eachLine(visit: (line: HistoryLine) => void): Promise<void> {
    await this.inTurn(() => this.look())
    const read = new Set<string>()
    for (;;) {
      const fresh = (await this.readable()).filter(({ path }) => !read.has(path))
      if (fresh.length === 0) return
      for (const file of fresh) {
        read.add(file.path)
        await this.readFile(file, 0, ({ lines }) => lines.forEach((found) => found.is === 'known' && visit(found.line)))
      }
    }
  }

  /** What is known need not wait for its turn. */
  private async add<T extends Report>(
    kind: Kind,
    reports: readonly T[],
    lineOf: (report: T, writtenAt: string) => HistoryLine
  ): Promise<T[]> {
    const unknown = reports.filter((report) => !this.isKnown(kind, report))
    if (unknown.length === 0) return []
    this.countUnwritten(unknown, 1)
    const added = this.addInTurn(kind, unknown, lineOf)
    return added.finally(() => this.countUnwritten(unknown, -1))
  }

  private addInTurn<T extends Report>(
    kind: Kind,
    reports: readonly T[],
    lineOf: (report: T, writtenAt: string) => HistoryLine
  ): Promise<T[]> {
    return this.inTurn(async () => {
      await this.look()
      const fresh = new Map(reports.filter((report) => !this.isKnown(kind, report)).map((each) => [keyOf(each), each]))
      const now = this.now().toISOString()
      const lines: ToWrite<T>[] = []
      const turns = new CharactersInTurns()
      // Where not all of them may be added, the first of these are the ones to have.
      for (const report of failedAndYoungestFirst([...fresh.values()])) {
        const fitting = this.withRoom(kind, report, lineOf(report, now), now)
        lines.push(...fitting)
        await turns.taken(EACH_BYTES + (fitting[0]?.bytes ?? 0))
      }
      lines.sort((a, b) => (a.report.id < b.report.id ? -1 : 1))
      const isWritten = lines.length > 0 && (await this.write(lines.map(({ text }) => text)))
      for (const { report, line, bytes } of lines)
        if (isWritten) {
          this.note(kind, report)
          this.remember(line)
        } else this.room.giveBack(report.host, bytes, now)
      for (const host of this.leftOut[kind].keys())
        if (!this.leftOutWritten.has(`${kind} ${now.slice(0, 10)} ${host}`)) await this.writeLeftOut(kind, host)
      if (isWritten) await this.makeRoom()
      return isWritten ? lines.map(({ report }) => report) : []
    })
  }

  private countUnwritten(reports: readonly Report[], by: 1 | -1): void {
    for (const { host } of reports) {
      const count = (this.unwritten.get(host) ?? 0) + by
      if (count === 0) this.unwritten.delete(host)
      else this.unwritten.set(host, count)
    }
  }

  /** As it is to be written. None: there is no room for it, and what it says of points is known until Stillpoint ends. */
  private withRoom<T extends Report>(kind: Kind, report: T, line: HistoryLine, now: string): readonly ToWrite<T>[] {
    const text = textOf(this.room.isScarce(report.host, now) ? inBrief(line) : line)
    const bytes = Buffer.byteLength(text) + 1
    if (this.hasRoom(kind, report, bytes, now)) return [{ report, line, text, bytes }]
    this.told.learn(line)
    return []
  }

  private isKnown(kind: Kind, { host, id }: Report): boolean {
    return this.known[kind].get(host)?.has(id) === true
  }

  private note(kind: Kind, { host, id }: Report): void {
    const ids = this.known[kind].get(host) ?? new Set()
    this.known[kind].set(host, ids.add(id))
  }

  private hasRoom(kind: Kind, report: Report, bytes: number, now: string): boolean {
    const { host, id } = report
    if (bytes > LONGEST_WRITTEN_BYTES) return this.tooLong(host, id)
    if (this.room.take(host, bytes, now, isFailure(report))) return true
    const { entriesOfHostAndDay, bytesOfHostAndDay } = this.limits
    this.remark(
      `history-left-out/${host}/${now.slice(0, 10)}`,
      `Not everything that ${host} reports is kept`,
      `${host} reported more ended jobs and runs today than are kept of one host and day (${entriesOfHostAndDay} and ${formatBytes(bytesOfHostAndDay)}). What failed was taken first, and has some room of its own. The rest is on ${host}, as long as that keeps it, and is asked for again on the next days. If this comes every day, the history of this computer has gaps: look at what makes so many jobs there.`
    )
    const oldest = this.leftOut[kind].get(host)
    if (oldest === undefined || id < oldest) this.leftOut[kind].set(host, id)
    return false
  }

  private tooLong(host: string, id: string): false {
    this.remark(
      `history-too-long/${host}`,
      `A report of ${host} is too long to be kept`,
      `What ${host} says of ${id} is longer than ${formatBytes(LONGEST_WRITTEN_BYTES)}, even with its texts shortened: it is not in the history of this computer. Look at it on ${host}.`
    )
    return false
  }

  /** Once a day as it is at first, however often there is no room: and whenever the host has been asked again. */
  private async writeLeftOut(kind: Kind, host: string): Promise<void> {
    const writtenAt = this.now().toISOString()
    this.leftOutWritten.add(`${kind} ${writtenAt.slice(0, 10)} ${host}`)
    await this.write([textOf({ type: 'left-out', host, kind, oldest: this.leftOut[kind].get(host), writtenAt })])
  }

  /** False where it cannot be. */
  private async write(lines: readonly string[]): Promise<boolean> {
    try {
      await this.files.append(lines)
      return true
    } catch (error) {
      this.remark(
        'history-unwritable',
        'The history cannot be written',
        `${this.files.path}: ${whyNot(error)}. What ends now is shown, and its host is asked for it again; but it is not kept on this computer until that is put right.`
      )
      return false
    }
  }

  /**
   * Of what there is too much of: the oldest lines of the host that has the most. Nobody's noise drives out what others did.
   * What there is, is counted each time: other Stillpoints make room too.
   */
  private async makeRoom(): Promise<void> {
    try {
      for (let tries = 0; tries < MOST_TRIES && (await this.isTooMuch()); tries += 1)
        if (!(await this.freeSome())) return
    } catch (error) {
      this.unreadable(this.files.path, `old files of it cannot be removed, ${whyNot(error)}`)
    }
  }

  private async isTooMuch(): Promise<boolean> {
    const { files } = await this.files.all()
    return files.reduce((sum, { bytes }) => sum + bytes, 0) > this.limits.totalBytes
  }

  /** False where nothing may go now. Only where no host has a line in any file the oldest one goes, whatever is in it. */
  private async freeSome(): Promise<boolean> {
    await this.files.putByWhatIsThere()
    const counted = await this.bytesByHost()
    const excess = counted.reduce((sum, { inAll }) => sum + inAll, 0) - this.limits.totalBytes
    if (excess <= 0) return false
    const drops = dropsFor(counted, this.files.path, excess + this.limits.totalBytes * FREED_AT_ONCE)
    for (const { path, hosts } of drops) await this.drop(path, hosts)
    if (drops.length > 0) return true
    const oldest = counted.find(({ path }) => path !== this.files.path)
    if (oldest === undefined || counted.some(({ ofHosts }) => ofHosts.size > 0)) return false
    await this.files.remove(oldest.path)
    return true
  }

  /** What is not in the history is not known either: as after a restart, and so that no more is held than is written. */
  private async drop(path: string, hosts: ReadonlySet<string>): Promise<void> {
    const dropped: { readonly kind: Kind; readonly host: string; readonly id: string }[] = []
    await this.files.rewrite(path, (found) => {
      if (!hosts.has(hostIn(found) ?? NO_HOST)) return true
      const line = found.is === 'known' ? found.line : undefined
      if (line !== undefined && 'report' in line)
        dropped.push({ kind: line.type, host: line.report.host, id: line.report.id })
      return false
    })
    for (const { kind, host, id } of dropped) this.known[kind].get(host)?.delete(id)
  }

  /** Oldest file first. */
  private async bytesByHost(): Promise<readonly CountedFile[]> {
    const counted: CountedFile[] = []
    for (const file of await this.readable()) {
      const ofHosts = new Map<string, number>()
      let inAll = 0
      await this.readFile(file, 0, ({ lines }) => {
        for (const found of lines) {
          const bytes = Buffer.byteLength(found.text) + 1
          const host = hostIn(found)
          inAll += bytes
          if (host !== undefined) ofHosts.set(host, (ofHosts.get(host) ?? 0) + bytes)
        }
      })
      counted.push({ path: file.path, inAll, ofHosts })
    }
    return counted
  }

  /** What was added since the last look, by whichever Stillpoint. */
  private async look(): Promise<void> {
    for (const file of await this.tooLarge()) await this.takeOver(file)
    const files = await this.readable()
    const keys = new Set(files.map(({ key }) => key))
    for (const key of this.looked.keys()) if (!keys.has(key)) this.looked.delete(key)
    const damaged: string[] = []
    let strange = 0
    for (const file of files) {
      const before = this.looked.get(file.key) ?? 0
      await this.readFile(file, before > file.bytes ? 0 : before, ({ lines, nextByte }) => {
        this.looked.set(file.key, nextByte)
        damaged.push(...lines.filter(({ is }) => is === 'damaged').map(() => file.key))
        strange += lines.filter(({ is }) => is === 'strange').length
        lines.forEach((found) => found.is === 'known' && this.learn(found))
      })
      // What has no end and is longer than any line: it would be read again and again.
      if (file.bytes - (this.looked.get(file.key) ?? 0) > LONGEST_LINE_BYTES) damaged.push(file.key)
    }
    if (strange > 0) this.strange(strange)
    if (damaged.length > 0) await this.mend(damaged)
  }

  private async readable(): Promise<readonly HistoryFile[]> {
    const { files, unreadable } = await this.files.all()
    unreadable.forEach(({ path, why }) => this.unreadable(path, why))
    return files.filter(({ bytes }) => bytes <= this.limits.totalBytes)
  }

  private async tooLarge(): Promise<readonly HistoryFile[]> {
    const { files } = await this.files.all()
    return files.filter(({ bytes }) => bytes > this.limits.totalBytes)
  }

  private learn({ line, text }: Extract<FoundLine, { is: 'known' }>): void {
    if (line.type === 'left-out') {
      if (line.oldest === undefined) this.leftOut[line.kind].delete(line.host)
      else this.leftOut[line.kind].set(line.host, line.oldest)
    }
    this.remember(line)
    if (!('report' in line) || this.isKnown(line.type, line.report)) return
    const bytes = Buffer.byteLength(text) + 1
    this.note(line.type, line.report)
    const { host } = line.report
    if (line.writtenAt !== undefined) this.room.tookElsewhere(host, bytes, line.writtenAt, this.now().toISOString())
  }

  private async readFile(file: HistoryFile, fromByte: number, visit: (read: LinesRead) => void): Promise<void> {
    try {
      for await (const read of this.files.read(file, fromByte)) visit(read)
    } catch (error) {
      this.unreadable(file.path, whyNot(error))
    }
  }

  /** Lines that cannot be read are taken out of their files and kept beside them. `keys`: one for each line. */
  private async mend(keys: readonly string[]): Promise<void> {
    const count = keys.length
    const all = { found: 0, kept: 0 }
    try {
      for (const key of new Set(keys)) {
        const path = await this.files.putBy(key)
        if (path === undefined) continue
        const damaged: FoundLine[] = []
        await this.files.rewrite(path, (found) => found.is !== 'damaged' || damaged.push(found) === 0)
        all.found += damaged.length
        all.kept += await this.files.keepAside(damaged)
      }
      this.remark(
        `history-damaged-${this.now().toISOString()}`,
        `${count} ${count === 1 ? 'line' : 'lines'} of the history could not be read`,
        `${this.whereDamaged(all.found - all.kept)} Everything else of the history is there.`
      )
    } catch (error) {
      this.remark(
        'history-unmended',
        'Some of the history cannot be read',
        `Lines of ${this.files.path} cannot be read, and not be taken out either: ${whyNot(error)}. Everything else of the history is there.`
      )
    }
  }

  private whereDamaged(leftOut: number): string {
    const { damagedPath } = this.files
    return leftOut === 0
      ? `What could not be read was put into ${damagedPath}.`
      : `What could not be read was put into ${damagedPath}, but for ${leftOut} ${leftOut === 1 ? 'line' : 'lines'}: that file is full, and what had no room in it is gone. Move it away if you want to keep more.`
  }

  /** A file that is larger than the whole history may be is put away, and the end of it taken over. */
  private async takeOver({ path, key, bytes }: HistoryFile): Promise<void> {
    const aside = `${this.files.path}.too-large-${this.now().toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(3).toString('hex')}`
    const takenBytes = this.limits.totalBytes / 2
    try {
      const putBy = await this.files.putBy(key)
      if (putBy === undefined || !(await this.files.takeEnd(putBy, aside, bytes - takenBytes))) return
      this.remark(
        `history-too-large-${aside}`,
        'The history had grown too large',
        `It had ${formatBytes(bytes)}. What could be read of its last ${formatBytes(takenBytes)} was taken over, and the whole is kept as ${aside}: delete that when you do not need it.`
      )
    } catch (error) {
      this.unreadable(
        path,
        `${formatBytes(bytes)} are more than a history has, and it cannot be put away: ${whyNot(error)}`
      )
    }
  }

  private strange(count: number): void {
    this.remark(
      `history-newer-${this.now().toISOString().slice(0, 10)}`,
      'A newer Stillpoint has written into the history',
      `${count} ${count === 1 ? 'entry is' : 'entries are'} not as this Stillpoint knows them: not shown, and left as they are. Use the newer one to see them.`
    )
  }

  private unreadable(path: string, why: string): void {
    this.remark(
      `history-unreadable-${path}`,
      'Some of the history cannot be read',
      `${path}: ${why}. What hosts still remember is shown all the same. Put that right, or move it away.`
    )
  }

  /** Each once while this Stillpoint runs. */
  private remark(id: string, title: string, text: string): void {
    if (this.remarks.has(id) || this.remarks.size >= MOST_REMARKS) return
    const remark = { id, title, text }
    this.remarks.set(id, remark)
    this.listeners.forEach((listener) => listener(remark))
  }

  /** One after the other: two that look for what is new at once would both write it down. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const now = this.queue.then(work)
    this.queue = now.catch(() => undefined)
    return now
  }
}

const MOST_REMARKS = 1000
/** Of a host, before it is asked for more: a job that ends now and then is told without waiting for what others have to be written. */
const MOST_UNWRITTEN = 20
/** What it costs to put a report into words, beside its own. */
const EACH_BYTES = 1000
/** Another Stillpoint that makes room in the same file may bring back what has gone from it. */
const MOST_TRIES = 5
/** So much more than it must: the next line needs no new room. */
const FREED_AT_ONCE = 1 / 16
/** No name of a host. */
const NO_HOST = ''

/** A file, and how many bytes of lines are in it. */
interface CountedFile {
  readonly path: string
  readonly inAll: number
  readonly ofHosts: ReadonlyMap<string, number>
}

function hostIn(found: FoundLine): string | undefined {
  if (found.is !== 'known' || found.line.type === 'copy' || found.line.type === 'begun') return undefined
  return found.line.type === 'left-out' ? found.line.host : found.line.report.host
}

/** Whose lines go from which of the files that were put by, so that so many bytes are freed: of the host that has the most then. */
function dropsFor(
  files: readonly CountedFile[],
  current: string,
  bytesToFree: number
): readonly { readonly path: string; readonly hosts: ReadonlySet<string> }[] {
  const drops = new Map<string, Set<string>>()
  const totals = new Map<string, number>()
  for (const { ofHosts } of files)
    for (const [host, bytes] of ofHosts) totals.set(host, (totals.get(host) ?? 0) + bytes)
  for (let left = bytesToFree; left > 0;) {
    const [heaviest] = [...totals].sort(([, a], [, b]) => b - a)
    if (heaviest === undefined) break
    const [host, total] = heaviest
    const file = files.find(({ path, ofHosts }) => path !== current && ofHosts.has(host) && !drops.get(path)?.has(host))
    if (file === undefined) break
    const freed = file.ofHosts.get(host) ?? 0
    drops.set(file.path, (drops.get(file.path) ?? new Set()).add(host))
    totals.set(host, total - freed)
    left -= freed
  }
  return [...drops].map(([path, hosts]) => ({ path, hosts }))
}

const keyOf = ({ host, id }: Pick<Report, 'host' | 'id'>): string => `${host}\n${id}`

/** Also of a run that did not happen: no job tells that. What was cancelled was meant so, and is rare. */
const isFailure = (report: Report): boolean =>
  'missedCount' in report
    ? report.state === 'failed' || report.missedCount > 0
    : report.state.startsWith('failed') || report.state === 'cancelled'

const failedAndYoungestFirst = <T extends Report>(reports: readonly T[]): T[] =>
  reports.toSorted((a, b) => Number(isFailure(b)) - Number(isFailure(a)) || (a.id < b.id ? 1 : -1))

const newestOf = <T extends Report>(all: ReadonlyMap<string, T>, most: number): Map<string, T> =>
  new Map([...all].sort(([, a], [, b]) => (a.id < b.id ? -1 : 1)).slice(-most))

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'you may not read or write it',
  EPERM: 'you may not read or write it',
  ENOSPC: 'no room is left on its disk',
  EDQUOT: 'no room is left for you on its disk',
  EROFS: 'its disk cannot be written to',
  EISDIR: 'it is a folder',
  EIO: 'its disk fails'
}

const whyNot = (error: unknown): string => WHY[errorCode(error)] ?? errorCode(error)
