import { DEFAULT_FLOOR, DEFAULT_GRACE_HOURS, type KeepRules } from '../model/policy.ts'

/** *Simple*, the 1 to 4 backups of `bkvm`: the last so many, and nothing else. */
export const simplePreset = (last: number): KeepRules => ({
  last,
  floor: Math.min(DEFAULT_FLOOR, Math.max(1, last)),
  graceHours: DEFAULT_GRACE_HOURS
})

/** What a new policy begins with: half a year back, and a week to go on from in the middle of things. */
export const DEFAULT_KEEP: KeepRules = {
  last: 3,
  daily: 7,
  weekly: 4,
  monthly: 6,
  memory: 3,
  floor: DEFAULT_FLOOR,
  graceHours: DEFAULT_GRACE_HOURS
}
