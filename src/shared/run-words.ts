import { describeFailure } from './failure-words.ts'
import { formatBytes, formatDuration, formatPause } from './format.ts'
import type { Pruned, RunReport, RunState, RunVm } from './model/policy.ts'

/** Words for a run of a policy: window, mail, webhook and terminal say the same. Names are as their host has them. */

const STATE_WORDS: Readonly<Record<RunState, string>> = {
  running: 'running',
  done: 'done',
  'done-with-warnings': 'done, with warnings',
  failed: 'failed',
  skipped: 'skipped'
}
export const runStateWords = (state: RunState): string => STATE_WORDS[state]

const OUTCOME_WORDS: Readonly<Record<RunVm['outcome'], string>> = {
  waiting: 'waiting',
  running: 'running',
  done: 'backed up',
  'done-with-warnings': 'backed up, with warnings',
  failed: 'failed',
  skipped: 'skipped',
  cancelled: 'cancelled'
}
export const vmOutcomeWords = (outcome: RunVm['outcome']): string => OUTCOME_WORDS[outcome]

export const isBackedUp = ({ outcome }: Pick<RunVm, 'outcome'>): boolean =>
  outcome === 'done' || outcome === 'done-with-warnings'

/** Failures need somebody; a warning is worth telling too: something that was to happen did not. */
export type RunSeverity = 'ok' | 'warning' | 'failure'

export function runSeverity(run: RunReport): RunSeverity {
  if (run.state === 'failed' || run.vms.some(({ outcome }) => outcome === 'failed')) return 'failure'
  const isWhole = run.vms.every((vm) => isBackedUp(vm) || vm.outcome === 'waiting' || vm.outcome === 'running')
  return isWhole && run.state !== 'skipped' && run.missedCount === 0 && !isRefused(run.pruned) ? 'ok' : 'warning'
}

const isRefused = (pruned: Pruned | undefined): boolean => pruned !== undefined && pruned.refused.length > 0

/** `7 VMs backed up, stood still 31 to 48 ms`; `5 of 7 backed up, 1 failed, 1 skipped`. */
export function runHeadline(run: RunReport): string {
  if (run.state === 'running' && run.vms.length === 0) return 'running, looking for its VMs'
  if (run.state === 'running') return `running, ${run.vms.filter(isEnded).length} of ${run.vms.length} VMs done`
  if (run.vms.length === 0) return wholeWords(run)
  const good = run.vms.filter(isBackedUp)
  if (good.length === run.vms.length) return `${count(good.length, 'VM')} backed up${standstillWords(good)}`
  return [`${good.length} of ${run.vms.length} backed up`, ...shortfalls(run)].join(', ')
}

/** The worst of it in few words, for a subject: `1 of 7 failed`, `2 runs missed`, else the headline. */
export function runWorst(run: RunReport): string {
  const [first] = shortfalls(run)
  if (run.state === 'failed' && first === undefined) return run.reason === undefined ? 'failed' : wholeWords(run)
  if (first !== undefined) return first.replace(/^(\d+) /, `$1 of ${run.vms.length} `)
  if (run.state === 'skipped') return wholeWords(run)
  if (run.missedCount > 0) return `${count(run.missedCount, 'run')} missed`
  return isRefused(run.pruned) ? 'old points were not pruned' : runHeadline(run)
}

const wholeWords = ({ state, reason }: RunReport): string =>
  reason === undefined && state === 'done' ? 'no VM to back up' : because(STATE_WORDS[state], reason)

/** Failed, cancelled and skipped, as far as there are any, worst first. */
function shortfalls({ vms }: RunReport): string[] {
  return (['failed', 'cancelled', 'skipped'] as const).flatMap((outcome) => {
    const { length } = vms.filter((vm) => vm.outcome === outcome)
    return length === 0 ? [] : [`${length} ${outcome}`]
  })
}

const isEnded = ({ outcome }: RunVm): boolean => outcome !== 'waiting' && outcome !== 'running'

/** Of VMs that ran; nothing where all were shut off. */
function standstillWords(vms: readonly RunVm[]): string {
  const pauses = vms.flatMap(({ pauseMs, method }) => (pauseMs === undefined || method === 'offline' ? [] : [pauseMs]))
  if (pauses.length === 0) return ''
  const [least, most] = [formatPause(Math.min(...pauses)), formatPause(Math.max(...pauses))]
  return `, stood still ${least === most ? most : rangeWords(least, most)}`
}

/** `31 to 48 ms`, `800 ms to 1.1 s`. */
function rangeWords(least: string, most: string): string {
  const [, value = '', unit = ''] = /^(\S+) (\S+)$/.exec(least) ?? []
  return most.endsWith(` ${unit}`) && unit !== '' && !/ .* /.test(most) ? `${value} to ${most}` : `${least} to ${most}`
}

/** Why a VM was not, or not well, backed up. Undefined where there is nothing to say. */
export const vmReason = ({ reason, failure }: RunVm): string | undefined =>
  reason ?? (failure === undefined ? undefined : describeFailure(failure).title)

/** What follows a VM's name: `backed up, stood still 48 ms, 1.2 GiB, took 2 min 5 s`; `skipped: ...`. */
export function vmDeedWords(vm: RunVm): string {
  const figures = isBackedUp(vm) ? [pauseWords(vm), sizeWords(vm), tookWords(vm)] : []
  const words = [OUTCOME_WORDS[vm.outcome], ...figures.filter((figure) => figure !== undefined)].join(', ')
  return because(words, vmReason(vm))
}

/** `48 ms`; `shut off` where it did not run. */
export const standstill = ({ method, pauseMs }: RunVm): string | undefined =>
  method === 'offline' ? 'was shut off' : pauseMs === undefined ? undefined : formatPause(pauseMs)

function pauseWords(vm: RunVm): string | undefined {
  const words = standstill(vm)
  return words === undefined || vm.method === 'offline' ? words : `stood still ${words}`
}
const sizeWords = ({ sizeBytes }: RunVm): string | undefined =>
  sizeBytes === undefined ? undefined : formatBytes(sizeBytes)
const tookWords = ({ durationMs }: RunVm): string | undefined =>
  durationMs === undefined ? undefined : `took ${formatDuration(durationMs)}`

/** `3 old points to the trash, 2 removed, RAM of 1 dropped, 4.1 GiB freed`. */
export function prunedWords({ trashed, removed, memoryDropped, freedBytes, refused }: Pruned): string {
  const parts = [
    trashed.length === 0 ? undefined : `${count(trashed.length, 'old point')} to the trash`,
    removed.length === 0 ? undefined : `${removed.length} removed for good`,
    memoryDropped.length === 0 ? undefined : `RAM of ${memoryDropped.length} dropped`,
    freedBytes === 0 ? undefined : `${formatBytes(freedBytes)} freed`
  ].filter((part) => part !== undefined)
  if (parts.length > 0) return parts.join(', ')
  return refused.length > 0 ? 'left as they are' : 'no old points had to go'
}

/** `2 runs missed`, with why where all have the same reason. */
export function missedWords({ missed, missedCount }: Pick<RunReport, 'missed' | 'missedCount'>): string {
  const reasons = new Set(missed.map(({ reason }) => reason))
  return because(`${count(missedCount, 'run')} missed`, reasons.size === 1 ? [...reasons][0] : undefined)
}

const because = (words: string, reason: string | undefined): string =>
  reason === undefined ? words : `${words}: ${reason}`

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
