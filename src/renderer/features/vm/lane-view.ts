import { formatDay, formatTime } from '../../../shared/format.ts'
import { isGood } from '../../../shared/safety.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { damagedWords, methodShown, pauseShown } from './point-words.ts'
import { words } from './words.ts'

/** How a method looks: live and disk are discs, the yardstick a square, what was off a diamond. */
const SHAPES = { live: 'disc', disk: 'disc', classic: 'square', offline: 'diamond' } as const

export interface Dot {
  readonly id: string
  readonly shape: (typeof SHAPES)[PointView['method']]
  /** Holds RAM; a ring holds disks only. */
  readonly isFilled: boolean
  readonly isPinned: boolean
  readonly isBad: boolean
  /** Percent of the lane's width. */
  readonly left: number
  /** Counted from the bottom; dots that would cover each other lie in rows of their own. */
  readonly row: number
  /** What hovering shows. */
  readonly label: string
  /** All of it, for those who do not see it. */
  readonly spoken: string
}

export interface Lane {
  /** Oldest first. */
  readonly dots: readonly Dot[]
  readonly rows: number
  readonly ticks: readonly { readonly left: number; readonly label: string }[]
}

export const DOT_PX = 14
const GAP_PX = 4
const MAX_ROWS = 6
const DAY_MS = 24 * 3_600_000

/** Points on a line of time, from the oldest to now. */
export function laneOf(points: readonly PointView[], now: Date, widthPx: number): Lane {
  const inTime = points.toSorted((a, b) => a.takenAt.localeCompare(b.takenAt))
  const first = inTime[0]
  if (first === undefined) return { dots: [], rows: 0, ticks: [] }
  const from = Date.parse(first.takenAt)
  const to = Math.max(now.getTime(), Date.parse(inTime.at(-1)?.takenAt ?? ''), from + 60_000)
  const share = (at: number): number => (at - from) / (to - from)
  const rows = new Rows(Math.max(1, widthPx - DOT_PX))
  const dots = inTime.map((point) => {
    const at = share(Date.parse(point.takenAt))
    return { ...dotOf(point), left: 100 * at, row: rows.place(at) }
  })
  return { dots, rows: rows.count, ticks: ticksOf(from, to, share, widthPx) }
}

function dotOf(point: PointView): Omit<Dot, 'left' | 'row'> {
  const isBad = !isGood(point)
  const said = [
    formatTime(point.takenAt),
    methodShown(point),
    point.hasMemory ? words.withRam : words.withoutRam,
    pauseShown(point),
    ...(point.marks.pinned ? [words.pinned] : []),
    ...(isBad ? [words.verifiedBad] : []),
    ...damagedWords(point),
    ...(point.marks.note === undefined ? [] : [safeText(point.marks.note)])
  ]
  return {
    id: pointName(point),
    shape: SHAPES[point.method],
    isFilled: point.hasMemory,
    isPinned: point.marks.pinned,
    isBad,
    label: `${pauseShown(point)} · ${formatTime(point.takenAt)}`,
    spoken: said.join(', ')
  }
}

/** The lowest row in which a dot does not touch the one before; when all are full, the one with most room. */
class Rows {
  private readonly ends: number[] = []
  private readonly widthPx: number

  constructor(widthPx: number) {
    this.widthPx = widthPx
  }

  get count(): number {
    return this.ends.length
  }

  place(share: number): number {
    const x = share * this.widthPx
    const free = this.ends.findIndex((end) => end + GAP_PX <= x)
    const row =
      free !== -1 ? free : this.ends.length < MAX_ROWS ? this.ends.length : this.ends.indexOf(Math.min(...this.ends))
    this.ends[row] = x + DOT_PX
    return row
  }
}

/** Steps between ticks, in days. */
const STEPS = [1, 2, 7, 14, 30, 91, 182, 365, 730, 1825]
const TICK_PX = 110
/** "now" stands at the end, and has it to itself. */
const NOW_PX = 90

/** Midnights of this computer's time zone, no more than there is room for. */
function ticksOf(from: number, to: number, share: (at: number) => number, widthPx: number): Lane['ticks'] {
  const room = Math.max(1, Math.floor(widthPx / TICK_PX))
  const step = STEPS.find((days) => (to - from) / (days * DAY_MS) <= room) ?? 3650
  const day = new Date(to)
  day.setHours(0, 0, 0, 0)
  const ticks: { left: number; label: string }[] = []
  while (day.getTime() >= from) {
    const left = 100 * share(day.getTime())
    if ((100 - left) * widthPx > 100 * NOW_PX) ticks.unshift({ left, label: formatDay(day) })
    day.setDate(day.getDate() - step)
  }
  return ticks
}
