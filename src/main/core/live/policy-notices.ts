import { createHash } from 'node:crypto'
import { describeFailure } from '../../../shared/failure-words.ts'
import type { Failure } from '../../../shared/failure.ts'
import { formatAge } from '../../../shared/format.ts'
import type { OutboxItem } from '../../../shared/model/channels.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import { missedWords } from '../../../shared/run-words.ts'
import { shorten } from '../../../shared/safe-text.ts'
import { leftOutWords, storesLeftOutWords } from '../../../shared/safety-words.ts'
import type { HostPolicies, PolicyState } from '../../../shared/views/policy-view.ts'
import { problemInShort, type Subject } from '../../../shared/views/notice-view.ts'
import { noticeId, type Said } from './notices.ts'

/** So long a message may wait for its next try without a word about it. */
const QUIET_MS = 3_600_000
/** Of what is told by a host where we say more behind it. */
const LONGEST_REASON = 1000

/** What is wrong with a host's policies and with its telling, each with the same id as long as it is the same. */
export function policyNotices(said: HostPolicies, now: Date): readonly Said[] {
  const problems = said.policies.flatMap((state) => problemNotice(said.host, state, now))
  return [
    ...leftOutNotice(said, now),
    ...storesLeftOutNotice(said, now),
    ...problems,
    ...said.outbox.flatMap((item) => outboxNotice(said.host, item, now))
  ]
}

function leftOutNotice(said: HostPolicies, now: Date): readonly Said[] {
  const text = leftOutWords(said)
  if (text === '') return []
  const { host } = said
  return [
    {
      host,
      id: noticeId(host, 'policies-left-out'),
      at: now.toISOString(),
      severity: 'warning',
      title: `${host} has more schedules than can be shown`,
      text,
      goTo: { screen: 'schedules' }
    }
  ]
}

function storesLeftOutNotice(said: HostPolicies, now: Date): readonly Said[] {
  const text = storesLeftOutWords(said)
  if (text === '') return []
  const { host } = said
  return [
    {
      host,
      id: noticeId(host, 'stores-left-out'),
      at: now.toISOString(),
      severity: 'warning',
      title: `${host} has more stores than are asked for their points`,
      text,
      goTo: { screen: 'schedules' }
    }
  ]
}

/** The host answers, and cannot say which policies it has. */
export function untoldNotice(host: string, failure: Failure, now: Date): Said {
  const { title, explanation } = describeFailure(failure)
  return {
    host,
    id: noticeId(host, 'policies', digest(title, explanation)),
    at: now.toISOString(),
    severity: 'failure',
    title: `The schedules of ${host} could not be read`,
    text: [title, explanation].filter((text) => text !== '').join('. '),
    goTo: { screen: 'schedules' },
    about: [{ what: 'policies', host }]
  }
}

function problemNotice(host: string, { policy, problem }: PolicyState, now: Date): readonly Said[] {
  if (problem === undefined) return []
  return [
    {
      host,
      id: noticeId(host, 'policy', policy.id, digest(policy.changedAt, problem)),
      at: now.toISOString(),
      severity: 'failure',
      title: `The schedule ${policy.name} on ${host} does not run as it should`,
      text: problem,
      goTo: { screen: 'schedules' },
      about: [{ what: 'problem', host, policy: policy.id, problem: problemInShort(problem) }]
    }
  ]
}

function outboxNotice(host: string, item: OutboxItem, now: Date): readonly Said[] {
  const isGivenUp = item.nextTryAt === undefined
  const waitsMs = now.getTime() - Date.parse(item.at)
  if (!isGivenUp && waitsMs < QUIET_MS) return []
  const what = item.channel === 'mail' ? 'a mail' : 'a message to its webhook'
  const tries = `${item.tries} ${item.tries === 1 ? 'try' : 'tries'}`
  const state = isGivenUp
    ? `It was given up after ${tries}.`
    : `It has waited for ${formatAge(waitsMs)}, after ${tries}.`
  return [
    {
      host,
      id: noticeId(host, 'told', isGivenUp ? 'given-up' : 'waits', item.id),
      at: now.toISOString(),
      severity: 'warning',
      title: `${host} could not send ${what}: ${item.subject}`,
      text: `${shorten(item.lastError, LONGEST_REASON)}. ${state} The backups themselves are not touched by that.`,
      goTo: { screen: 'settings' },
      about: [{ what: 'message', host, message: item.id }]
    }
  ]
}

/** What a run says that no job does: it failed as a whole, runs were missed, old points were not pruned. */
export function runNotices(run: RunReport): readonly Said[] {
  const { id, policy, host, endedAt = run.startedAt } = run
  const about = [runSubject(run)]
  const common = { host, at: endedAt, goTo: { screen: 'schedules' }, about } as const
  const name = `${policy.name} on ${host}`
  const isWhole = run.state === 'failed' && !run.vms.some(({ outcome }) => outcome === 'failed')
  const refused = run.pruned?.refused ?? []
  const told: readonly (Said | undefined)[] = [
    isWhole
      ? {
          ...common,
          id: noticeId(host, 'run', id),
          severity: 'failure',
          title: `The run of ${name} failed`,
          text: run.reason ?? ''
        }
      : undefined,
    run.missedCount > 0
      ? {
          ...common,
          id: noticeId(host, 'missed', id),
          severity: 'warning',
          title: `${name}: ${missedWords(run)}`,
          text: missedText(run)
        }
      : undefined,
    refused.length > 0
      ? {
          ...common,
          id: noticeId(host, 'prune', policy.id, digest(...refused)),
          severity: 'warning',
          title: `${name}: old points were not pruned`,
          text: refused.join('; '),
          about: [{ ...runSubject(run), what: 'pruning' }]
        }
      : undefined
  ]
  return told.filter((notice) => notice !== undefined)
}

export const runSubject = ({ id, host, policy }: RunReport): Extract<Subject, { what: 'run' }> => ({
  what: 'run',
  host,
  policy: policy.id,
  run: id
})

function missedText({ missed, missedCount }: RunReport): string {
  const reasons = shorten([...new Set(missed.map(({ reason }) => reason))].join('; '), LONGEST_REASON)
  return `${reasons}${reasons === '' ? '' : '. '}${missedCount === 1 ? 'It was' : 'They were'} made up for by one run.`
}

const digest = (...texts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 12)
