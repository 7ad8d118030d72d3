import type { OfferedChoice, PreflightItem } from '../../../shared/engine-protocol.ts'
import { flagOf, forShell, mergeChoices, type RestoreChoice } from '../../../shared/model/restore-choice.ts'

/** What the person can say to something that the host found: each is an argument of `restore` in the terminal. */
export type Decision =
  /** Something else instead of what the host does not have. */
  | { readonly kind: 'choose'; readonly offer: OfferedChoice }
  /** The point may have this of the host, by name. */
  | { readonly kind: 'allow'; readonly item: string }
  /** A disk that is not in the point is the right one on this host. */
  | { readonly kind: 'attach'; readonly disk: string }
  /** What was chosen for the host before does not count. */
  | { readonly kind: 'forget' }

/** What can be said to a finding. */
export const decisionsFor = ({ choices = [], allow, attach, remembered }: PreflightItem): readonly Decision[] => [
  ...choices.map((offer) => ({ kind: 'choose', offer }) as const),
  ...(allow === undefined ? [] : [{ kind: 'allow', item: allow } as const]),
  ...(attach === undefined ? [] : [{ kind: 'attach', disk: attach } as const]),
  ...(remembered === true ? [{ kind: 'forget' } as const] : [])
]

/** As one types it. */
export function flagFor(decision: Decision): string {
  switch (decision.kind) {
    case 'choose':
      return forShell(flagOf(decision.offer.choice))
    case 'allow':
      return forShell(['--allow', decision.item])
    case 'attach':
      return forShell(['--attach', decision.disk])
    case 'forget':
      return '--no-remembered'
  }
}

export const choicesIn = (decisions: readonly Decision[]): RestoreChoice[] =>
  decisions.flatMap((each) => (each.kind === 'choose' ? [each.offer.choice] : []))
export const allowedIn = (decisions: readonly Decision[]): string[] =>
  decisions.flatMap((each) => (each.kind === 'allow' ? [each.item] : []))
export const attachedIn = (decisions: readonly Decision[]): string[] =>
  decisions.flatMap((each) => (each.kind === 'attach' ? [each.disk] : []))

/** With one more, which takes the place of an earlier one about the same thing. */
export function withDecision(before: readonly Decision[], decided: Decision): readonly Decision[] {
  const all = [...withoutDecision(before, decided), decided]
  const kept = mergeChoices([], choicesIn(all))
  return all.filter((each) => each.kind !== 'choose' || kept.includes(each.offer.choice))
}

export const withoutDecision = (before: readonly Decision[], decided: Decision): readonly Decision[] =>
  before.filter((each) => flagFor(each) !== flagFor(decided))
