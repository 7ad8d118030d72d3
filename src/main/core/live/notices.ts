import * as z from 'zod'
import { shorten } from '../../../shared/safe-text.ts'
import { NoticeView } from '../../../shared/views/notice-view.ts'
import { putAside, readSmallFile, replaceFile } from '../settings/small-file.ts'
import { LiveValue } from './live-value.ts'

export type Said = Omit<NoticeView, 'acknowledged'>

const MOST = 200
const MOST_READ = 1000
const LARGEST_BYTES = 16 << 20
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
    this.keep(withRoom([{ ...notice, title, text, acknowledged }, ...before]))
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
  const unread = notices.filter(({ acknowledged }) => !acknowledged)
  let room = Math.max(0, MOST - unread.length)
  const kept = notices.filter(({ acknowledged }) => !acknowledged || room-- > 0)
  return unread.length <= MOST ? kept : withRoom(withoutOldestOf(noisiest(unread), unread))
}

const hostOf = ({ host, about }: Said): string =>
  host ??
  about?.map((subject) => ('host' in subject ? subject.host : undefined)).find((each) => each !== undefined) ??
  ''

function noisiest(notices: readonly NoticeView[]): string {
  const counts = new Map<string, number>()
  for (const notice of notices) counts.set(hostOf(notice), (counts.get(hostOf(notice)) ?? 0) + 1)
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0])[0]
}

function withoutOldestOf(host: string, notices: readonly NoticeView[]): readonly NoticeView[] {
  const oldest = notices.findLastIndex((notice) => hostOf(notice) === host)
  return notices.toSpliced(oldest, 1)
}

/** What is no notice as this Stillpoint knows them is passed over. A file that is nothing of the kind is kept aside. */
function readNotices(path: string): readonly NoticeView[] {
  try {
    const text = readSmallFile(path, LARGEST_BYTES)
    if (text === undefined) return []
    const all = z.array(z.unknown()).parse(JSON.parse(text))
    return all.slice(0, MOST_READ).flatMap((each) => NoticeView.safeParse(each).data ?? [])
  } catch {
    return keptAside(path)
  }
}

function keptAside(path: string): readonly NoticeView[] {
  const at = new Date().toISOString()
  const common = { id: `notices-${at}`, at, severity: 'warning', acknowledged: false } as const
  try {
    const text = `The file was kept aside as ${putAside(path)}.`
    return [{ ...common, title: 'Earlier notices could not be read', text }]
  } catch {
    const text = `Put ${path} right, or move it away: until then what you read here is not remembered.`
    return [{ ...common, title: 'Notices cannot be read or written', text }]
  }
}
