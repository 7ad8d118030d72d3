import { classicPauseMs } from '../../../shared/estimate.ts'
import { formatBytes, formatDuration, formatTime } from '../../../shared/format.ts'
import { hasSucceeded, stateWords } from '../../../shared/job-words.ts'
import { isEnded } from '../../../shared/model/job.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import { runHeadline } from '../../../shared/run-words.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { JobLive, JobView, LogLine } from '../../../shared/views/job-view.ts'
import { tookMs } from './activity-view.ts'
import { words } from './words.ts'

/** What a job that succeeded has to show for itself, large. */
export type Hero =
  | { readonly is: 'pause'; readonly ms: number; readonly classicMs: number | undefined }
  | { readonly is: 'ran-again'; readonly ms: number }
  | { readonly is: 'text'; readonly text: string }

export function heroOf(job: JobView, ramBytes: number | undefined): Hero | undefined {
  if (!hasSucceeded(job)) return undefined
  switch (job.kind) {
    case 'backup':
      return backupHero(job, ramBytes)
    case 'restore':
      return job.runningMs === undefined
        ? { is: 'text', text: words.job.definedOnly }
        : { is: 'ran-again', ms: job.runningMs }
    case 'verify':
      return { is: 'text', text: job.verify?.good === false ? words.job.damaged : words.job.good }
    case 'copy':
      return undefined
  }
}

function backupHero({ method, pauses, pauseMs }: JobView, ramBytes: number | undefined): Hero {
  if (method === 'offline') return { is: 'text', text: words.job.wasOff }
  if (pauses.length === 0 && pauseMs === 0) return { is: 'text', text: words.job.noPause }
  const isYardstick = method === 'classic' || ramBytes === undefined
  return { is: 'pause', ms: pauseMs, classicMs: isYardstick ? undefined : classicPauseMs(ramBytes) }
}

/** RAM of a job's VM as the host of the job has it now. */
export const ramBytesOf = (
  hosts: readonly HostView[] | undefined,
  { host, vm }: Pick<JobView, 'host' | 'vm'>
): number | undefined => hosts?.find(({ name }) => name === host)?.vms.find(({ uuid }) => uuid === vm.uuid)?.ramBytes

/** Width of the pause on the bar of the classic method, in percent. */
export const shareOf = (ms: number, classicMs: number): number => Math.min(100, (100 * ms) / Math.max(classicMs, 1))

/** A line of a job's details. `link`: what a click on it leads to. */
export interface Fact {
  readonly label: string
  readonly text: string
  readonly link?: 'vm' | 'host' | 'point' | 'copy-of' | 'policy' | 'run'
}

/** In the order of reading; what is not known is left out. */
export function factsOf(job: JobView, now: Date, run?: RunReport): readonly Fact[] {
  const { fact } = words.job
  const { startedAt, endedAt, sizeBytes, clock, verify, copyOf, policy } = job
  return [
    { label: fact.state, text: stateWords(job.state) },
    { label: fact.vm, text: job.vm.name, link: 'vm' as const },
    { label: fact.copyOf, text: copyOf?.name, link: 'copy-of' as const },
    { label: fact.host, text: job.host, link: 'host' as const },
    { label: fact.policy, text: policy?.name, link: 'policy' as const },
    { label: fact.run, text: run && runText(run), link: 'run' as const },
    { label: fact.point, text: job.point, link: 'point' as const },
    { label: fact.method, text: methodText(job) },
    { label: fact.mode, text: modeText(job) },
    { label: fact.size, text: sizeBytes === undefined ? undefined : formatBytes(sizeBytes) },
    { label: fact.checked, text: verify && formatBytes(verify.checkedBytes) },
    { label: fact.place[job.kind], text: job.place },
    { label: fact.store, text: job.store },
    { label: fact.clock, text: clock && clockText(clock) },
    { label: fact.keptAside, text: job.keptAside?.join('\n') },
    { label: fact.measured, text: measuredText(job) },
    { label: fact.started, text: formatTime(startedAt) },
    { label: fact.ended, text: endedAt === undefined ? undefined : formatTime(endedAt) },
    { label: fact.took, text: isEnded(job.state) ? formatDuration(tookMs(job, now)) : undefined }
  ].flatMap(({ text, ...rest }) => (text === undefined || text === '' ? [] : [{ ...rest, text }]))
}

/** `2026-11-22 02:00:00: 5 of 7 backed up, 1 failed`. */
const runText = (run: RunReport): string => `${formatTime(run.startedAt)}: ${runHeadline(run)}`

const because = (what: string, why: string | undefined): string =>
  why === undefined || why === '' ? what : `${what}\n${why}`

const methodText = ({ method, methodReason }: JobView): string | undefined =>
  method && because(words.job.method[method], methodReason)

const modeText = ({ mode, modeReason }: JobView): string | undefined =>
  mode && because(words.job.mode[mode], modeReason)

const RIGHT_WITHIN_MS = 1000

function clockText({ lateMs, corrected }: NonNullable<JobView['clock']>): string {
  if (!corrected && Math.abs(lateMs) < RIGHT_WITHIN_MS) return words.job.clockGood
  const late = formatDuration(lateMs)
  return corrected ? words.job.clockCorrected(late) : words.job.clockLate(late)
}

const measuredText = ({ pauses }: JobView): string =>
  [...new Set(pauses.map(({ source }) => words.job.source[source]))].join(', ')

/** Changes whenever the log has grown by something worth reading. */
export const logMark = (job: JobView, live: JobLive | undefined): string =>
  [job.id, job.state, live?.phases.length ?? 0, live?.pauses.length ?? 0, live?.warnings.length ?? 0].join(' ')

export const rawLog = (lines: readonly LogLine[]): string => lines.map(({ raw }) => raw).join('\n')

/** The story: what was said to people. Lines that only the journal needs have no text. */
export const storyOf = (lines: readonly LogLine[]): readonly LogLine[] => lines.filter(({ text }) => text !== '')
