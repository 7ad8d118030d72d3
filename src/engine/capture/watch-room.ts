import { dirname } from 'node:path'
import type { BackupSpec } from '../../shared/model/job.ts'
import { whileSpaceLasts, type WatchedFolder } from '../../store/free-space.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { CapturePlan } from './capture-plan.ts'

/**
 * Does `work`, and stops it with `no-room` when the store or a file system that overlays of the VM grow on is about to be
 * full: the job gives way before a guest meets a full disk.
 */
export function whileRoomLasts<T>(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  work: (job: JobContext<BackupSpec>) => Promise<T>
): Promise<T> {
  return whileSpaceLasts(foldersOf(plan, job.spec.store), job.signal, (signal) => work({ ...job, signal }))
}

function foldersOf(plan: CapturePlan, store: string): WatchedFolder[] {
  const overlays = plan.method === 'offline' ? [] : plan.disks.map(({ sidecar }) => dirname(sidecar))
  return [
    { path: plan.pointDir, name: store, forWhat: 'the point' },
    ...[...new Set(overlays)].map((path) => ({ path, forWhat: 'what the VM writes during the backup' }))
  ]
}
