import { formatBytes, formatDuration } from '../../shared/format.ts'
import type { RunReport, RunVm } from '../../shared/model/policy.ts'
import {
  isBackedUp,
  missedWords,
  prunedWords,
  runHeadline,
  runSeverity,
  runWorst,
  standstill,
  vmOutcomeWords,
  vmReason
} from '../../shared/run-words.ts'
import { timeIn } from './host-time.ts'
import { listOf, subjectOf, tableOf, type Message, type Row, type Severity } from './message.ts'

/** A run that has ended, in the host's time zone. */
export function messageOfRun(run: RunReport, zone: string): Message {
  return {
    id: `run-${run.id}`,
    event: 'run',
    at: run.endedAt ?? run.startedAt,
    host: run.host,
    severity: runSeverity(run),
    subject: subjectOf(run.host, runWorst(run), run.policy.name),
    lead: runHeadline(run),
    facts: factsOf(run, zone),
    sections: [
      tableOf('VMs', ['VM', 'Outcome', 'Stood still', 'Size', 'Took'], run.vms.map(rowOf)),
      ...listOf('Missed runs', run.missed.map(missedLine(zone)), run.missedCount - run.missed.length),
      ...listOf('Old points that could not be dealt with', run.pruned?.refused ?? []),
      ...listOf('Warnings', run.warnings)
    ].filter(({ rows }) => rows.length > 0),
    data: { runs: [run], silent: [] }
  }
}

function factsOf(run: RunReport, zone: string): Message['facts'] {
  const time = (iso: string | undefined): string | undefined => (iso === undefined ? undefined : timeIn(zone, iso))
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Schedule', run.policy.name],
    ['Host', run.host],
    ['Wanted at', run.trigger === 'manual' ? 'started by hand' : time(run.scheduledFor)],
    ['Began', time(run.startedAt)],
    ['Took', tookWords(run)],
    ['Reason', run.reason],
    ['Missed', run.missedCount === 0 ? undefined : missedWords(run)],
    ['Old points', run.pruned === undefined ? undefined : prunedWords(run.pruned)],
    ['Next run', time(run.nextRunAt) ?? 'none is planned'],
    zoneFact(zone)
  ]
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]))
}

export const zoneFact = (zone: string): [string, string] => ['Time zone', `${zone}, the host's`]

const tookWords = ({ startedAt, endedAt }: RunReport): string | undefined =>
  endedAt === undefined ? undefined : formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)))

const missedLine =
  (zone: string) =>
  ({ at, reason }: RunReport['missed'][number]): string =>
    `${timeIn(zone, at)}: ${reason}`

function rowOf(told: RunVm): Row {
  const note = vmReason(told)
  return {
    severity: vmSeverity(told),
    cells: [
      told.vm.name,
      vmOutcomeWords(told.outcome),
      standstill(told) ?? '',
      told.sizeBytes === undefined ? '' : formatBytes(told.sizeBytes),
      told.durationMs === undefined ? '' : formatDuration(told.durationMs)
    ],
    ...(note !== undefined && { note })
  }
}

export const vmSeverity = (vm: Pick<RunVm, 'outcome'>): Severity =>
  vm.outcome === 'failed' ? 'failure' : isBackedUp(vm) ? 'ok' : 'warning'
