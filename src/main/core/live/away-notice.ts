import { kindWords } from '../../../shared/job-words.ts'
import { runWorst } from '../../../shared/run-words.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import type { GoTo, Subject } from '../../../shared/views/notice-view.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import type { Meanwhile, MissedJob } from './away.ts'
import { noticeId, type Said } from './notices.ts'
import { runSubject } from './policy-notices.ts'

/** Whether a job was told of by now, by its host and as that calls it. */
type WasTold = (host: string, job: string) => boolean

/**
 * All that ended meanwhile on each host, and whether it need not be heard. None of what is not worth a word, such as a run
 * that only made the jobs that are told anyway, in this story or before. Each host has its own, so that one cannot be heard in
 * place of another.
 */
export function awayNotices(
  { jobs, runs, seenOn }: Meanwhile,
  choices: Choices | undefined,
  wasTold: WasTold = () => false
): readonly [Said, boolean][] {
  const hosts = new Set([...jobs, ...runs].map(({ host }) => host))
  const ofHost = <T extends { readonly host: string }>(all: readonly T[], name: string): T[] =>
    all.filter(({ host }) => host === name)
  return [...hosts].flatMap((host) => {
    const told = new Set(ofHost(jobs, host).map(({ id }) => id))
    const lost = ofHost(runs, host).filter((run) => isLost(run, (job) => told.has(job) || wasTold(host, job)))
    const when = seenOn?.has(host) === true ? `At once on ${host}` : `While you were away, on ${host}`
    const notice = awayNotice(host, { when, jobs: ofHost(jobs, host), lost }, choices)
    return notice === undefined ? [] : [notice]
  })
}

interface Story {
  readonly when: string
  readonly jobs: readonly MissedJob[]
  readonly lost: readonly RunReport[]
}

function awayNotice(
  host: string,
  { when, jobs, lost }: Story,
  choices: Choices | undefined
): [Said, boolean] | undefined {
  const failed = jobs.filter(isFailure)
  const what = [...countsOf(jobs), ...runWords(lost)]
  const last = [...jobs, ...lost]
    .map(({ id }) => id)
    .sort()
    .at(-1)
  if (last === undefined) return undefined
  const severity =
    failed.length > 0 || lost.some(({ state }) => state === 'failed') ? 'failure' : severityOf(jobs, lost)
  const notice: Said = {
    id: noticeId(host, 'away', last),
    host,
    at: new Date().toISOString(),
    severity,
    title: `${when}: ${what.join(', ')}`,
    text: [...failed.slice(0, MOST_NAMED).map(failedWords), ...lost.slice(0, MOST_NAMED).map(lostWords)].join('; '),
    goTo: goToOf(failed, lost),
    about: [...failed.slice(0, MOST_ABOUT).map(jobSubject), ...lost.slice(0, MOST_ABOUT).map(runSubject)]
  }
  return [notice, severity === 'good' && choices?.notifySuccess !== true]
}

const MOST_NAMED = 5
/** Notices are kept, each with what it is about. */
const MOST_ABOUT = 25

const isFailure = ({ state }: MissedJob): boolean => state.startsWith('failed')

/** It failed as a whole, or names missed ones: no job tells that. Skipped is what was paused or out of hours, on purpose. */
const isLost = (run: RunReport, isTold: (job: string) => boolean): boolean =>
  run.missedCount > 0 || (run.state === 'failed' && !run.vms.some(({ job }) => job !== undefined && isTold(job)))

const severityOf = (jobs: readonly MissedJob[], lost: readonly RunReport[]): Said['severity'] =>
  lost.length > 0 || jobs.some(({ state }) => state !== 'done') ? 'warning' : 'good'

/** `12 backups done, 1 failed, 1 restore done`. */
function countsOf(jobs: readonly MissedJob[]): string[] {
  return (['backup', 'restore'] as const).flatMap((kind) => {
    const ofKind = jobs.filter((job) => job.kind === kind)
    if (ofKind.length === 0) return []
    const failed = ofKind.filter(isFailure).length
    const cancelled = ofKind.filter(({ state }) => state === 'cancelled').length
    const done = ofKind.length - failed - cancelled
    const parts = [
      [done, 'done'],
      [failed, 'failed'],
      [cancelled, 'cancelled']
    ] as const
    const told = parts.filter(([count]) => count > 0)
    return told.map(([count, word], n) => (n === 0 ? `${counted(count, kindWords(kind))} ${word}` : `${count} ${word}`))
  })
}

function runWords(lost: readonly RunReport[]): string[] {
  const failed = lost.filter(({ state }) => state === 'failed').length
  const missed = lost.reduce((sum, { missedCount }) => sum + missedCount, 0)
  return [
    ...(failed > 0 ? [`${counted(failed, 'run')} failed`] : []),
    ...(missed > 0 ? [`${counted(missed, 'run')} missed`] : [])
  ]
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
const failedWords = ({ kind, vm }: MissedJob): string => `the ${kindWords(kind)} of ${vm.name} failed`
const lostWords = (run: RunReport): string => `${run.policy.name}: ${runWorst(run)}`

const jobSubject = ({ id, kind, host, vm, endedAt, startedAt }: MissedJob): Subject => ({
  what: 'job',
  host,
  job: id,
  kind,
  vm: vm.uuid,
  endedAt: endedAt ?? startedAt
})

/** To the one job that failed, else to where all are. */
function goToOf(failed: readonly MissedJob[], lost: readonly RunReport[]): GoTo {
  const [only, ...others] = failed
  if (only !== undefined && others.length === 0) return { screen: 'job', job: only.id }
  return only === undefined && lost.length > 0 ? { screen: 'schedules' } : { screen: 'activity' }
}
