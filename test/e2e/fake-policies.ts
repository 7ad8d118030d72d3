import { fail } from '../../src/shared/failure.ts'
import type { Handlers } from '../../src/shared/contract.ts'
import type { LiveValue } from '../../src/main/core/live/live-value.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { PoliciesView } from '../../src/shared/views/policy-view.ts'
import { fakeChannelHandlers, fakeTelling } from './fake-channels.ts'

interface Made {
  readonly hosts: readonly HostView[]
  readonly now: Date
  readonly troubles: boolean
  /** Refuses what it is asked. */
  readonly refuses: boolean
  readonly saying: <T>(first: T, everyMs?: number) => LiveValue<T>
}

/** Policies of made-up hosts. */
export function fakePolicies({ hosts, now, troubles, refuses, saying }: Made): Handlers['policies'] {
  const all = saying<PoliciesView>({
    hosts: hosts.map(({ name, state, asOf }, n) => ({
      host: name,
      asOf: asOf ?? now.toISOString(),
      reachable: state === 'up',
      policies: [],
      broken: [],
      timeZone: 'Europe/Rome',
      parallel: 1,
      ...fakeTelling(n, now, troubles)
    })),
    known: true
  })
  const runs = saying<readonly RunReport[]>([])
  const refuse = (): Promise<never> => Promise.resolve().then(() => fail({ kind: 'usage', message: 'made up' }))
  return {
    changed: (listener) => all.listen(listener),
    runs: (listener) => runs.listen(listener),
    put: refuse,
    remove: refuse,
    run: refuse,
    pause: refuse,
    prunePlan: refuse,
    parallel: refuse,
    ...fakeChannelHandlers(all, refuses)
  }
}
