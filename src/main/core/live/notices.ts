import { statSync } from 'node:fs'
import * as z from 'zod'
import { failureOf, systemCodeOf } from '../../../shared/failure.ts'
import { shorten } from '../../../shared/safe-text.ts'
import { NoticeView } from '../../../shared/views/notice-view.ts'
import { whileLocked } from '../settings/lock-file.ts'
import { parsedJson, putAside, readSmallFile, replaceFile, UnreadableFile } from '../settings/small-file.ts'
import { firstOfEach } from './fair-share.ts'
import { GoneNotices } from './gone-notices.ts'
import { madeInTurns } from './in-turns.ts'
import { LiveValue } from './live-value.ts'

/** Each says whose noise it would be if there were too many of it: a host's, or this computer's own. */
export type Said = Omit<NoticeView, 'acknowledged' | 'host'> & { readonly host: string }

/** And whether it need not be heard: it is there, and counts as read. */
export type SaidOrQuiet = readonly [notice: Said, acknowledged: boolean]

export const unread = (notices: readonly Said[]): SaidOrQuiet[] => notices.map((notice) => [notice, false])

export const OURS = ''

/** No name of a host holds a slash, so that none of another's can be the same, whatever a host calls things. */
export const noticeId = (host: string, ...what: readonly string[]): string => [host, ...what].join('/')

const MOST = 200
const MOST_READ = 1000
const LARGEST_BYTES = 16 << 20
/** Written and told as a whole when something was added. */
const MOST_BYTES = 2 << 20
/** So often at most for each host: one that gives rise to one notice after the other wears out no disk. */
const WRITTEN_EVERY_MS = 1000
/** A notice about more is about the first of it. */
const MOST_ABOUT = 50
const LONGEST_TITLE = 500
/** What is longer stands where the notice leads to. */
const LONGEST_TEXT = 2000

/**
 * What the operator should hear, kept in `notices.json` so that nothing unread is lost, whichever Stillpoint has said it.
 * Newest first. It is written before it is told, but what more a host gives rise to within a second of that waits for the end
 * of it, unless this is closed: of a program that is killed the last second of a flood may be lost.
 */
export class Notices {
  readonly all: LiveValue<readonly NoticeView[]>
  private readonly path: string
  /** Of a newer Stillpoint: carried along. */
  private strange: readonly unknown[] = []
  private readonly gone = new GoneNotices()
  /** How the file stood when it was last read or written. */
  private stamp: string | undefined = UNSEEN
  private isToldUnkept = false
  /** When something of a host was written last, and hosts of which something is known that is not written yet. */
  private readonly writtenAtMs = new Map<string, number>()
  private readonly unwritten = new Set<string>()
  private waiting: NodeJS.Timeout | undefined
  /** What is being put into words. */
  private readonly making = new Set<Promise<void>>()
  private isClosed = false

  constructor(path: string) {
    this.path = path
    this.all = new LiveValue<readonly NoticeView[]>(0, this.withRoom(this.atStart()))
  }

  /** Each once, by its id. */
  add(notice: Said, acknowledged = false): void {
    this.addEach([[notice, acknowledged]])
  }

  addAll(notices: readonly Said[], acknowledged = false): void {
    this.addEach(notices.map((notice) => [notice, acknowledged]))
  }

  /** Of reports that may be many and long: each is put into words in its turn, and all are added at once. */
  async addInTurns<T>(reports: readonly T[], words: (report: T) => readonly SaidOrQuiet[]): Promise<void> {
    const making = madeInTurns(reports, words).then((said) => this.addEach(said))
    this.making.add(making)
    await making.finally(() => this.making.delete(making))
  }

  /** Resolves when all that is being put into words has been added. */
  async told(): Promise<void> {
    await Promise.all(this.making)
  }

  /** Of what one answer brought: weighed, written and told once, and only where that changes anything. */
  addEach(said: readonly SaidOrQuiet[]): void {
    const before = this.all.value ?? []
    const { kept } = fitted(this.withSaid(before, said))
    if (isSame(kept, before)) return
    const hosts = said.map(([{ host }]) => host)
    this.change((all) => this.withSaid(all, said), hosts)
  }

  /** Writes what waits to be written. From now on nothing waits. */
  close(): void {
    this.isClosed = true
    if (this.waiting !== undefined) this.writeNow()
  }

  /** What is news on top. What had made room unread is still to be heard, and comes last: it pushes out nothing of its host. */
  private withSaid(before: readonly NoticeView[], said: readonly SaidOrQuiet[]): readonly NoticeView[] {
    const [fresh, again]: [SaidOrQuiet[], SaidOrQuiet[]] = [[], []]
    for (const each of newOf(said, before)) {
      const gone = this.gone.said(each[0])
      if (gone !== 'read') (gone === undefined ? fresh : again).push(each)
    }
    const views = (all: readonly SaidOrQuiet[]): NoticeView[] =>
      firstOfEach(
        all.map((each) => ({ each, host: each[0].host })),
        MOST
      ).map(({ each: [notice, acknowledged] }) => ({ ...inShort(notice), acknowledged }))
    return [...views(fresh).toReversed(), ...before, ...views(again)]
  }

  private withRoom(notices: readonly NoticeView[]): readonly NoticeView[] {
    const { kept, gone } = fitted(notices)
    this.gone.add(gone.map((notice) => ({ ...notice, host: hostOf(notice) })))
    return kept
  }

  /** Undefined: all of them. */
  acknowledge(id: string | undefined): void {
    this.change((before) =>
      before.map((notice) => (id === undefined || notice.id === id ? { ...notice, acknowledged: true } : notice))
    )
  }

  /** `hosts`: whose news it is. None: the operator's own doing, which does not wait. */
  private change(
    change: (before: readonly NoticeView[]) => readonly NoticeView[],
    hosts: readonly string[] = []
  ): void {
    const all = this.withRoom(change(this.current()))
    hosts.forEach((host) => this.unwritten.add(host))
    const waitMs = this.waitMs(hosts)
    const isNow = this.isClosed || waitMs <= 0
    if (!isNow) this.waiting ??= setTimeout(() => this.writeNow(), waitMs)
    // Whoever listens may change them again: not while this is locked.
    this.all.set(isNow ? this.written(all) : all)
  }

  /** Nothing, if one of them had none written lately: no flood of another's makes it wait. */
  private waitMs(hosts: readonly string[]): number {
    const since = Math.min(...new Set(hosts.map((host) => this.writtenAtMs.get(host) ?? -Infinity)))
    return hosts.length === 0 ? 0 : since + WRITTEN_EVERY_MS - performance.now()
  }

  private writeNow(): void {
    const known = this.all.value ?? []
    const all = this.written(known)
    if (!isSame(all, known)) this.all.set(all)
  }

  /** With what another Stillpoint has written meanwhile. That it cannot be written is no reason not to say it. */
  private written(known: readonly NoticeView[]): readonly NoticeView[] {
    clearTimeout(this.waiting)
    this.waiting = undefined
    for (const host of this.unwritten) this.writtenAtMs.set(host, performance.now())
    this.unwritten.clear()
    try {
      const all = whileLocked(this.path, () => this.replace(known))
      this.isToldUnkept = false
      return all
    } catch (error) {
      if (this.isToldUnkept) return known
      this.isToldUnkept = true
      return this.withRoom([unkept(this.path, error), ...known])
    }
  }

  private replace(known: readonly NoticeView[]): readonly NoticeView[] {
    const all = this.isAsWritten()
      ? known
      : this.withRoom(this.together(this.understood() ?? [keptAside(this.path)], known))
    replaceFile(this.path, JSON.stringify([...all, ...this.strange, ...goneEntry(this.gone)]))
    this.stamp = stampOf(this.path)
    return all
  }

  /** What is known here, and what another Stillpoint has written meanwhile, as far as that can be read just now. */
  private current(): readonly NoticeView[] {
    const known = this.all.value ?? []
    if (this.isAsWritten()) return known
    try {
      return this.together(this.understood() ?? [], known)
    } catch {
      return known
    }
  }

  /** Nobody else has written it since. */
  private isAsWritten(): boolean {
    const stamp = stampOf(this.path)
    return stamp === this.stamp && stamp !== UNSEEN
  }

  /** Each once, and read if somebody has read it. Newest first where the lists differ. */
  private together(found: readonly NoticeView[], known: readonly NoticeView[]): readonly NoticeView[] {
    const byId = new Map<string, NoticeView>()
    for (const notice of [...known, ...found]) {
      const isRead =
        byId.get(notice.id)?.acknowledged === true || this.gone.wasRead({ ...notice, host: hostOf(notice) })
      byId.set(notice.id, { ...notice, acknowledged: notice.acknowledged || isRead })
    }
    return [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
  }

  /** Of several that start with a broken file one puts it aside, and the others find what that one has begun anew. */
  private atStart(): readonly NoticeView[] {
    try {
      return this.understood() ?? whileLocked(this.path, () => this.understood() ?? [keptAside(this.path)])
    } catch (error) {
      this.isToldUnkept = true
      return [unkept(this.path, error)]
    }
  }

  /** What the file says. Undefined: it is nothing of the kind. @throws where it cannot be read just now */
  private understood(): readonly NoticeView[] | undefined {
    const stamp = stampOf(this.path)
    const read = readNotices(this.path)
    if (read === undefined) return undefined
    this.stamp = stamp
    this.strange = read.strange
    this.gone.learn(read.gone)
    return read.notices
  }
}

/** It was not read yet, or cannot be looked at. */
const UNSEEN = 'unseen'

/** Undefined: there is none. */
function stampOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true })
    return found && `${found.dev} ${found.ino} ${found.mtimeNs} ${found.size}`
  } catch {
    return UNSEEN
  }
}

function unkept(path: string, error: unknown): NoticeView {
  const failure = failureOf(error)
  const why = failure.kind === 'io' ? `${failure.code}: ${failure.detail}` : failure.kind
  const at = new Date().toISOString()
  return {
    id: `notices-unkept-${at}`,
    host: OURS,
    at,
    severity: 'warning',
    title: 'Notices cannot be kept',
    text: `${path} cannot be read or written (${why}). As long as that is so, earlier notices may be missing, and what you read here is forgotten when Stillpoint ends. Put that right, or move the file away.`,
    acknowledged: false
  }
}

/** Each once, by its id. */
function newOf(said: readonly SaidOrQuiet[], before: readonly NoticeView[]): readonly SaidOrQuiet[] {
  const known = new Set(before.map(({ id }) => id))
  return said.filter(([{ id }]) => !known.has(id) && known.add(id))
}

const isSame = (a: readonly NoticeView[], b: readonly NoticeView[]): boolean =>
  a.length === b.length && a.every((notice, n) => notice === b[n])

function inShort(notice: Said): Said {
  const title = shorten(notice.title, LONGEST_TITLE)
  const text = shorten(notice.text, LONGEST_TEXT)
  const about = notice.about?.slice(0, MOST_ABOUT)
  return { ...notice, title, text, ...(about && { about }) }
}

interface Fitted {
  readonly kept: readonly NoticeView[]
  readonly gone: readonly NoticeView[]
}

/**
 * What has been read makes room first: a year of quiet successes must not push out the failure that nobody has seen. Of the
 * one and of the other, the oldest of the host that has the most: no noise of one pushes out what another has to say.
 */
function fitted(notices: readonly NoticeView[]): Fitted {
  const kept = notices.map((notice) => ({ notice, host: hostOf(notice), bytes: bytesOf(notice) }))
  const gone: NoticeView[] = []
  const noise = new Map<string, number>()
  const count = ({ host, bytes }: Weighed, sign: 1 | -1): void =>
    void noise.set(host, (noise.get(host) ?? 0) + sign * Math.max(bytes, MOST_BYTES / MOST))
  kept.forEach((each) => count(each, 1))
  let bytes = kept.reduce((sum, each) => sum + each.bytes, 0)
  while (kept.length > MOST || bytes > MOST_BYTES)
    for (const each of kept.splice(firstToGo(kept, loudest(noise)), 1)) {
      count(each, -1)
      bytes -= each.bytes
      gone.push(each.notice)
    }
  return { kept: kept.map(({ notice }) => notice), gone }
}

interface Weighed {
  readonly notice: NoticeView
  readonly host: string
  readonly bytes: number
}

/** By bytes where these are what there is too much of: each notice counts as at least its share of the room. */
const loudest = (noise: ReadonlyMap<string, number>): string =>
  [...noise].reduce((most, each) => (each[1] > most[1] ? each : most), [OURS, 0])[0]

function firstToGo(kept: readonly Weighed[], host: string): number {
  const ofHost = kept.findLastIndex((each) => each.notice.acknowledged && each.host === host)
  if (ofHost !== -1) return ofHost
  const read = kept.findLastIndex(({ notice }) => notice.acknowledged)
  return read === -1 ? kept.findLastIndex((each) => each.host === host) : read
}

const counted = new WeakMap<NoticeView, number>()
function bytesOf(notice: NoticeView): number {
  const bytes = counted.get(notice) ?? Buffer.byteLength(JSON.stringify(notice))
  counted.set(notice, bytes)
  return bytes
}

/** Of notices that an earlier Stillpoint wrote, as well as they say it. */
const hostOf = ({ host, about }: NoticeView): string =>
  host ??
  about?.map((subject) => ('host' in subject ? subject.host : undefined)).find((each) => each !== undefined) ??
  OURS

interface NoticesRead {
  readonly notices: readonly NoticeView[]
  readonly strange: readonly unknown[]
  /** For `GoneNotices`. */
  readonly gone: unknown
}

/** What a newer Stillpoint adds to a notice stays with it. */
const Kept = NoticeView.loose()
const Strange = z.looseObject({ id: z.string() })
/** Earlier Stillpoints carry it along, as no notice that they know. */
const GoneEntry = z.object({ id: z.literal('notices-gone'), gone: z.unknown() })

function goneEntry(notices: GoneNotices): readonly z.infer<typeof GoneEntry>[] {
  const gone = notices.kept()
  return gone.length === 0 ? [] : [{ id: 'notices-gone', gone }]
}

const NOTHING: NoticesRead = { notices: [], strange: [], gone: undefined }

/** Undefined: what is there is nothing of the kind. @throws where it cannot be read just now, and may be good */
function readNotices(path: string): NoticesRead | undefined {
  try {
    const text = readSmallFile(path, LARGEST_BYTES)
    return text === undefined ? NOTHING : noticesIn(text)
  } catch (error) {
    if (error instanceof UnreadableFile || systemCodeOf(error) === 'ELOOP') return undefined
    throw error
  }
}

/** What is no notice as this Stillpoint knows them hides no other. */
function noticesIn(text: string): NoticesRead | undefined {
  const all = z.array(z.unknown()).safeParse(parsedJson(text)).data?.slice(0, MOST_READ)
  if (all === undefined) return undefined
  const notices: NoticeView[] = []
  const strange: unknown[] = []
  let gone: unknown
  for (const each of all) {
    const read = Kept.safeParse(each)
    const isGone = GoneEntry.safeParse(each)
    if (read.success) notices.push(read.data)
    else if (isGone.success) gone = isGone.data.gone
    else if (Strange.safeParse(each).success) strange.push(each)
  }
  return { notices, strange: carriedAlong(strange), gone }
}

/** The newest of them, as many as there are of others at most. */
function carriedAlong(strange: readonly unknown[]): readonly unknown[] {
  let room = MOST_BYTES
  return strange.slice(0, MOST).filter((each) => (room -= Buffer.byteLength(JSON.stringify(each))) >= 0)
}

/** The word on it. @throws what renaming fails with */
function keptAside(path: string): NoticeView {
  const at = new Date().toISOString()
  return {
    id: `notices-${at}`,
    host: OURS,
    at,
    severity: 'warning',
    title: 'Earlier notices could not be read',
    text: `The file was kept aside as ${putAside(path)}.`,
    acknowledged: false
  }
}
