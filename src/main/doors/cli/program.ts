import { Command } from 'commander'
import { backupCommand } from './commands/backup.ts'
import { channelsCommand } from './commands/channels.ts'
import { copyCommand, deleteCommand, verifyCommand } from './commands/copy.ts'
import { doctorCommand } from './commands/doctor.ts'
import { downtimeCommand } from './commands/downtime.ts'
import { historyCommand } from './commands/history.ts'
import { hostCommand } from './commands/host.ts'
import { jobCommand, jobsCommand } from './commands/jobs.ts'
import { pinCommand, unpinCommand } from './commands/pin.ts'
import { pointsCommand, showCommand } from './commands/points.ts'
import { policyCommand } from './commands/policy.ts'
import { pruneCommand } from './commands/prune.ts'
import { restoreCommand } from './commands/restore.ts'
import { serveCommand } from './commands/serve.ts'
import { vmCommand } from './commands/vm.ts'
import type { Perform } from './run-program.ts'
import { safeLines, safeText } from '../../../shared/safe-text.ts'
import { packageVersion } from '../../core/package.ts'

const AFTER = `
Exit codes: 0 done, 1 failed, 2 usage, 3 done with warnings, 130 cancelled or left running.
Settings are in $STILLPOINT_HOME, or ~/.config/stillpoint. --json is described in docs/cli.md.

First steps:
  $ stillpoint host add alpha ssh://root@alpha.example.net
  $ stillpoint vm list
  $ stillpoint backup alpha/web1
  $ stillpoint points
  $ stillpoint restore 20261122T201744Z-7f3a21 --to beta`

export function buildProgram(perform: Perform): Command {
  const program = new Command('stillpoint')
    .description(
      'Live backups of running KVM virtual machines, disks and RAM at one instant, and restores with one command.'
    )
    .version(packageVersion())
    .addHelpText('after', AFTER)
  for (const command of [hostCommand, vmCommand, backupCommand, pointsCommand, showCommand, restoreCommand])
    program.addCommand(command(perform))
  for (const command of [copyCommand, verifyCommand, pinCommand, unpinCommand, deleteCommand, downtimeCommand])
    program.addCommand(command(perform))
  for (const command of [policyCommand, pruneCommand, historyCommand, channelsCommand])
    program.addCommand(command(perform))
  for (const command of [jobsCommand, jobCommand, doctorCommand, serveCommand]) program.addCommand(command(perform))
  throwInsteadOfExit(program)
  return program
}

/** What does not fit is quoted as it was given, and a script may have given a name. For every command: settings of the parent are only inherited by commands that it makes itself. */
function throwInsteadOfExit(command: Command): void {
  command.configureOutput({
    writeOut: (text) => process.stdout.write(safeLines(text)),
    writeErr: (text) => process.stderr.write(safeLines(text)),
    outputError: (text, write) => write(complaint(text))
  })
  command.exitOverride().showHelpAfterError('(--help shows the forms)')
  for (const child of command.commands) throwInsteadOfExit(child)
}

/** One line, and another one only where commander guesses what was meant. */
function complaint(text: string): string {
  const [, what = '', guess = ''] = /^([^]*?)(\n\(Did you mean [^\n]*\))?\n*$/.exec(text) ?? []
  return `${safeText(what)}${guess}\n`
}
