/**
 * What was decided about a file that our code would remove or rename away: the proof that nobody needs it where it is,
 * or the reason to keep it, with the lines that an operator can type to mend matters.
 */
export type Verdict = Removable | Kept

export interface Removable {
  readonly kind: 'remove'
  /** One sentence for each thing that was shown. */
  readonly proof: readonly string[]
}

export interface Kept {
  readonly kind: 'keep'
  readonly path: string
  readonly because: string
  /** Shell lines, in their order; empty where there is nothing to do but wait. */
  readonly mend: readonly string[]
}

export const removable = (...proof: string[]): Removable => ({ kind: 'remove', proof })
export const keep = (path: string, because: string, ...mend: string[]): Kept => ({ kind: 'keep', path, because, mend })
