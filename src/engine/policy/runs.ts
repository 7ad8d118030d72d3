import type { RunReport } from '../../shared/model/policy.ts'

export interface RunsAsked {
  readonly limit?: number | undefined
  readonly after?: string | undefined
  readonly policy?: string | undefined
}

/** Runs that this host remembers, newest first. */
export const listRuns = (_asked: RunsAsked): RunReport[] => []
