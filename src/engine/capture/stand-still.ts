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
  const events: HeardEvent[] = []
  const onEvent = (event: StopResumeEvent): void => void events.push({ ...event, heardMs: performance.now() })
  const watch = await watchStopResume(job.shell, job.spec.vm, onEvent, listening.signal)
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
async function allResumed(events: readonly Pick<StopResumeEvent, 'event'>[]): Promise<void> {
  const deadline = performance.now() + LAST_EVENT_WITHIN_MS
  while (events.at(-1)?.event === 'STOP' && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10))
}

/** An event, and when it reached us by a clock that nobody sets. */
export interface HeardEvent extends Pick<StopResumeEvent, 'event' | 'atMicros'> {
  readonly heardMs: number
}

/** Pairs each STOP with the next RESUME. A second STOP within a pause belongs to it. */
export function pausesOf(events: readonly HeardEvent[], phase: string): Pause[] {
  const pauses: Pause[] = []
  let stopped: HeardEvent | undefined
  for (const event of events) {
    if (event.event === 'STOP') stopped ??= event
    else if (stopped !== undefined) {
      pauses.push(pauseBetween(phase, stopped, event))
      stopped = undefined
    }
  }
  return pauses
}

/** A host that is busy hears its events late, but not by this much. */
const HEARD_WITHIN_MS = 5000

/** As QEMU stamped it, unless the host's clock was set meanwhile: then as it was heard. */
function pauseBetween(phase: string, stop: HeardEvent, resume: HeardEvent): Pause {
  const stampedMs = (resume.atMicros - stop.atMicros) / 1000
  const heardMs = resume.heardMs - stop.heardMs
  const isSet = stampedMs < 0 || Math.abs(stampedMs - heardMs) > HEARD_WITHIN_MS
  const ms = isSet ? heardMs : stampedMs
  return {
    phase,
    startedAt: new Date(stop.atMicros / 1000).toISOString(),
    endedAt: new Date(stop.atMicros / 1000 + ms).toISOString(),
    ms,
    source: isSet ? 'clock' : 'qemu-events'
  }
}
