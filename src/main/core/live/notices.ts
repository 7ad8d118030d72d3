import { statSync } from 'node:fs'
import * as z from 'zod'
import { failureOf } from '../../../shared/failure.ts'
import { shorten } from '../../../shared/safe-text.ts'
import { NoticeView } from '../../../shared/views/notice-view.ts'
import { whileLocked } from '../settings/lock-file.ts'
import { parsedJson, putAside, readSmallFile, replaceFile } from '../settings/small-file.ts'
import { LiveValue } from './live-value.ts'

/** Each says whose noise it would be if there were too many of it: a host's, or this computer's own. */
export type Said = Omit<NoticeView, 'acknowledged' | 'host'> & { readonly host: string }

export const OURS = ''

/** No name of a host holds a slash, so that none of another's can be the same, whatever a host calls things. */
export const noticeId = (host: string, ...what: readonly string[]): string => [host, ...what].join('/')

const MOST = 200
const MOST_READ = 1000
const LARGEST_BYTES = 16 << 20
/** Written and told as a whole each time that something is added. */
const MOST_BYTES = 2 << 20
/** A notice about more is about the first of it. */
const MOST_ABOUT = 50
const LONGEST_TITLE = 500
const LONGEST_TEXT = 8000

/**
 * What the operator should hear, kept in `notices.json` so that nothing unread is lost, whichever Stillpoint has said it.
 * Newest first.
 */
export class Notices {
  readonly all: LiveValue<readonly NoticeView[]>
  private readonly path: string
  /** Of a newer Stillpoint: carried along. */
  private strange: readonly unknown[] = []
  /** How the file stood when it was last read or written. */
  private stamp: string | undefined
  private isToldUnwritable = false

  constructor(path: string) {
    this.path = path
    this.all = new LiveValue<readonly NoticeView[]>(0, withRoom(this.fromFile()))
  }

  /** Each once, by its id. */
  add(notice: Said, acknowledged = false): void {
    this.addAll([notice], acknowledged)
  }

  /** Of what one answer brought: weighed, written and told once. */
  addAll(notices: readonly Said[], acknowledged = false): void {
    if (newOf(notices, this.all.value ?? []).length === 0) return
    this.change((before) => {
      const fresh = newOf(notices, before).map((notice) => ({ ...inShort(notice), acknowledged }))
      return [...fresh.toReversed(), ...before]
    })
  }

  /** Undefined: all of them. */
  acknowledge(id: string | undefined): void {
    this.change((before) =>
      before.map((notice) => (id === undefined || notice.id === id ? { ...notice, acknowledged: true } : notice))
    )
  }

  /** Of what is there by now. That it cannot be written is no reason not to say it. */
  private change(change: (before: readonly NoticeView[]) => readonly NoticeView[]): void {
    let all: readonly NoticeView[] = []
    try {
      whileLocked(this.path, () => {
        all = withRoom(change(this.current()))
        replaceFile(this.path, JSON.stringify([...all, ...this.strange]))
        this.stamp = stampOf(this.path)
      })
    } catch (error) {
      all = change(this.all.value ?? [])
      all = withRoom(this.isToldUnwritable ? all : [unwritable(this.path, error), ...all])
      this.isToldUnwritable = true
    }
    // Whoever listens may change them again: not while this is locked.
    this.all.set(all)
  }

  /** What is known here, and what another Stillpoint has written meanwhile. */
  private current(): readonly NoticeView[] {
    const known = this.all.value ?? []
    return stampOf(this.path) === this.stamp ? known : together(known, this.fromFile())
  }

  private fromFile(): readonly NoticeView[] {
    try {
      this.stamp = stampOf(this.path)
      const { notices, strange } = readNotices(this.path)
      this.strange = strange
      return notices
    } catch {
      if (this.isToldUnwritable) return []
      const { notice, isWritable } = keptAside(this.path)
      this.isToldUnwritable ||= !isWritable
      return [notice]
    }
  }
}

/** Undefined: there is none. */
function stampOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true })
    return found && `${found.dev} ${found.ino} ${found.mtimeNs} ${found.size}`
  } catch {
    return 'it cannot be looked at'
  }
}

/** Each once, and read if somebody has read it. Newest first where the lists differ. */
function together(known: readonly NoticeView[], found: readonly NoticeView[]): readonly NoticeView[] {
  const byId = new Map(known.map((notice) => [notice.id, notice]))
  for (const notice of found) {
    const acknowledged = notice.acknowledged || byId.get(notice.id)?.acknowledged === true
    byId.set(notice.id, { ...notice, acknowledged })
  }
  return [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
}

function unwritable(path: string, error: unknown): NoticeView {
  const failure = failureOf(error)
  const why = failure.kind === 'io' ? `${failure.code}: ${failure.detail}` : failure.kind
  const at = new Date().toISOString()
  return {
    id: `notices-unwritable-${at}`,
    host: OURS,
    at,
    severity: 'warning',
    title: 'Notices cannot be kept',
    text: `${path} cannot be written (${why}). What you read here is forgotten when Stillpoint ends. Put that right, or move the file away.`,
    acknowledged: false
  }
}

/** Each once, by its id; and no more than are kept. */
function newOf(notices: readonly Said[], before: readonly NoticeView[]): readonly Said[] {
  const known = new Set(before.map(({ id }) => id))
  return notices.filter(({ id }) => !known.has(id) && known.add(id)).slice(0, MOST)
}

function inShort(notice: Said): Said {
  const title = shorten(notice.title, LONGEST_TITLE)
  const text = shorten(notice.text, LONGEST_TEXT)
  const about = notice.about?.slice(0, MOST_ABOUT)
  return { ...notice, title, text, ...(about && { about }) }
}

/**
 * What has been read makes room first: a year of quiet successes must not push out the failure that nobody has seen. Of what
 * has not, the oldest of the host that has the most: no noise of one pushes out what another has to say.
 */
function withRoom(notices: readonly NoticeView[]): readonly NoticeView[] {
  const kept = notices.map((notice) => ({ notice, bytes: bytesOf(notice) }))
  let bytes = kept.reduce((sum, each) => sum + each.bytes, 0)
  while (kept.length > MOST || bytes > MOST_BYTES) {
    const [gone] = kept.splice(firstToGo(kept), 1)
    bytes -= gone?.bytes ?? 0
  }
  return kept.map(({ notice }) => notice)
}

interface Weighed {
  readonly notice: NoticeView
  readonly bytes: number
}

function firstToGo(kept: readonly Weighed[]): number {
  const oldestRead = kept.findLastIndex(({ notice }) => notice.acknowledged)
  if (oldestRead !== -1) return oldestRead
  const host = noisiest(kept)
  return kept.findLastIndex(({ notice }) => hostOf(notice) === host)
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

/** By bytes where these are what there is too much of: each notice counts as at least its share of the room. */
function noisiest(kept: readonly Weighed[]): string {
  const noise = new Map<string, number>()
  for (const { notice, bytes } of kept)
    noise.set(hostOf(notice), (noise.get(hostOf(notice)) ?? 0) + Math.max(bytes, MOST_BYTES / MOST))
  return [...noise].reduce((most, each) => (each[1] > most[1] ? each : most), [OURS, 0])[0]
}

interface NoticesRead {
  readonly notices: readonly NoticeView[]
  readonly strange: readonly unknown[]
}

/** What a newer Stillpoint adds to a notice stays with it. */
const Kept = NoticeView.loose()
const Strange = z.looseObject({ id: z.string() })

/** What is no notice as this Stillpoint knows them hides no other. @throws if the file is nothing of the kind */
function readNotices(path: string): NoticesRead {
  const text = readSmallFile(path, LARGEST_BYTES)
  if (text === undefined) return { notices: [], strange: [] }
  const all = z.array(z.unknown()).parse(parsedJson(text)).slice(0, MOST_READ)
  const notices: NoticeView[] = []
  const strange: unknown[] = []
  for (const each of all) {
    const read = Kept.safeParse(each)
    if (read.success) notices.push(read.data)
    else if (Strange.safeParse(each).success) strange.push(each)
  }
  return { notices, strange: carriedAlong(strange) }
}

/** The newest of them, as many as there are of others at most. */
function carriedAlong(strange: readonly unknown[]): readonly unknown[] {
  let room = MOST_BYTES
  return strange.slice(0, MOST).filter((each) => (room -= Buffer.byteLength(JSON.stringify(each))) >= 0)
}

function keptAside(path: string): { readonly notice: NoticeView; readonly isWritable: boolean } {
  const at = new Date().toISOString()
  const common = { id: `notices-${at}`, host: OURS, at, severity: 'warning', acknowledged: false } as const
  try {
    const text = `The file was kept aside as ${putAside(path)}.`
    return { notice: { ...common, title: 'Earlier notices could not be read', text }, isWritable: true }
  } catch {
    const text = `Put ${path} right, or move it away: until then what you read here is not remembered.`
    return { notice: { ...common, title: 'Notices cannot be read or written', text }, isWritable: false }
  }
}
