import { spawn } from 'node:child_process'

/** What a program left behind when it ended. A program killed by a signal has exit code 128 or more. */
export interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array | undefined
  /** After this time the program and all it started are killed and the call fails. Default: {@link PATIENCE_MS}. */
  readonly timeoutMs?: number | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
}

/** A failure of the lab itself, told so that an engineer can act on it. */
export class LabError extends Error {
  override readonly name = 'LabError'
}

/** Only what never comes takes so long, on whatever machine and however busy it is. */
export const PATIENCE_MS = 300_000

/** Runs a program and answers whatever its exit code is; fails only if it cannot start or takes too long. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program = '', ...rest] = argv
  const timeoutMs = options.timeoutMs ?? PATIENCE_MS
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      detached: true,
      ...(options.env ? { env: options.env } : {}),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd })
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      reject(new LabError(`took longer than ${timeoutMs} ms: ${argv.join(' ')}`))
    }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => undefined) // the program may end before it has read everything
    child.stdin.end(options.stdin ?? '')
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(new LabError(`cannot run ${program}: ${error.message}`))
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({
        exitCode: code ?? (signal === 'SIGKILL' ? 137 : 128),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString()
      })
    })
  })
}

/** Runs a program that has to succeed and answers its stdout. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await run(argv, options)
  if (outcome.exitCode === 0) return outcome.stdout
  const said = (outcome.stderr + outcome.stdout).trim()
  throw new LabError(`exit code ${outcome.exitCode} from ${argv.join(' ')}\n${said}`)
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Asks `question` until it answers something else than undefined. */
export async function waitFor<T>(
  what: string,
  question: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = PATIENCE_MS, everyMs = 100 } = {}
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await question()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new LabError(`waited ${timeoutMs} ms in vain for ${what}`)
    await sleep(everyMs)
  }
}
