/** A policy that is paused until then is paused until somebody resumes it. */
export const policyFar = '9999-12-31T00:00:00.000Z'

const AGES_MS = 50 * 365 * 86_400_000

/** So far away that it means: until somebody says otherwise. */
export const isForGood = (until: string, now = new Date()): boolean => Date.parse(until) - now.getTime() > AGES_MS
