import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { failureFrom } from '../../../shared/failure-data.ts'
import { describeFailure } from '../../../shared/failure-words.ts'
import { summaryOf } from '../../../shared/model/point.ts'
import type { JobReport } from '../../../shared/model/job.ts'
import type { PointOrigin } from '../../../shared/point-name.ts'
import type { Unreachable } from '../../core/jobs/jobs.ts'
import { damagedIn, placeLabel, type KnownPoint } from '../../core/points/point-places.ts'

/** A point as `--json` publishes it (docs/cli.md): fields are added, never renamed. */
export function pointJson(point: KnownPoint, origin: PointOrigin): Readonly<Record<string, unknown>> {
  const places = point.places.map((place) => placeLabel(place, DEFAULT_STORE))
  const damaged = damagedIn(point)
  return {
    ...summaryOf(point.manifest),
    ...origin,
    places,
    ...point.marks,
    ...(damaged.length > 0 && { damagedIn: damaged })
  }
}

/** What can be said of a backup's point without asking its store again. */
export function pointOfReport(report: JobReport): Readonly<Record<string, unknown>> {
  return {
    id: report.point,
    vm: report.vm.name,
    vmUuid: report.vm.uuid,
    host: report.host,
    method: report.method,
    sizeBytes: report.sizeBytes,
    pauses: report.pauses.map(({ phase, ms }) => ({ phase, ms })),
    pauseMs: report.pauseMs,
    warnings: report.warnings
  }
}

export const unreachableJson = (hosts: readonly Unreachable[]): unknown[] =>
  hosts.map(({ host, failure, ...more }) => ({
    host,
    failure: failureFrom(failure),
    title: describeFailure(failure).title,
    ...more
  }))
