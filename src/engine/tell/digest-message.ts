import { createHash } from 'node:crypto'
import { formatBytes, formatPause } from '../../shared/format.ts'
import type { Policy, RunReport, RunVm } from '../../shared/model/policy.ts'
import { isBackedUp, missedWords, runSeverity, vmOutcomeWords, vmReason } from '../../shared/run-words.ts'
import { timeIn } from './host-time.ts'
import { listOf, subjectOf, tableOf, worstOf, type Message, type Row, type Section, type SilentVm } from './message.ts'
import { vmSeverity, zoneFact } from './run-message.ts'

/** The runs of one policy since its last digest, oldest first. */
export interface DigestPart {
  readonly policy: Policy
  readonly runs: readonly RunReport[]
  readonly since: Date
  readonly silent: readonly SilentVm[]
  readonly nextRunAt: string | undefined
}

export interface Digest {
  readonly cadence: 'daily' | 'weekly'
  /** When it was wanted: names it, also after a crash. */
  readonly slot: Date
  readonly at: Date
  readonly parts: readonly DigestPart[]
}

/** Runs for programs at most; the tables count all of them. */
const MOST_RUNS = 200

/** One message on all policies that share cadence and readers. */
export function messageOfDigest({ cadence, slot, at, parts }: Digest, zone: string): Message {
  const runs = parts.flatMap((part) => part.runs)
  const vms = runs.flatMap((run) => run.vms)
  const host = parts[0]?.policy.hostName ?? ''
  const severity = worstOf(parts.map(severityOf))
  const silent = parts.flatMap((part) => part.silent)
  const lead = leadOf(vms, runs, silent.length)
  return {
    id: `digest-${cadence}-${stampOf(slot)}-${hashOf(parts)}`,
    event: 'digest',
    at: at.toISOString(),
    host,
    severity,
    subject: subjectOf(host, lead, `${cadence} digest`),
    lead,
    facts: [['Host', host], ...parts.flatMap((part) => factsOf(part, zone)), zoneFact(zone)],
    sections: parts.flatMap((part) => sectionsOf(part, zone)),
    data: { runs: runs.slice(-MOST_RUNS), silent }
  }
}

/** No run at all in that time is worth a look, unless the policy is paused. */
const severityOf = ({ policy, runs, since, silent }: DigestPart): Message['severity'] =>
  silent.length > 0
    ? 'failure'
    : runs.length === 0
      ? isPausedSince(policy, since)
        ? 'ok'
        : 'warning'
      : worstOf(runs.map(runSeverity))

const isPausedSince = ({ pausedUntil }: Policy, since: Date): boolean =>
  pausedUntil !== undefined && Date.parse(pausedUntil) > since.getTime()

function leadOf(vms: readonly RunVm[], runs: readonly RunReport[], silent: number): string {
  const failed = vms.filter(({ outcome }) => outcome === 'failed').length
  const good = vms.filter(isBackedUp).length
  const lost = runs.filter(({ state, vms: { length } }) => state === 'failed' && length === 0).length
  if (failed > 0) return `${failed} of ${vms.length} backups failed`
  if (lost > 0) return `${lost} of ${runs.length} runs failed`
  if (silent > 0) return `${silent} VM${silent === 1 ? '' : 's'} without a good backup for too long`
  if (runs.length === 0) return 'no run'
  return good === vms.length ? `${good} backups, all good` : `${good} of ${vms.length} backups done`
}

const factsOf = ({ policy, runs, since, nextRunAt }: DigestPart, zone: string): Message['facts'] => [
  [policy.name, `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} since ${timeIn(zone, since.toISOString())}`],
  [`Next run of ${policy.name}`, nextRunAt === undefined ? 'none is planned' : timeIn(zone, nextRunAt)]
]

function sectionsOf({ policy, runs, silent }: DigestPart, zone: string): Section[] {
  const byVm = Map.groupBy(
    runs.flatMap((run) => run.vms),
    ({ vm }) => vm.uuid
  )
  const columns = ['VM', 'Backups', 'Last one', 'Longest pause', 'Size of the last']
  const missed = runs.filter(({ missedCount }) => missedCount > 0).map(missedWords)
  const whole = runs.flatMap((run) =>
    run.reason === undefined ? [] : [`${timeIn(zone, run.startedAt)}: ${run.reason}`]
  )
  const refused = new Set(runs.flatMap(({ pruned }) => pruned?.refused ?? []))
  return [
    tableOf(policy.name, columns, [...byVm.values()].map(rowOf)),
    ...listOf(`Without a good backup for too long, of ${policy.name}`, silent.map(silentLine(zone))),
    ...listOf(`Missed runs of ${policy.name}`, missed),
    ...listOf(`Runs of ${policy.name} that failed or were skipped`, whole),
    ...listOf(`Old points of ${policy.name} that could not be dealt with`, [...refused])
  ].filter(({ rows }) => rows.length > 0)
}

const silentLine =
  (zone: string) =>
  ({ vm, lastGoodAt }: SilentVm): string =>
    `${vm.name}: ${lastGoodAt === undefined ? 'none yet' : `the last one is of ${timeIn(zone, lastGoodAt)}`}`

function rowOf(vms: readonly RunVm[]): Row {
  const last = vms.at(-1)
  const good = vms.filter(isBackedUp)
  const pauses = good.flatMap(({ pauseMs }) => pauseMs ?? [])
  const size = good.at(-1)?.sizeBytes
  const note = vms
    .filter((vm) => !isBackedUp(vm))
    .flatMap((vm) => vmReason(vm) ?? [])
    .at(-1)
  return {
    severity: worstOf(vms.map(vmSeverity)),
    cells: [
      last?.vm.name ?? '',
      `${good.length} of ${vms.length} good`,
      last === undefined ? '' : vmOutcomeWords(last.outcome),
      pauses.length === 0 ? '' : formatPause(Math.max(...pauses)),
      size === undefined ? '' : formatBytes(size)
    ],
    ...(note !== undefined && { note })
  }
}

/** For ids: sorts by time. */
export const stampOf = (at: Date): string => at.toISOString().replaceAll(/[-:]|\.\d+/g, '')

const hashOf = (parts: readonly DigestPart[]): string =>
  createHash('sha256')
    .update(parts.map(({ policy }) => policy.id).join())
    .digest('hex')
    .slice(0, 8)
