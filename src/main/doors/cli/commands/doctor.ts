import type { Command } from 'commander'
import { examineHost } from '../../../core/hosts/examine-host.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import type { Leftover } from '../../../../shared/engine-protocol.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { table } from '../table.ts'

export const doctorCommand = (perform: Perform): Command =>
  leaf('doctor <HOST>', 'Look for leftovers of interrupted jobs on a host; touches nothing unless told to', [
    'doctor alpha',
    'doctor alpha --repair'
  ])
    .option('--repair', 'put right what was found')
    .action((host: string, options: ActionOptions & { repair?: boolean }) =>
      perform(options, async ({ core, out }) => {
        const leftovers = await examineHost(core, host, options.repair === true)
        out.line(leftovers.length === 0 ? `Nothing is left over on ${host}.` : leftoverTable(leftovers))
        if (exitOf(leftovers) === EXIT.warnings && options.repair !== true)
          out.line(`To put it right: stillpoint doctor ${host} --repair`)
        out.result({ host, leftovers })
        return exitOf(leftovers)
      })
    )

const leftoverTable = (leftovers: readonly Leftover[]): string =>
  table(
    ['KIND', 'WHAT', 'REMEDY', 'STATE'],
    leftovers.map(({ kind, what, remedy, repaired }) => [kind, what, remedy, repaired ? 'put right' : 'left as it is'])
  )

/** What a restore replaced is kept on purpose, until its owner lets go of it. */
const isFault = ({ kind, repaired }: Leftover): boolean => !repaired && kind !== 'kept aside'

/** Something is still there: done, with warnings. */
const exitOf = (leftovers: readonly Leftover[]): ExitCode => (leftovers.some(isFault) ? EXIT.warnings : EXIT.done)
