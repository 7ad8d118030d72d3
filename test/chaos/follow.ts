import { jobUnit, LAB_HELD_DIR, RECOVER_UNIT } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { LabHost } from '../lab/host.ts'
import { endOf } from '../lab/journals.ts'
import { sleep } from '../lab/run.ts'

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
