import { fail, failureOf } from '../../../shared/failure.ts'
import type { HostPolicies, PolicyState } from '../../../shared/views/policy-view.ts'
import type { Core } from '../core.ts'
import { requireHost } from '../hosts/host-book.ts'
import type { Unreachable } from '../jobs/jobs.ts'
import { lastPolicies, readPolicies } from './read-policies.ts'

export interface PolicyList {
  readonly hosts: readonly HostPolicies[]
  /** Hosts that did not answer; what they last said is in `hosts`. */
  readonly unreachable: readonly (Unreachable & { readonly asOf: string | undefined })[]
}

/** The policies of all hosts, or of one. */
export async function listPolicies(core: Core, host: string | undefined): Promise<PolicyList> {
  const settings = core.settings.read()
  const names = host === undefined ? settings.hosts.map(({ name }) => name) : [requireHost(settings, host).name]
  const asked = await Promise.all(names.map((name) => policiesOf(core, name)))
  return {
    hosts: asked.flatMap(({ hosts }) => hosts),
    unreachable: asked.flatMap(({ unreachable }) => unreachable)
  }
}

async function policiesOf(core: Core, host: string): Promise<PolicyList> {
  try {
    return { hosts: [await readPolicies(core, host)], unreachable: [] }
  } catch (error) {
    const last = lastPolicies(core, host)
    const asOf = last?.asOf
    return { hosts: last === undefined ? [] : [last], unreachable: [{ host, failure: failureOf(error), asOf }] }
  }
}

export interface FoundPolicy {
  readonly host: string
  /** Of the host, in which its calendar counts. */
  readonly timeZone: string
  readonly state: PolicyState
}

/** The one policy of this name or id, on the host named or on whichever has it. @throws `not-found`, `ambiguous` */
export async function findPolicy(core: Core, name: string, host: string | undefined): Promise<FoundPolicy> {
  const { hosts, unreachable } = await listPolicies(core, host)
  const found = hosts.flatMap((each) =>
    each.policies
      .filter(({ policy }) => policy.name === name || policy.id === name)
      .map((state) => ({ host: each.host, timeZone: each.timeZone, state }))
  )
  const [only, ...others] = found
  if (others.length > 0)
    fail({
      kind: 'usage',
      message: `Several hosts have a schedule called ${name}: ${found.map((each) => each.host).join(', ')}. Say which one with --host.`
    })
  const [lost] = unreachable
  if (only === undefined && lost !== undefined) fail(lost.failure)
  return only ?? fail({ kind: 'not-found', what: 'policy', name, ...(host !== undefined && { where: host }) })
}
