import { formatTime } from '../../../shared/format.ts'
import { isForGood } from '../../../shared/far-time.ts'
import { isPaused } from '../../../shared/cover.ts'
import type { KeepRules, Policy, VmSelection } from '../../../shared/model/policy.ts'
import { scheduleWords } from '../../../shared/schedule/schedule-words.ts'
import { runHeadline } from '../../../shared/run-words.ts'
import type { FoundPolicy } from '../../core/policies/find-policy.ts'
import type { Output } from './output.ts'
import { fields } from './table.ts'

/** A policy in full. */
function showPolicy(out: Output, { host, timeZone, state }: FoundPolicy): void {
  const { policy, nextRunAt, lastRun, problem } = state
  const { schedule, store, method, budgetMs, excludeDisks, media, hooks, expectEveryHours } = policy
  const rows = fields([
    ['id', policy.id],
    ['VMs', vmWords(policy.vms)],
    ['when', `${whenWords(policy)} (${timeZone})`],
    ['next run', nextRunAt === undefined ? undefined : formatTime(nextRunAt)],
    ['last run', lastRun && `${formatTime(lastRun.startedAt)}: ${runHeadline(lastRun)}`],
    ['paused', pauseWords(policy)],
    ['problem', problem],
    ['store', store],
    ['method', `${method ?? 'by the state of the VM'}, pauses of at most ${budgetMs} ms`],
    ['without disks', excludeDisks?.join(', ')],
    ['with media', media === true ? 'yes' : undefined],
    ['keeps', keepWords(policy.keep)],
    ['tells', tellWords(policy.tell)],
    ['before', hooks?.before?.command],
    ['after', hooks?.after?.command],
    ['expects', expectEveryHours === undefined ? undefined : `a good point every ${expectEveryHours} hours`],
    ['jitter', schedule.jitterSeconds === 0 ? undefined : `${schedule.jitterSeconds} s`]
  ])
  out.line([`${policy.name} on ${host}`, ...rows])
}

/** The same for machines. */
export function showFound(out: Output, found: FoundPolicy): void {
  showPolicy(out, found)
  out.result({ host: found.host, timeZone: found.timeZone, ...found.state })
}

export function vmWords(vms: VmSelection): string {
  if (vms.kind === 'chosen') return vms.vms.map(({ name }) => name).join(', ')
  const but = vms.exclude.length === 0 ? '' : ` but ${vms.exclude.join(', ')}`
  return `${vms.kind === 'all' ? 'all' : vms.patterns.join(', ')}${but}`
}

export const whenWords = ({ schedule: { calendar, window } }: Policy): string =>
  `${scheduleWords(calendar)}${window === undefined ? '' : `, from ${window.from} to ${window.to} only`}`

export function pauseWords(policy: Policy): string | undefined {
  const { pausedUntil } = policy
  if (pausedUntil === undefined || !isPaused(policy, new Date())) return undefined
  return isForGood(pausedUntil) ? 'until it is resumed' : `until ${formatTime(pausedUntil)}`
}

function keepWords({ floor, graceHours, memory, ...counts }: KeepRules): string {
  const rules = Object.entries(counts).flatMap(([rule, n]) => (n === undefined ? [] : `${n} ${rule}`))
  const kept =
    rules.length === 0 ? 'all points' : `${rules.join(', ')}; at least ${floor} good ones, ${graceHours} h in the trash`
  return memory === undefined ? kept : `${kept}; RAM in the newest ${memory}`
}

function tellWords({ onSuccess, onFailure, digest, mailTo }: Policy['tell']): string {
  const when = [onFailure ? 'failures' : '', onSuccess ? 'successes' : '', digest === 'none' ? '' : `${digest} digest`]
  const told = when.filter((each) => each !== '')
  const to = mailTo.length === 0 ? '' : `, to ${mailTo.join(', ')}`
  return told.length === 0 ? 'nobody' : `${told.join(', ')}${to}`
}
