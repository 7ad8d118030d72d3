import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'

export interface StopResumeEvent {
  readonly event: 'STOP' | 'RESUME'
  /** QEMU's own time stamp, µs since 1970. */
  readonly atMicros: number
}

const REGISTERED_AFTER_MS = 300

/**
 * Reports QEMU's STOP and RESUME of one domain until `ended` is aborted; it follows the domain from one QEMU process to
 * the next. Resolves when it listens. `ended` of the answer resolves when the last event has been reported.
 */
export async function watchStopResume(
  shell: Shell,
  uuid: Uuid,
  onEvent: (event: StopResumeEvent) => void,
  signal: AbortSignal
): Promise<{ ended: Promise<void> }> {
  let rest = ''
  const onStdout = (chunk: Uint8Array): void => {
    const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = parseEvent(line)
      if (event !== undefined) onEvent(event)
    }
  }
  const argv = ['virsh', 'qemu-monitor-event', uuid, '--loop', '--regex', '--event', '^(STOP|RESUME)$'] as const
  const ended = shell.run(argv, { onStdout, signal, timeoutMs: Number.POSITIVE_INFINITY }).then(
    () => undefined,
    () => undefined
  )
  await new Promise((resolve) => setTimeout(resolve, REGISTERED_AFTER_MS))
  return { ended }
}

/** `event STOP at 1763841464.123456 for domain 'x': <null>` */
export function parseEvent(line: string): StopResumeEvent | undefined {
  const match = /^event (STOP|RESUME) at (\d+)\.(\d{6}) /.exec(line)
  if (match === null) return undefined
  return { event: match[1] as 'STOP' | 'RESUME', atMicros: Number(match[2]) * 1e6 + Number(match[3]) }
}
