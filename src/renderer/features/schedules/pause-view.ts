import { FOR_GOOD_AT } from './policy-words.ts'

export const PAUSES = ['hour', 'tomorrow', 'week', 'moment', 'forever'] as const
export type PauseChoice = (typeof PAUSES)[number]

const HOUR_MS = 3_600_000

/** When the pause ends; undefined where the moment that was typed is none, or is past. */
export function pauseEnd(choice: PauseChoice, moment: string, now: Date): Date | undefined {
  if (choice === 'hour') return new Date(now.getTime() + HOUR_MS)
  if (choice === 'week') return new Date(now.getTime() + 7 * 24 * HOUR_MS)
  if (choice === 'forever') return FOR_GOOD_AT
  const end =
    choice === 'tomorrow' ? new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 6) : new Date(moment)
  return end.getTime() > now.getTime() ? end : undefined
}
