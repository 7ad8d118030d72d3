import type { Channels } from '../../shared/model/channels.ts'
import type { Policy } from '../../shared/model/policy.ts'
import { listRuns } from '../policy/runs.ts'
import { hostTimeZone } from './host-time.ts'
import type { TellFiles } from './channels-file.ts'
import { post } from './deliver.ts'
import { messageOfDigest, stampOf } from './digest-message.ts'
import { dueDigests, hasDueDigest } from './digests.ts'
import type { SilentVm } from './message.ts'
import type { Waiting } from './outbox.ts'
import { dueSilence } from './silence.ts'
import { messageOfSilence } from './silence-message.ts'
import { readTold, writeTold } from './told-state.ts'

export interface Due {
  readonly policies: readonly Policy[]
  readonly channels: Channels
  readonly now: Date
}

const HOUR_MS = 3_600_000

/** Whether it is time to look for silence again, which reads whole stores: every hour, and for a digest. */
export function isSilenceDue({ policies, now }: Due, files: TellFiles): boolean {
  const { silenceCheckedAt: at, digests } = readTold(files)
  return at === undefined || hasDueDigest(policies, digests, now) || Math.abs(now.getTime() - Date.parse(at)) >= HOUR_MS
}

/** Puts what is to be told of silence into the outbox, and remembers it. What is returned is to be sent now. */
export async function postSilence(silent: readonly SilentVm[], due: Due, files: TellFiles): Promise<Waiting[]> {
  const { policies, channels, now } = due
  const state = readTold(files)
  const { groups, told } = dueSilence(silent, policies, state.silent, now)
  const items: Waiting[] = []
  for (const group of groups) {
    const host = policies[0]?.hostName ?? ''
    items.push(
      ...(await post(messageOfSilence(host, group.silent, now, hostTimeZone()), channels, group.mailTo, files))
    )
  }
  await writeTold({ ...state, silent: { ...told }, silenceCheckedAt: now.toISOString() }, files)
  return items
}

/** The same for digests. Killed in between it makes the same messages under the same ids again. */
export async function postDigests(silent: readonly SilentVm[], due: Due, files: TellFiles): Promise<Waiting[]> {
  const { policies, channels, now } = due
  const state = readTold(files)
  const runsSince = (policy: string, since: Date) => listRuns({ policy, after: `${stampOf(since)}-000000` })
  const { digests, told } = dueDigests({ policies, told: state.digests, runsSince, silent }, now, hostTimeZone())
  const items: Waiting[] = []
  for (const { mailTo, ...digest } of digests)
    items.push(...(await post(messageOfDigest(digest, hostTimeZone()), channels, mailTo, files)))
  if (JSON.stringify(told) !== JSON.stringify(state.digests)) await writeTold({ ...state, digests: { ...told } }, files)
  return items
}
