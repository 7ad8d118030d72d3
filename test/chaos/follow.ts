import { existsSync } from 'node:fs'
import { heldPath } from '../../src/engine/journal/fault.ts'
import { jobUnit, LAB_HELD_DIR, RECOVER_UNIT } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { LabHost } from '../lab/host.ts'
import { endOf } from '../lab/journals.ts'
import { sleep, waitFor } from '../lab/run.ts'

const HELD_WITHIN_MS = 240_000

/** Waits until a job is held, or has ended before it came so far. */
export function heldOrEnded(host: LabHost, id: string, point: string): Promise<'held' | 'ended'> {
  const path = `/proc/${host.machinePid}/root${heldPath(id, point)}`
  return waitFor(
    `job ${id} to be held at ${point}`,
    () => (existsSync(path) ? 'held' : endOf(host, id) === undefined ? undefined : 'ended'),
    { timeoutMs: HELD_WITHIN_MS, everyMs: 30 }
  )
}

export async function letGo(host: LabHost, id: string): Promise<void> {
  await host.run(['rm', '-rf', `${LAB_HELD_DIR}/${id}`])
}

const ENDED_WITHIN_MS = 240_000

/**
 * The job's report once it has ended. While nobody works on it, what tries open jobs again from time to time is made to
 * do so now, lest a round last as long as its timer; and an undo that comes to the point at which its job was held is not held
 * for ever. Undefined: it has not ended.
 */
export async function endedReport(host: LabHost, id: string): Promise<JobReport | undefined> {
  const deadline = performance.now() + ENDED_WITHIN_MS
  for (let tries = 0; performance.now() < deadline; tries++) {
    const report = endOf(host, id)
    if (report !== undefined) return report
    await sleep(150)
    if (tries % 20 !== 19) continue
    await letGo(host, id)
    if (!(await isWorkedOn(host, id)))
      await host.run(['systemctl', 'start', RECOVER_UNIT], { timeoutMs: ENDED_WITHIN_MS })
  }
  return endOf(host, id)
}

async function isWorkedOn(host: LabHost, id: string): Promise<boolean> {
  const { stdout } = await host.run(['systemctl', 'show', '-p', 'ActiveState', '--value', jobUnit(id)])
  return !['inactive', 'failed', ''].includes(stdout.trim())
}
