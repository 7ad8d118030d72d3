import { createHash } from 'node:crypto'
import * as z from 'zod'
import { firstOfEach } from './fair-share.ts'

interface Notice {
  readonly host: string
  readonly id: string
}

interface Gone {
  readonly host: string
  /** Instead of its id, which may be long. */
  readonly mark: string
  readonly isRead: boolean
  readonly day: number
}

/** More than twice of what a host can say at each look at it (`ENGINE_LIMITS`). */
const MOST = 5000
const DAY_MS = 86_400_000
/** What nobody has said for so long was over, and is news when it is said again. */
const DAYS_KNOWN = 7
const MARK = /^[\w-]{8}$/

/** How the file has them: by host and day, for there are thousands of them. */
const Kept = z.array(
  z.object({
    host: z.string(),
    day: z.number().int().nonnegative(),
    read: z.array(z.string().regex(MARK)).max(MOST),
    unread: z.array(z.string().regex(MARK)).max(MOST)
  })
)
type Kept = z.infer<typeof Kept>

/**
 * Notices that made room for others. Most things that are wrong with a host are said at each look at it, and none of them is
 * news because its notice has gone. Bounded, with a share for each host; those that nobody says go first.
 */
export class GoneNotices {
  /** In the order in which they were last said. */
  private gone = new Map<string, Gone>()

  /** Somebody says it. Undefined: it is not among those that went. */
  said(notice: Notice): 'read' | 'unread' | undefined {
    const key = keyOf(notice)
    const found = this.gone.get(key)
    this.gone.delete(key)
    if (found === undefined || isOver(found)) return undefined
    this.gone.set(key, { ...found, day: today() })
    return found.isRead ? 'read' : 'unread'
  }

  wasRead(notice: Notice): boolean {
    const found = this.gone.get(keyOf(notice))
    return found !== undefined && found.isRead && !isOver(found)
  }

  add(notices: readonly (Notice & { readonly acknowledged: boolean })[]): void {
    for (const notice of notices) {
      const isRead = notice.acknowledged || this.wasRead(notice)
      this.put({ host: notice.host, mark: markOf(notice.id), isRead, day: today() })
    }
    this.trim()
  }

  /** What another Stillpoint has written down. What is no such list says nothing. */
  learn(kept: unknown): void {
    const ours = this.gone
    this.gone = new Map()
    for (const gone of [...readKept(kept), ...ours.values()]) {
      const before = this.gone.get(placeOf(gone))
      this.put({
        ...gone,
        isRead: gone.isRead || before?.isRead === true,
        day: Math.max(gone.day, before?.day ?? 0)
      })
    }
    this.trim()
  }

  /** To be written down; `learn` understands it. */
  kept(): Kept {
    const groups = new Map<string, Kept[number]>()
    for (const { host, mark, isRead, day } of this.gone.values()) {
      const group = groups.get(`${host}/${day}`) ?? { host, day, read: [], unread: [] }
      groups.set(`${host}/${day}`, group)
      ;(isRead ? group.read : group.unread).push(mark)
    }
    return [...groups.values()]
  }

  /** As the one that was said last. */
  private put(gone: Gone): void {
    this.gone.delete(placeOf(gone))
    if (!isOver(gone)) this.gone.set(placeOf(gone), gone)
  }

  private trim(): void {
    if (this.gone.size <= MOST) return
    const newestFirst = [...this.gone.values()].filter((gone) => !isOver(gone)).toReversed()
    const within = firstOfEach(newestFirst, MOST).toReversed()
    this.gone = new Map(within.map((gone) => [placeOf(gone), gone]))
  }
}

/** An entry of one day is of that day, whatever order they were in. */
const readKept = (kept: unknown): readonly Gone[] =>
  (Kept.safeParse(kept).data ?? [])
    .toSorted((a, b) => a.day - b.day)
    .flatMap(({ host, day, read, unread }) => [
      ...unread.map((mark) => ({ host, mark, isRead: false, day })),
      ...read.map((mark) => ({ host, mark, isRead: true, day }))
    ])

/** No clock that was set back makes one last for ever. */
const isOver = ({ day }: Gone): boolean => Math.abs(today() - day) > DAYS_KNOWN
const today = (): number => Math.floor(Date.now() / DAY_MS)

const markOf = (id: string): string => createHash('sha256').update(id).digest('base64url').slice(0, 8)
const placeOf = ({ host, mark }: Pick<Gone, 'host' | 'mark'>): string => `${host}/${mark}`
const keyOf = ({ host, id }: Notice): string => placeOf({ host, mark: markOf(id) })
