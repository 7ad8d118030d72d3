import { fail } from '../shared/failure.ts'
import type { Shell } from '../shared/shell.ts'

/** Runs a program that has to succeed; answers its stdout. @throws `command-failed` with what it said */
export async function expectZero(shell: Shell, argv: readonly [string, ...string[]]): Promise<string> {
  const { exitCode, stdout, stderr } = await shell.run(argv)
  return exitCode === 0
    ? stdout
    : fail({ kind: 'command-failed', command: argv.join(' '), exitCode, stderr: stderr.trim() })
}
