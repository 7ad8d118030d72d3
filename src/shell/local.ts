import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { StillpointError, fail } from '../shared/failure.ts'
import type { Argv, RunOptions, RunResult, Shell } from '../shared/shell.ts'
import { supervise, watchLimits, type Running } from './limits.ts'
import { outputsOf, pump } from './output.ts'
import { feed } from './stdin.ts'

export interface LocalShellOptions {
  readonly label?: string
  /** Added to every program's environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** How long a program may take to go by itself after TERM, and the kernel to bury it after KILL. */
const GRACE_MS = 2_000
const POLL_MS = 20

/** Runs programs on this machine, as whoever we are. */
export function localShell(options: LocalShellOptions = {}): Shell {
  return {
    label: options.label ?? 'this computer',
    run: (argv, runOptions = {}) => run(argv, { ...runOptions, env: { ...options.env, ...runOptions.env } })
  }
}

async function run(argv: Argv, options: RunOptions): Promise<RunResult> {
  const limits = watchLimits(argv[0], options)
  try {
    await limits.race(Promise.resolve()) // cancelled before it began: do not begin
    return await supervise(start(argv, options), limits)
  } finally {
    limits.dispose()
  }
}

function start(argv: Argv, options: RunOptions): Running<RunResult> {
  const child = spawnGroup(argv, options)
  const { stdout, stderr } = outputsOf(argv[0], options)
  const pumped = Promise.all([pump(child.stdout, stdout.take), pump(child.stderr, stderr.take)])
  const fed = feed(child.stdin, options.stdin)
  const closed = closeOf(child, argv[0])
  const done = Promise.all([closed, pumped]).then(([end]) => ({
    ...end,
    stdout: stdout.text(),
    stderr: stderr.text()
  }))
  return { done: Promise.race([done, faultOf(fed)]), end: () => endGroup(child) }
}

/** Never resolves: a program does not end because its stdin is written. */
const faultOf = (fed: Promise<void>): Promise<never> => fed.then(() => new Promise<never>(() => undefined))

/** A process group of its own, so that what the program starts can be ended along with it. */
function spawnGroup([program, ...args]: Argv, options: RunOptions): ChildProcessWithoutNullStreams {
  try {
    return spawn(program, args, { detached: true, env: { ...process.env, LC_ALL: 'C', ...options.env } })
  } catch (error) {
    // Thrown at once: a NUL in an argument, arguments beyond the kernel's limit.
    return fail({ kind: 'usage', message: `cannot run ${program}: ${String(error)}` }, error)
  }
}

function closeOf(
  child: ChildProcessWithoutNullStreams,
  program: string
): Promise<Pick<RunResult, 'exitCode' | 'signal'>> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(spawnFailure(error, program)))
    child.once('close', (code, signal) => resolve({ exitCode: code ?? undefined, signal: signal ?? undefined }))
  })
}

function spawnFailure(error: NodeJS.ErrnoException, program: string): Error {
  if (error.code === 'ENOENT' || error.code === 'EACCES' || error.code === 'ENOEXEC')
    return new StillpointError({ kind: 'missing-tool', tool: program }, { cause: error })
  return error
}

/** TERM, then KILL, for the program and all it started; done when none of them is left. */
async function endGroup(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.pid === undefined) return
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!signalGroup(child.pid, signal)) break
    if (await isGone(child.pid)) break
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
}

async function isGone(group: number): Promise<boolean> {
  const until = performance.now() + GRACE_MS
  while (signalGroup(group, 0)) {
    if (performance.now() > until) return false
    await sleep(POLL_MS)
  }
  return true
}

/** False if no process of the group is left. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
