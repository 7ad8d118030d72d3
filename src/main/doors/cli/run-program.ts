import { CommanderError, type Command } from 'commander'
import { failureOf, type Failure } from '../../../shared/failure.ts'
import { EXIT, exitOfFailure, type ExitCode } from './exit-codes.ts'
import { output, type Output } from './output.ts'
import { logBug, openSession, type OpenSession, type Session } from './session.ts'
import { terminal } from './terminal.ts'

/** What a command ended with; it has said everything already. */
export type Action = (session: Session) => Promise<ExitCode>
export interface ActionOptions {
  readonly json?: boolean
  /** Only `host add` has it. */
  readonly acceptNew?: boolean
}
/** Runs a command's action with everything it needs, once the line is understood. */
export type Perform = (options: ActionOptions, action: Action) => void

/** Understands the line, runs it, and returns the exit code. Nothing is ever thrown from here. */
export async function runProgram(build: (perform: Perform) => Command, argv: readonly string[]): Promise<ExitCode> {
  const out = output(argv.includes('--json'), process)
  process.stdout.on('error', () => process.exit(EXIT.failed)) // the reader has gone: `stillpoint points | head`
  let chosen: (() => Promise<ExitCode>) | undefined
  const program = build((options, action) => (chosen = () => perform(options, action)))
  const misread = await understand(program, argv, out)
  const exit = misread ?? (await chosen?.()) ?? EXIT.done
  await new Promise((resolve) => process.stdout.write('', resolve))
  return exit
}

/** Undefined if the line was understood. */
async function understand(program: Command, argv: readonly string[], out: Output): Promise<ExitCode | undefined> {
  try {
    await program.parseAsync(argv, { from: 'user' })
    return undefined
  } catch (error) {
    if (!(error instanceof CommanderError)) return failed(out, failureOf(error))
    if (error.exitCode === 0) return EXIT.done
    if (out.json) out.failed({ kind: 'usage', message: error.message })
    return EXIT.usage
  }
}

async function perform(options: ActionOptions, action: Action): Promise<ExitCode> {
  const out = output(options.json === true, process)
  let session: OpenSession | undefined
  try {
    session = openSession(out, terminal(options.json === true), options.acceptNew === true)
    return await Promise.race([action(session), session.interrupts.forced])
  } catch (error) {
    return failed(out, failureOf(error))
  } finally {
    session?.interrupts.close()
    await session?.close()
  }
}

function failed(out: Output, failure: Failure): ExitCode {
  logBug(failure, out)
  out.failed(failure)
  return exitOfFailure(failure)
}
