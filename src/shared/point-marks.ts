import type { MarksChange, PlaceView, PointMarks, PointView, Verdict } from './views/point-view.ts'

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

/** One set of marks for a point that is in several stores of one host. Damage in one of them outranks what others say. */
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

/**
 * Of copies in several places, each of which speaks for its own: as a whole the point is damaged where all of them are, and
 * checked where one of them was and is good.
 */
export function verdictOfCopies(copies: readonly (Verdict | undefined)[]): Verdict | undefined {
  const known = copies.flatMap((verdict) => verdict ?? []).sort((a, b) => b.at.localeCompare(a.at))
  return known.find(({ good }) => good) ?? (known.length === copies.length ? known[0] : undefined)
}

type Copies = Pick<PointView, 'marks' | 'places'>

/** A check has found every copy of it damaged. */
export const isDamaged = ({ marks }: Pick<Copies, 'marks'>): boolean => marks.verified?.good === false

/** Places whose copy a check has found damaged, where that is not all of them. */
export const damagedPlaces = ({ marks, places }: Copies): readonly PlaceView[] =>
  isDamaged({ marks }) ? [] : places.filter(({ verified }) => verified?.good === false)
