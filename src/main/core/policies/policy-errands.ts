import { randomBytes } from 'node:crypto'
import type * as z from 'zod'
import { fail } from '../../../shared/failure.ts'
import { POLICY_VERSION, type Policy, type PrunePlan } from '../../../shared/model/policy.ts'
import { parseCalendar } from '../../../shared/schedule/calendar.ts'
import type { ChannelsView } from '../../../shared/model/channels.ts'
import type { PolicyListing, PolicyQuestions, PolicyState } from '../../../shared/views/policy-view.ts'
import type { Core } from '../core.ts'
import { requireHost } from '../hosts/host-book.ts'
import { readPolicies } from './read-policies.ts'

type Asked<Q extends keyof typeof PolicyQuestions> = z.infer<(typeof PolicyQuestions)[Q]>

export const newPolicyId = (): string => randomBytes(6).toString('hex')

/**
 * Puts a policy on its host, or changes it.
 *
 * @throws `usage` if its calendar is not understood or another one there has that name, `store-changed` unless that is accepted
 */
export async function putPolicy(core: Core, { host, policy: draft, acceptStore }: Asked<'put'>): Promise<Policy> {
  refuseCalendar(draft.schedule.calendar)
  const { policies } = await listingOf(core, host)
  const id = draft.id ?? newPolicyId()
  if (policies.some(({ policy }) => policy.id !== id && policy.name === draft.name))
    fail({ kind: 'usage', message: `${host} has a schedule called ${draft.name} already. Choose another name.` })
  const policy: Policy = {
    ...draft,
    id,
    version: POLICY_VERSION,
    hostName: host,
    changedAt: new Date().toISOString()
  }
  const engine = await core.connections.engine(host)
  const put = await engine.call('policy-put', { policy, ...(acceptStore !== undefined && { acceptStore }) })
  await listingOf(core, host)
  return put
}

function refuseCalendar(text: string): void {
  const calendar = parseCalendar(text)
  if ('problem' in calendar)
    fail({ kind: 'usage', message: `The calendar "${text}" is not understood: ${calendar.problem}` })
}

/** Its points stay; nothing removes old ones from then on. Result: what was taken off the host. */
export async function removePolicy(core: Core, { host, id }: Asked<'one'>): Promise<readonly string[]> {
  const engine = await engineOf(core, host)
  const { removed } = await engine.call('policy-remove', { id })
  await listingOf(core, host)
  return removed
}

export async function runPolicy(core: Core, { host, id }: Asked<'one'>): Promise<{ run: string }> {
  return (await engineOf(core, host)).call('policy-run', { id })
}

/** Without a time it goes on. Everything else stays as its host has it. */
export async function pausePolicy(core: Core, { host, id, until }: Asked<'pause'>): Promise<Policy> {
  const { policy } = await policyOf(core, host, id)
  const { pausedUntil: _, ...rest } = policy
  const changed = {
    ...rest,
    hostName: host,
    changedAt: new Date().toISOString(),
    ...(until !== undefined && { pausedUntil: until })
  }
  const put = await (await core.connections.engine(host)).call('policy-put', { policy: changed })
  await listingOf(core, host)
  return put
}

/** What its rules would do now, as the host itself says; nothing is touched. */
export async function prunePlan(core: Core, { host, id }: Asked<'one'>): Promise<PrunePlan> {
  return (await engineOf(core, host)).call('prune-plan', { id })
}

export async function setParallel(core: Core, { host, parallel }: Asked<'parallel'>): Promise<void> {
  await (await engineOf(core, host)).call('parallel', { parallel })
}

export async function changeChannels(core: Core, { host, change }: Asked<'channels'>): Promise<ChannelsView> {
  return (await engineOf(core, host)).call('channels-put', { change })
}

/** @throws `not-told` with what the server said */
export async function testChannel(core: Core, { host, channel }: Asked<'test'>): Promise<{ text: string }> {
  return (await engineOf(core, host)).call('channels-test', { channel }, { timeoutMs: 120_000 })
}

async function policyOf(core: Core, host: string, id: string): Promise<PolicyState> {
  const { policies } = await listingOf(core, host)
  return (
    policies.find(({ policy }) => policy.id === id) ??
    fail({ kind: 'not-found', what: 'policy', name: id, where: host })
  )
}

function listingOf(core: Core, host: string): Promise<PolicyListing> {
  requireHost(core.settings.read(), host)
  return readPolicies(core, host)
}

function engineOf(core: Core, host: string): ReturnType<Core['connections']['engine']> {
  requireHost(core.settings.read(), host)
  return core.connections.engine(host)
}
