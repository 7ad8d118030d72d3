import type { JobKind, JobReport } from '../../../shared/model/job.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { Core } from '../core.ts'
import { listJobs, type Unreachable } from '../jobs/jobs.ts'
import { listPoints } from './list-points.ts'

type Span = Readonly<{ phase: string; ms: number }>

/** One job as downtime: a backup's pauses, a restore's time until the VM ran. */
export interface Downtime {
  readonly kind: JobKind
  readonly vm: string
  readonly vmUuid: string
  readonly host: string
  readonly at: string
  readonly point?: string
  readonly method?: string
  readonly mode?: string
  readonly pauses: readonly Span[]
  readonly pauseMs: number
  readonly runningMs?: number
  /** Of a restore. */
  readonly phases: readonly Span[]
}

/** From the history and, for what was taken by others or before, from the points themselves. Oldest first. */
export async function downtimes(
  core: Core,
  vm: string | undefined
): Promise<{ entries: Downtime[]; unreachable: readonly Unreachable[] }> {
  const [{ jobs, unreachable }, { points }] = await Promise.all([listJobs(core), listPoints(core)])
  const told = jobs.filter(
    (report) => report.point !== undefined && (report.state === 'done' || report.state === 'done-with-warnings')
  )
  const backups = new Set(told.flatMap((report) => (report.kind === 'backup' ? [report.point] : [])))
  const others = points.filter(({ manifest }) => !backups.has(manifest.id)).map(({ manifest }) => ofPoint(manifest))
  const entries = [...told.map(ofReport), ...others].filter((entry) => vm === undefined || isOf(entry, vm))
  return { entries: entries.sort((a, b) => a.at.localeCompare(b.at)), unreachable }
}

const isOf = (entry: Downtime, vm: string): boolean =>
  [entry.vm, entry.vmUuid, `${entry.host}/${entry.vm}`, `${entry.host}/${entry.vmUuid}`].includes(vm)

const span = ({ phase, ms }: Span): Span => ({ phase, ms })

function ofReport(report: JobReport): Downtime {
  const { kind, host, vm, startedAt, point, method, mode, runningMs } = report
  return {
    kind,
    vm: vm.name,
    vmUuid: vm.uuid,
    host,
    at: startedAt,
    ...(point !== undefined && { point }),
    ...(method !== undefined && { method }),
    ...(mode !== undefined && { mode }),
    pauses: report.pauses.map(span),
    pauseMs: report.pauseMs,
    ...(runningMs !== undefined && { runningMs }),
    phases: kind === 'restore' ? report.phases.map(span) : []
  }
}

const ofPoint = (manifest: Manifest): Downtime => ({
  kind: 'backup',
  vm: manifest.vm.name,
  vmUuid: manifest.vm.uuid,
  host: manifest.host.name,
  at: manifest.takenAt,
  point: manifest.id,
  method: manifest.method,
  pauses: manifest.pauses.map(span),
  pauseMs: manifest.pauseMs,
  phases: []
})
