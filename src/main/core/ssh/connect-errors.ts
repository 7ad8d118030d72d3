import { StillpointError } from '../../../shared/failure.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'

/** How far a login had come. */
export type ConnectPhase = 'connecting' | 'handshake' | 'login'

const socketWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ETIMEDOUT: 'no answer (timed out)',
  EHOSTUNREACH: 'there is no way to it (host unreachable)',
  ENETUNREACH: 'there is no way to its network (network unreachable)',
  EHOSTDOWN: 'it is down',
  ENOTFOUND: 'its name is not known (DNS)',
  EAI_AGAIN: 'its name could not be looked up (DNS does not answer)',
  EADDRNOTAVAIL: 'that address cannot be reached from here',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection'
}

const phaseWords: Readonly<Record<ConnectPhase, string>> = {
  connecting: 'it did not take the connection',
  handshake: 'it took the connection, but did not speak SSH',
  login: 'it did not finish the login'
}

export const unreachable = (host: string, reason: string, cause?: unknown): StillpointError =>
  new StillpointError({ kind: 'host-unreachable', host, reason }, { cause })

export const tooLate = (host: string, phase: ConnectPhase, ms: number): StillpointError =>
  unreachable(host, `${phaseWords[phase]} within ${ms / 1000} s`)

/** An error of the socket or of ssh2 before the login was through, in words. */
export function connectFailure(host: string, phase: ConnectPhase, error: unknown): StillpointError {
  if (error instanceof StillpointError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const known = typeof code === 'string' ? socketWords[code] : undefined
  return unreachable(host, known ?? reasonOf(phase, safeText(shorten(message, 300))), error)
}

function reasonOf(phase: ConnectPhase, message: string): string {
  if (phase === 'login') return `it ended the login: ${message}`
  if (/before handshake/i.test(message)) return 'it closed the connection without a word of SSH'
  if (/invalid identification|max (identification|greeting)|header/i.test(message))
    return `what answers there is no SSH server (${message})`
  return `no SSH connection came about: ${message}`
}
