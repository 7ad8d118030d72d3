import type { Pause } from '../../shared/model/pause.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { watchStopResume, type StopResumeEvent } from '../../libvirt/events.ts'

/** Listens to QEMU's STOP and RESUME of one VM while `work` runs, and reports each pair as a pause of the job. */
export async function measurePauses<T>(
  job: JobContext,
  phase: string,
  work: () => Promise<T>
): Promise<{ result: T; pauses: Pause[] }> {
  const listening = new AbortController()
  const events: StopResumeEvent[] = []
  const watch = await watchStopResume(job.shell, job.spec.vm, (event) => void events.push(event), listening.signal)
  const pauses: Pause[] = []
  try {
    return { result: await work(), pauses }
  } finally {
    await allResumed(events)
    listening.abort()
    await watch.ended
    pauses.push(...pausesOf(events, phase))
    for (const pause of pauses) job.pause(pause)
  }
}

const LAST_EVENT_WITHIN_MS = 500

/** QEMU's RESUME may arrive a moment after the command that caused it has returned. */
async function allResumed(events: readonly StopResumeEvent[]): Promise<void> {
  const deadline = Date.now() + LAST_EVENT_WITHIN_MS
  while (events.at(-1)?.event === 'STOP' && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Pairs each STOP with the next RESUME. A second STOP within a pause belongs to it. */
export function pausesOf(events: readonly StopResumeEvent[], phase: string): Pause[] {
  const pauses: Pause[] = []
  let stopped: number | undefined
  for (const { event, atMicros } of events) {
    if (event === 'STOP') stopped ??= atMicros
    else if (stopped !== undefined) {
      pauses.push(pauseBetween(phase, stopped, atMicros))
      stopped = undefined
    }
  }
  return pauses
}

function pauseBetween(phase: string, startMicros: number, endMicros: number): Pause {
  return {
    phase,
    startedAt: new Date(startMicros / 1000).toISOString(),
    endedAt: new Date(endMicros / 1000).toISOString(),
    ms: (endMicros - startMicros) / 1000,
    source: 'qemu-events'
  }
}
