import type { Command } from 'commander'
import { examineHost, letGoOf } from '../../../core/hosts/examine-host.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import { gathered } from '../policy-flags.ts'
import { fail } from '../../../../shared/failure.ts'
import { forShell } from '../../../../shared/model/restore-choice.ts'
import { formatBytes } from '../../../../shared/format.ts'
import type { Leftover, LetGo } from '../../../../shared/engine-protocol.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { table } from '../table.ts'

type DoctorOptions = ActionOptions & { repair?: boolean; letGo?: string; also?: string[] }

export const doctorCommand = (perform: Perform): Command =>
  leaf('doctor <HOST>', 'Look for leftovers of interrupted jobs on a host; touches nothing unless told to', [
    'doctor alpha',
    'doctor alpha --repair',
    'doctor alpha --let-go 20261128T051932Z-1a2b3c',
    "doctor alpha --let-go 20261128T051932Z-1a2b3c --also '/srv/data.img.kept-20261128T051932Z-1a2b3c'"
  ])
    .option('--repair', 'put right what was found')
    .option('--let-go <ID>', 'remove what the restore of this id has replaced and kept aside')
    .option(
      '--also <PATH>',
      'with --let-go: an image that it has put aside and that is in no point; repeatable',
      gathered
    )
    .action((host: string, options: DoctorOptions) =>
      perform(options, async ({ core, out }) => {
        if (options.also !== undefined && options.letGo === undefined)
          fail({ kind: 'usage', message: '--also is for --let-go.' })
        if (options.letGo !== undefined) {
          const gone = await letGoOf(core, host, options.letGo, options.also)
          out.line(lettingGo(gone))
          const unnamed = gone.kept.filter(({ isInNoPoint }) => isInNoPoint).flatMap(({ path }) => ['--also', path])
          if (unnamed.length > 0)
            out.line(
              `To let go of what is in no point too: ${forShell(['stillpoint', 'doctor', host, '--let-go', options.letGo, ...unnamed])}`
            )
          out.result({ host, ...gone })
          return gone.kept.length === 0 ? EXIT.done : EXIT.warnings
        }
        const leftovers = await examineHost(core, host, options.repair === true)
        out.line(leftovers.length === 0 ? `Nothing is left over on ${host}.` : leftoverLines(leftovers))
        if (exitOf(leftovers) === EXIT.warnings && options.repair !== true)
          out.line(`To put it right: stillpoint doctor ${host} --repair`)
        out.result({ host, leftovers })
        return exitOf(leftovers)
      })
    )

/** What is to be typed by hand stands below the table, a line each. */
export const leftoverLines = (leftovers: readonly Leftover[]): string[] => [
  ...table(
    ['KIND', 'WHAT', 'REMEDY', 'STATE'],
    leftovers.map(({ kind, what, remedy, repaired }) => [
      kind,
      what,
      remedy.split('\n')[0] ?? '',
      repaired ? 'put right' : 'left as it is'
    ])
  ),
  ...leftovers.flatMap(({ what, remedy }) => {
    const [, ...typed] = remedy.split('\n')
    return typed.length === 0 ? [] : ['', `${what}:`, ...typed.map((line) => `  ${line}`)]
  })
]

const lettingGo = ({ removed, freedBytes, kept }: LetGo): string[] => [
  `Freed ${formatBytes(freedBytes)} in ${removed.length} ${removed.length === 1 ? 'file' : 'files'}.`,
  ...removed.map((path) => `${path} is gone.`),
  ...kept.map(({ path, because }) => `${path} stays: ${because}.`)
]

/** What a restore replaced is kept on purpose, until its owner lets go of it; and an autostart is held back, until he decides. */
const isFault = ({ kind, repaired }: Leftover): boolean => !repaired && kind !== 'kept aside' && kind !== 'autostart'

/** Something is still there: done, with warnings. */
const exitOf = (leftovers: readonly Leftover[]): ExitCode => (leftovers.some(isFault) ? EXIT.warnings : EXIT.done)
