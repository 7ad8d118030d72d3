import { StillpointError } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { RunResult, Shell } from '../shared/shell.ts'
import { commandFailed, inSystem } from './virsh.ts'

export interface StopResumeEvent {
  readonly event: 'STOP' | 'RESUME'
  /** Microseconds since the epoch by the host's clock, stamped by QEMU when it happened. */
  readonly atMicros: number
  readonly domainName: string
}

export interface StopResumeWatch {
  /** False if libvirt's confirmation was not seen in time: then an event right after the start may be missed. */
  readonly confirmed: boolean
  /** When it is over: undefined if it was stopped by its signal, else why it ended. Never rejects. */
  readonly ended: Promise<string | undefined>
}

const REGISTERED_WITHIN_MS = 3_000
const CONNECTED_WITHIN_MS = 30_000

/** QEMU program of libvirt's protocol, procedure CONNECT_DOMAIN_MONITOR_EVENT_REGISTER, a reply (1) without error (0). */
const REGISTERED = /\bprog=536903815 vers=1 proc=4 type=1 status=0\b/
/** Libvirt has said something. */
const CONNECTED = /RPC_CLIENT_MSG_RX: /

/**
 * Reports each STOP and RESUME of a domain's QEMU until the signal. Resolves when libvirt has confirmed the
 * registration, so nothing that is begun then is missed.
 *
 * - libvirt filters by UUID, so the watch follows the domain through `save` and `restore` to its next QEMU process.
 * - Not `--timestamp`: that is virsh's own clock when the event reaches it, in milliseconds. Without it virsh prints
 *   QEMU's stamp, in microseconds.
 * - virsh flushes each event as it prints it, also into a pipe. What it does not print is that it has registered: that is
 *   read from libvirt's client log of its messages, the only thing logged, on stderr.
 *
 * @throws `command-failed` if virsh ends before it has registered: no such domain, not running, no libvirt.
 */
export async function watchStopResume(
  shell: Shell,
  uuid: Uuid,
  onEvent: (event: StopResumeEvent) => void,
  signal: AbortSignal
): Promise<StopResumeWatch> {
  const registration = watchRegistration()
  const command = ['virsh', 'qemu-monitor-event', uuid, '--loop', '--regex', '--event', '^(STOP|RESUME)$'] as const
  const running = shell.run(
    command,
    inSystem({
      timeoutMs: Infinity,
      signal,
      env: { LIBVIRT_LOG_FILTERS: '1:rpc.netclient', LIBVIRT_LOG_OUTPUTS: '1:stderr' },
      onStdout: lines((line) => {
        const event = parseStopResume(line)
        if (event !== undefined) onEvent(event)
      }),
      onStderr: lines(registration.onLine)
    })
  )
  const over = running.then((result) => ({ result }))
  const ended = running.then(
    (result) => `virsh ended with ${result.exitCode ?? result.signal ?? ''}. ${registration.errors()}`,
    (error: unknown) => (signal.aborted ? undefined : String(error))
  )
  try {
    const first = await Promise.race([registration.confirmed, over])
    if (typeof first === 'object') return neverRegistered(first.result, registration.errors())
    return { confirmed: first, ended }
  } finally {
    registration.dispose()
  }
}

const neverRegistered = (result: RunResult, stderr: string): never =>
  commandFailed('virsh qemu-monitor-event', { ...result, stderr })

/** True when libvirt's reply is seen; false when it was not, some time after libvirt has answered at all. */
function watchRegistration(): {
  onLine: (line: string) => void
  confirmed: Promise<boolean>
  errors: () => string
  dispose: () => void
} {
  const errors: string[] = []
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  let timer = setTimeout(() => reject(timedOut()), CONNECTED_WITHIN_MS)
  let connected = false
  const onLine = (line: string): void => {
    if (line.startsWith('error: ') && errors.length < 20) errors.push(line.slice(0, 500))
    if (!CONNECTED.test(line)) return
    if (REGISTERED.test(line)) resolve(true)
    if (connected) return
    connected = true
    clearTimeout(timer)
    timer = setTimeout(() => resolve(false), REGISTERED_WITHIN_MS)
  }
  return { onLine, confirmed: promise, errors: () => errors.join('\n'), dispose: () => clearTimeout(timer) }
}

const timedOut = (): StillpointError =>
  new StillpointError({ kind: 'timeout', what: 'virsh qemu-monitor-event', afterMs: CONNECTED_WITHIN_MS })

/** `event STOP at 1795441129.568279 for domain 'alpha': <null>` */
export function parseStopResume(line: string): StopResumeEvent | undefined {
  const match = /^event (STOP|RESUME) at (\d{1,12})\.(\d{6}) for domain '(.*)': /.exec(line)
  if (match === null) return undefined
  const [, event, seconds, micros, domainName = ''] = match
  return { event: event === 'STOP' ? 'STOP' : 'RESUME', atMicros: Number(seconds) * 1e6 + Number(micros), domainName }
}

const LONGEST_LINE = 64 * 1024

/** Cuts a stream into lines. What has no end of line for too long is dropped. */
function lines(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder()
  let rest = ''
  return (chunk) => {
    const [first = '', ...others] = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    const all = [first, ...others]
    rest = all.pop() ?? ''
    if (rest.length > LONGEST_LINE) rest = ''
    for (const line of all) onLine(line)
  }
}
