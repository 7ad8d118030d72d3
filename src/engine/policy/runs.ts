import type { RunReport } from '../../shared/model/policy.ts'
import { readRun, runIds } from './run-files.ts'

export interface RunsAsked {
  readonly limit?: number | undefined
  readonly after?: string | undefined
  readonly policy?: string | undefined
}

/** Runs that this host remembers, newest first, running ones included: the last 100, or all that are younger than one. */
export function listRuns({ after, policy, limit = after === undefined ? 100 : Infinity }: RunsAsked): RunReport[] {
  const reports: RunReport[] = []
  for (const report of runsFromNewest()) {
    if (reports.length >= limit || (after !== undefined && report.id <= after)) break
    if (policy === undefined || report.policy.id === policy) reports.push(report)
  }
  return reports
}

export function* runsFromNewest(): Generator<RunReport> {
  for (const id of runIds().reverse()) {
    const report = readRun(id)
    if (report !== undefined) yield report
  }
}
