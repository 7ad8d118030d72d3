import { fail } from '../shared/failure.ts'
import type { RunOptions, RunResult, Shell } from '../shared/shell.ts'

export interface VirshOptions extends RunOptions {
  /** Exit codes that are answers here; anything else is `command-failed`. Default: 0. */
  readonly expect?: readonly number[]
}

/** Runs one virsh command. Arguments reach it untouched. */
export async function virsh(shell: Shell, args: readonly string[], options: VirshOptions = {}): Promise<RunResult> {
  const { expect = [0], ...run } = options
  const result = await shell.run(['virsh', '-q', ...args], run)
  if (result.exitCode !== undefined && expect.includes(result.exitCode)) return result
  return fail({
    kind: 'command-failed',
    command: `virsh ${args[0] ?? ''}`,
    exitCode: result.exitCode,
    stderr: result.stderr.trim().slice(0, 2000)
  })
}
