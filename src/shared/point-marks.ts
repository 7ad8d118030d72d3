import type { MarksChange, PointMarks } from './views/point-view.ts'

export const NO_MARKS: PointMarks = { pinned: false }

/** What is not in the change stays as it was; an empty note is none. */
export function withMarks(before: PointMarks, change: MarksChange): PointMarks {
  const pinned = change.pinned ?? before.pinned
  const note = change.note ?? before.note
  const verified = change.verified ?? before.verified
  return { pinned, ...(note !== undefined && note !== '' && { note }), ...(verified !== undefined && { verified }) }
}

export const isMarked = ({ pinned, note, verified }: PointMarks): boolean =>
  pinned || note !== undefined || verified !== undefined

/** One set of marks for a point that is in several places. Damage in one of them outranks what others say. */
export function joinMarks(all: readonly PointMarks[]): PointMarks {
  const note = all.find((marks) => marks.note !== undefined)?.note
  const verdicts = all.flatMap(({ verified }) => verified ?? []).sort((a, b) => b.at.localeCompare(a.at))
  const verified = verdicts.find(({ good }) => !good) ?? verdicts[0]
  return {
    pinned: all.some(({ pinned }) => pinned),
    ...(note !== undefined && { note }),
    ...(verified !== undefined && { verified })
  }
}
