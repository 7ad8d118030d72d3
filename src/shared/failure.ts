import type { Failure } from './failure-data.ts'

export type { Failure } from './failure-data.ts'
export type FailureKind = Failure['kind']
export type FailureOf<K extends FailureKind> = Extract<Failure, { kind: K }>

/** The only error class of ours. What else is thrown is a bug. */
export class StillpointError extends Error {
  readonly failure: Failure

  constructor(failure: Failure, options?: ErrorOptions) {
    super(`${failure.kind}: ${JSON.stringify(failure)}`, options)
    this.name = 'StillpointError'
    this.failure = failure
  }
}

/** Throws the failure. Reads well behind `??`. */
export function fail(failure: Failure, cause?: unknown): never {
  throw new StillpointError(failure, cause === undefined ? undefined : { cause })
}

/** True if the error carries a failure, of one of the kinds if any are named. */
export function isFailure<K extends FailureKind>(
  error: unknown,
  ...kinds: K[]
): error is StillpointError & { failure: FailureOf<K> } {
  return error instanceof StillpointError && (kinds.length === 0 || (kinds as string[]).includes(error.failure.kind))
}

/** Whatever was thrown, as an error. */
export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** The failure an error stands for. Node's file errors become `io`, everything unknown becomes `bug`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof StillpointError) return error.failure
  const code = systemCodeOf(error)
  if (error instanceof Error && code !== undefined) {
    const path = 'path' in error && typeof error.path === 'string' ? error.path : ''
    return { kind: 'io', path, code, detail: error.message }
  }
  const reference = Math.random().toString(36).slice(2, 8)
  return { kind: 'bug', reference, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

/** Errors of Linux that Node has no names for (`Unknown system error -116`): of network, checksumming and full file systems. */
const NAMELESS: Readonly<Record<number, string>> = {
  [-37]: 'ENOLCK',
  [-67]: 'ENOLINK',
  [-74]: 'EBADMSG',
  [-116]: 'ESTALE',
  [-117]: 'EUCLEAN',
  [-122]: 'EDQUOT'
}

/** The name of an error of the system, `ENOENT` for one. Undefined for all others. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  if (/^E[A-Z]+$/.test(error.code)) return error.code
  return 'errno' in error && typeof error.errno === 'number' ? NAMELESS[error.errno] : undefined
}
