import * as z from 'zod'
import { shorten } from '../../../shared/safe-text.ts'
import { NoticeView } from '../../../shared/views/notice-view.ts'
import { putAside, readSmallFile, replaceFile } from '../settings/small-file.ts'
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

/** What the operator should hear, kept in `notices.json` so that nothing unread is lost. Newest first. */
export class Notices {
  readonly all: LiveValue<readonly NoticeView[]>
  private readonly path: string

  constructor(path: string) {
    this.path = path
    this.all = new LiveValue<readonly NoticeView[]>(0, readNotices(path))
  }

  /** Each once, by its id. */
  add(notice: Said, acknowledged = false): void {
    const before = this.all.value ?? []
    if (before.some(({ id }) => id === notice.id)) return
    const title = shorten(notice.title, LONGEST_TITLE)
    const text = shorten(notice.text, LONGEST_TEXT)
    const about = notice.about?.slice(0, MOST_ABOUT)
    const short = { ...notice, title, text, ...(about && { about }), acknowledged }
    this.keep(withRoom([short, ...before]))
  }

  /** Undefined: all of them. */
  acknowledge(id: string | undefined): void {
    this.keep(
      (this.all.value ?? []).map((notice) =>
        id === undefined || notice.id === id ? { ...notice, acknowledged: true } : notice
      )
    )
  }

  /** That it cannot be written is no reason not to say it. */
  private keep(notices: readonly NoticeView[]): void {
    this.all.set(notices)
    try {
      replaceFile(this.path, JSON.stringify(notices))
    } catch {
      return
    }
  }
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

/** What is no notice as this Stillpoint knows them is passed over. A file that is nothing of the kind is kept aside. */
function readNotices(path: string): readonly NoticeView[] {
  try {
    const text = readSmallFile(path, LARGEST_BYTES)
    if (text === undefined) return []
    const all = z.array(z.unknown()).parse(JSON.parse(text))
    return withRoom(all.slice(0, MOST_READ).flatMap((each) => NoticeView.safeParse(each).data ?? []))
  } catch {
    return keptAside(path)
  }
}

function keptAside(path: string): readonly NoticeView[] {
  const at = new Date().toISOString()
  const common = { id: `notices-${at}`, host: OURS, at, severity: 'warning', acknowledged: false } as const
  try {
    const text = `The file was kept aside as ${putAside(path)}.`
    return [{ ...common, title: 'Earlier notices could not be read', text }]
  } catch {
    const text = `Put ${path} right, or move it away: until then what you read here is not remembered.`
    return [{ ...common, title: 'Notices cannot be read or written', text }]
  }
}
