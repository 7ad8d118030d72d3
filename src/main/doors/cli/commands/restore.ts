import { Option, type Command } from 'commander'
import { findPoint } from '../../../core/points/list-points.ts'
import { preflight, startRestore } from '../../../core/points/points.ts'
import { newCopy, storeOnTarget, type RestoreOrder } from '../../../core/points/restore-order.ts'
import { fail } from '../../../../shared/failure.ts'
import { quoted } from '../../../../shared/quoted.ts'
import type { PreflightItem } from '../../../../shared/engine-protocol.ts'
import type { JobReport } from '../../../../shared/model/job.ts'
import { flagText } from '../../../../shared/model/restore-choice.ts'
import { RestoreViewMode } from '../../../../shared/views/job-view.ts'
import { endOfJob } from '../end-of-job.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { commaList, leaf } from '../leaf.ts'
import { gathered } from '../policy-flags.ts'
import { addChoiceOptions, choicesOf, diskDirOf, lineWith, offerLines, type ChoiceOptions } from '../restore-choices.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'
import { table } from '../table.ts'
import { watchToEnd } from '../watch-job.ts'

interface RestoreOptions extends ActionOptions, ChoiceOptions {
  readonly to: string
  readonly mode?: RestoreViewMode
  readonly name?: string
  readonly start: boolean
  readonly replace?: boolean
  readonly attach?: readonly string[]
  readonly allow?: readonly string[]
  readonly check?: boolean
}

export const restoreCommand = (perform: Perform): Command =>
  addChoiceOptions(plainCommand()).action((id: string, options: RestoreOptions) =>
    perform(options, async (session) => {
      const order = await orderOf(session, id, options)
      return options.check === true ? check(session, order) : restore(session, order)
    })
  )

const plainCommand = (): Command =>
  leaf('restore <POINT>', 'Bring a VM back from a point, on any host: it goes on where it was, or boots', [
    'restore 20261122T201744Z-7f3a21 --to beta',
    'restore 20261122T201744Z-7f3a21 --to alpha --replace',
    'restore 20261122T20 --to beta --mode boot --json',
    'restore 20261122T20 --to alpha --mode copy --name web1-trial',
    'restore 20261122T20 --to beta --check',
    "restore 20261122T20 --to beta --allow 'read=/srv/iso/rescue.iso'",
    'restore 20261122T20 --to beta --map-network lan=default --auto-ports'
  ])
    .requiredOption('--to <HOST>', 'host that gets the VM')
    .addOption(
      new Option(
        '--mode <MODE>',
        'resume (RAM), boot (disks only), define (do not start) or copy (a second VM beside the first, booted); default: resume if the point holds RAM'
      ).choices(RestoreViewMode.options)
    )
    .option('--name <NEWNAME>', 'of a copy: what it is called; no VM there may have the name')
    .option('--no-start', 'of a copy: define it, and leave it off')
    .option('--replace', 'take the place of the VM that has this name or UUID; that one is kept aside')
    .option(
      '--attach <DISKS>',
      'disks that are not in the point, and are the same on this host: they stay attached',
      commaList
    )
    .option(
      '--allow <ITEM>',
      'something outside of VM storage that the point may have of the host, by the name that --check gives it; repeatable',
      gathered
    )
    .option('--check', 'only say what a restore would meet; moves and changes nothing')

async function orderOf({ core }: Session, id: string, options: RestoreOptions): Promise<RestoreOrder> {
  const fault = process.env['STILLPOINT_FAULT'] // the lab's; hosts without its marker file are deaf to it
  const { to, replace, attach, allow } = options
  const how = modeOf(options)
  const point = await findPoint(core, id)
  return {
    ...how,
    point,
    to,
    replace: replace === true,
    diskDir: diskDirOf(options),
    ...(attach !== undefined && { attachDisks: attach }),
    ...(allow !== undefined && { allow }),
    choices: choicesOf(options),
    ...(options.remembered === false && { remembered: [] }),
    ...(fault !== undefined && fault !== '' && { fault })
  }
}

/** A copy is booted or defined like any VM, under a name and UUID of its own. */
function modeOf({ mode, name, start, replace }: RestoreOptions): Pick<RestoreOrder, 'mode' | 'copy'> {
  const refuse = (message: string): never => fail({ kind: 'usage', message })
  if (mode !== 'copy') {
    if (name !== undefined || !start) refuse('--name and --no-start are for --mode copy.')
    return { mode }
  }
  if (replace === true) refuse('A copy replaces nothing: leave out --replace, or choose another mode.')
  return { mode: start ? 'boot' : 'define', copy: newCopy(name ?? refuse('A copy needs a name: --name NEWNAME.')) }
}

async function restore(session: Session, order: RestoreOrder): Promise<ExitCode> {
  const { core, out, interrupts } = session
  const { vm } = order.point.manifest
  if (!out.json && !storeOnTarget(order.point, order.to).isThere)
    out.note(`The point is not on ${order.to} yet: copying it there first.`)
  const id = await startRestore(core, order, {
    onProgress: (progress) => out.progress(progress),
    signal: interrupts.signal,
    onWarning: (text) => out.note(text, 'warning')
  })
  const job = { kind: 'restore', host: order.to, id, vm: order.copy?.name ?? vm.name } as const
  const report = await watchToEnd(session, job)
  return endOfJob(session, job, report, report === undefined ? {} : restoreJson(report))
}

/** Published in docs/cli.md. */
const restoreJson = (report: JobReport): Readonly<Record<string, unknown>> => ({
  point: report.point,
  vm: report.vm.name,
  vmUuid: report.vm.uuid,
  copyOf: report.copyOf,
  host: report.host,
  mode: report.mode,
  modeReason: report.modeReason,
  runningMs: report.runningMs,
  pauses: report.pauses.map(({ phase, ms }) => ({ phase, ms })),
  pauseMs: report.pauseMs,
  phases: report.phases.map(({ phase, ms }) => ({ phase, ms })),
  clock: report.clock,
  keptAside: report.keptAside,
  warnings: report.warnings
})

async function check({ core, out }: Session, order: RestoreOrder): Promise<ExitCode> {
  const { items, bytesToMove, replaces } = await preflight(core, order)
  out.line(
    table(
      ['CHECK', 'STATE', 'WHAT'],
      items.map((item) => [item.check, item.state, item.fix === undefined ? item.text : `${item.text}. ${item.fix}`])
    )
  )
  const offers = items.flatMap(({ text, choices = [] }) => (choices.length === 0 ? [] : [{ text, choices }]))
  for (const { text, choices } of offers) out.line(['', `${text}. Restore with one of these:`, ...offerLines(choices)])
  const first = offers.flatMap(({ choices: [offer] }) => (offer === undefined ? [] : [offer.choice]))
  if (first.length > 0) out.line(['', 'With the first of each:', lineWith(order, first)])
  const asked = items.flatMap(({ state, allow }) => (state === 'problem' && allow !== undefined ? [allow] : []))
  if (asked.length > 0) {
    out.line('')
    out.line('To allow all of this to the point, if you trust it with that:')
    out.line(`  ${asked.map((item) => `--allow ${quoted(item)}`).join(' ')}`)
  }
  out.result({ checks: items.map(withFlags), bytesToMove, replaces })
  if (items.some(({ state }) => state === 'problem')) return EXIT.failed
  return items.some(({ state }) => state === 'warning') ? EXIT.warnings : EXIT.done
}

/** Published in docs/cli.md: what is to be typed for each choice goes with it. */
const withFlags = ({ choices, ...item }: PreflightItem): Readonly<Record<string, unknown>> => ({
  ...item,
  ...(choices && { choices: choices.map((offer) => ({ ...offer, flag: flagText(offer.choice) })) })
})
