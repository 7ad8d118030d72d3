import * as z from 'zod'
import { ENGINE_LIMITS, EngineName, EngineText, EngineWord, firstOf } from '../engine-limits.ts'
import { ChannelsChange, ChannelsView, OutboxItem } from '../model/channels.ts'
import { Policy, PolicyId, RunReport } from '../model/policy.ts'
import { Count, Moment } from '../model/figures.ts'

/** A policy as its host has it. */
export const PolicyState = z.object({
  policy: Policy,
  /** What the host's own timer says; undefined where it has none. */
  nextRunAt: Moment.optional(),
  /** The newest one, running or ended. */
  lastRun: RunReport.optional(),
  /** What keeps it from running: no timer, another store at its place. */
  problem: EngineText.optional()
})
export type PolicyState = z.infer<typeof PolicyState>

/** What a host says of its policies. */
export const PolicyListing = z.object({
  policies: firstOf(PolicyState, ENGINE_LIMITS.policies),
  /** How many more the host has than are taken of it (`firstPolicies`). */
  leftOut: Count.optional(),
  /** Files that are no policy that can be understood: shown, never run. */
  broken: firstOf(z.object({ path: EngineName, reason: EngineText }), ENGINE_LIMITS.ofHost),
  /** IANA name, as `Europe/Rome`. */
  timeZone: EngineWord,
  /** Jobs of policies at a time. */
  parallel: Count,
  channels: ChannelsView,
  outbox: firstOf(OutboxItem, ENGINE_LIMITS.ofHost)
})
export type PolicyListing = z.infer<typeof PolicyListing>

/** As many as are taken of a host, and how many more it has. */
export function firstPolicies<T>(all: readonly T[]): { readonly shown: readonly T[]; readonly leftOut?: number } {
  const shown = all.slice(0, ENGINE_LIMITS.policies)
  return all.length > shown.length ? { shown, leftOut: all.length - shown.length } : { shown }
}

/** The same with who said it and since when it is true; of a host that does not answer, what it last said. */
export const HostPolicies = PolicyListing.extend({
  host: z.string(),
  asOf: z.iso.datetime(),
  reachable: z.boolean(),
  /** Stores of its policies that are not asked for their points: too many of that host are known. */
  storesLeftOut: z.array(z.string()).readonly().optional()
})
export type HostPolicies = z.infer<typeof HostPolicies>

/** `known` is false until every host has said it once, now or to an earlier Stillpoint. */
export const PoliciesView = z.object({ hosts: z.array(HostPolicies).readonly(), known: z.boolean() })
export type PoliciesView = z.infer<typeof PoliciesView>

/** A policy as it is asked for; without an id it is new. */
export const PolicyDraft = Policy.omit({ version: true, id: true, hostName: true, changedAt: true }).extend({
  id: PolicyId.optional()
})
export type PolicyDraft = z.infer<typeof PolicyDraft>

const HostName = z.string().max(300)
const OnHost = z.strictObject({ host: HostName, id: PolicyId })

export const PolicyQuestions = {
  put: z.strictObject({
    host: HostName,
    policy: PolicyDraft,
    /** The store at that place is another one than it was, and that is meant. */
    acceptStore: z.boolean().optional()
  }),
  one: OnHost,
  /** Without a time: goes on. */
  pause: OnHost.extend({ until: z.iso.datetime().optional() }),
  parallel: z.strictObject({ host: HostName, parallel: z.number().int().min(1).max(16) }),
  channels: z.strictObject({ host: HostName, change: ChannelsChange }),
  test: z.strictObject({ host: HostName, channel: z.enum(['mail', 'webhook']) })
}
