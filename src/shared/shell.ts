/** The one port through which every program is run, on this machine or on a host. Makers: `shell/local`, `shell/fake`, `main/core/ssh`. */

export type Argv = readonly [program: string, ...args: string[]]

export interface RunOptions {
  /** Written to the program's stdin, which is then closed. Without it stdin is empty. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Ends the program (TERM, then KILL) and rejects with `timeout`. Default 60 000; `Infinity` for none. */
  readonly timeoutMs?: number
  /** Ends the program and rejects with `cancelled`. */
  readonly signal?: AbortSignal
  /** Takes stdout as it comes; then `stdout` of the result is empty. A returned promise holds the program back. */
  readonly onStdout?: (chunk: Uint8Array) => void | Promise<void>
  readonly onStderr?: (chunk: Uint8Array) => void
  /**
   * Most bytes listened to of each of stdout and stderr, where they are not streamed. More rejects with `output-too-large`.
   * Default 16 MiB. Of stderr the middle is left out, and that is said there, where it is longer than a few hundred KiB.
   */
  readonly maxOutputBytes?: number
  /** Added to the program's environment. `LC_ALL=C` is always set. */
  readonly env?: Readonly<Record<string, string>>
}

export interface RunResult {
  /** Undefined if a signal ended the program. */
  readonly exitCode: number | undefined
  /** Name such as `SIGKILL`, if a signal ended the program. */
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs programs as root on one machine. Arguments reach the program untouched.
 *
 * `run` resolves with whatever exit code the program had. It rejects with a `StillpointError` of kind `timeout`,
 * `cancelled`, `output-too-large`, `missing-tool` (no such program) or one of the connection's.
 */
export interface Shell {
  /** What to call this machine in messages. */
  readonly label: string
  run(argv: Argv, options?: RunOptions): Promise<RunResult>
}
