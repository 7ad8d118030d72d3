import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'
import { NoticeView } from '../../../shared/views/notice-view.ts'
import { LiveValue } from './live-value.ts'

export type Said = Omit<NoticeView, 'acknowledged'>

const MOST = 200

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
    this.keep(withRoom([{ ...notice, acknowledged }, ...before]))
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
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
      writeFileSync(`${this.path}.new`, JSON.stringify(notices), { mode: 0o600 })
      renameSync(`${this.path}.new`, this.path)
    } catch {
      return
    }
  }
}

/** What has been read makes room first: a year of quiet successes must not push out the failure that nobody has seen. */
function withRoom(notices: readonly NoticeView[]): readonly NoticeView[] {
  const unread = notices.filter(({ acknowledged }) => !acknowledged).length
  let room = Math.max(0, MOST - unread)
  return notices.filter(({ acknowledged }) => !acknowledged || room-- > 0).slice(0, MOST)
}

function readNotices(path: string): readonly NoticeView[] {
  try {
    return z.array(NoticeView).parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return []
  }
}
