import { InvalidArgumentError, Option, type Command } from 'commander'
import { OnBusy } from '../../../shared/model/job.ts'
import { Method } from '../../../shared/model/point.ts'
import type { PolicyDraft } from '../../../shared/views/policy-view.ts'
import { absolutePath, positiveMs } from './leaf.ts'

/** The same for `add` and `edit`. */
export const withPolicyFlags = (command: Command): Command =>
  command
    .option('--exclude <PATTERN>', 'but not these VMs; may be given several times; empty: none', gatheredOrNone)
    .addOption(new Option('--method <METHOD>', 'default: live for a running VM, offline else').choices(Method.options))
    .option('--store <DIR>', 'directory on the host that gets the points', absolutePath)
    .option('--budget <MS>', 'longest pause that is all right (default 300)', positiveMs)
    .addOption(new Option('--on-busy <WHAT>', 'if a VM is too busy for that').choices(OnBusy.options))
    .option(
      '--exclude-disk <TARGET>',
      'leave this disk out, such as vdb; may be given several times; empty: none',
      gatheredOrNone
    )
    .option('--media', 'what lies in drives too, such as an ISO, each time whole')
    .option('--no-media', 'not (default)')
    .option('--window <HOURS>', 'backups begin only then: 22:00-06:00, or always', hours)
    .option('--jitter <SECONDS>', 'each run is later by a fixed share of this', wholeTo(86_400))
    .option('--keep-last <N>', 'keep the last N points of each VM', wholeTo(10_000))
    .option('--keep-hourly <N>', 'and one of each of N hours', wholeTo(10_000))
    .option('--keep-daily <N>', 'days', wholeTo(10_000))
    .option('--keep-weekly <N>', 'weeks', wholeTo(10_000))
    .option('--keep-monthly <N>', 'months', wholeTo(10_000))
    .option('--keep-yearly <N>', 'years; without any of these all points stay', wholeTo(10_000))
    .option('--keep-memory <N>', 'keep RAM in the newest N points only', wholeTo(10_000))
    .option('--floor <N>', 'never fewer good points of a VM than this (default 3)', wholeTo(1000))
    .option('--grace <HOURS>', 'how long a point stays in the trash (default 24)', hoursTo(8784))
    .option('--mail-success', 'tell of runs that went well')
    .option('--no-mail-success', 'do not (default)')
    .option('--mail-failure', 'tell of failures and silence (default)')
    .option('--no-mail-failure', 'do not')
    .addOption(new Option('--digest <EVERY>', 'a summary').choices(['none', 'daily', 'weekly']))
    .option(
      '--mail-to <ADDRESS>',
      'instead of those of the host; may be given several times; empty: those',
      gatheredOrNone
    )
    .option('--before <COMMAND>', 'run on the host, as root, before the backup of each VM; empty: none')
    .option('--after <COMMAND>', 'and after it')
    .option(
      '--before-file <FILE>',
      'holds the command before, which is then in no list of processes here; - is standard input'
    )
    .option('--after-file <FILE>', 'holds the one after')
    .option('--before-must-succeed', 'else the VM is not backed up')
    .option('--no-before-must-succeed', 'a warning is enough (default)')
    .option('--hook-deadline <SECONDS>', 'after which a command is killed (default 300)', wholeTo(3600))
    .option(
      '--expect <HOURS>',
      'alarm when a VM has no good point for so long (default: from the calendar)',
      hoursTo(8784)
    )
    .option('--accept-store', 'the store at that place is another one than it was, and that is meant')

/** An empty one takes away all that were there. */
const gatheredOrNone = (text: string, before: string[] | undefined): string[] =>
  text === '' ? (before ?? []) : gathered(text, before)

export const gathered = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text]

export const wholeTo =
  (most: number) =>
  (text: string): number => {
    if (!/^\d+$/.test(text) || Number(text) > most) throw new InvalidArgumentError(`A whole number up to ${most}.`)
    return Number(text)
  }

const hoursTo =
  (most: number) =>
  (text: string): number => {
    const hours = Number(text)
    if (text.trim() === '' || !Number.isFinite(hours) || hours < 0 || hours > most)
      throw new InvalidArgumentError(`Hours, up to ${most}.`)
    return hours
  }

function hours(text: string): PolicyDraft['schedule']['window'] | 'always' {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? []
  if (text === 'always') return text
  if (from === undefined || to === undefined) throw new InvalidArgumentError('From and to, such as 22:00-06:00.')
  return { from, to }
}
