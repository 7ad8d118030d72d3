import { fail } from '../../src/shared/failure.ts'
import type { Handlers } from '../../src/shared/contract.ts'
import { knownZone } from '../../src/shared/host-time.ts'
import type { PrunePlan, RunReport } from '../../src/shared/model/policy.ts'
import { nextRuns, parseCalendar } from '../../src/shared/schedule/calendar.ts'
import { planRetention } from '../../src/shared/retention/plan-retention.ts'
import { selectVms } from '../../src/shared/select-vms.ts'
import type { HostPolicies, PoliciesView, PolicyState } from '../../src/shared/views/policy-view.ts'
import type { LiveValue } from '../../src/main/core/live/live-value.ts'
import type { FakeData } from './fake-data.ts'
import { fakeChannelHandlers } from './fake-channels.ts'
import { fakeHostPolicies, fakeRunsOf } from './fake-host-policies.ts'
import { runningRun } from './fake-runs.ts'

interface Made {
  readonly data: FakeData
  readonly now: Date
  readonly troubles: boolean
  /** Refuses what it is asked. */
  readonly refuses: boolean
  readonly saying: <T>(first: T, everyMs?: number) => LiveValue<T>
}

interface FakePolicies {
  readonly handlers: Handlers['policies']
  readonly all: LiveValue<PoliciesView>
}

/** Policies of made-up hosts. They can be changed, run, paused; nothing is backed up. */
export function fakePolicies({ data, now, troubles, refuses, saying }: Made): FakePolicies {
  const hosts = data.hosts.map((host, n) =>
    fakeHostPolicies(host, n, { now, troubles, refuses, hostCount: data.hosts.length })
  )
  const all = saying<PoliciesView>({ hosts, known: true })
  const runs = saying<readonly RunReport[]>(hosts.flatMap((at) => fakeRunsOf(at, data)).sort(newestFirst))
  const change = (host: string, to: (at: HostPolicies) => HostPolicies): void => {
    const { hosts: before = [], known = true } = all.value ?? {}
    all.set({ hosts: before.map((at) => (at.host === host ? to(at) : at)), known })
  }
  const changeOne = (host: string, id: string, to: (state: PolicyState) => PolicyState): void =>
    change(host, (at) => ({
      ...at,
      policies: at.policies.map((state) => (state.policy.id === id ? to(state) : state))
    }))
  const one = (host: string, id: string): { at: HostPolicies; state: PolicyState } => {
    const at = all.value?.hosts.find((each) => each.host === host)
    const state = at?.policies.find(({ policy }) => policy.id === id)
    if (at === undefined || state === undefined) return fail({ kind: 'not-found', what: 'policy', name: id })
    return { at, state }
  }
  const refused = (): void => {
    if (refuses) fail({ kind: 'host-unreachable', host: hosts[0]?.host ?? '', reason: 'connection timed out' })
  }
  let serial = 0xabc000
  const handlers: Handlers['policies'] = {
    changed: (listener) => all.listen(listener),
    runs: (listener) => runs.listen(listener),
    put: ({ host, policy, acceptStore }) =>
      soon(() => {
        if (refuses && acceptStore !== true)
          fail({ kind: 'store-changed', store: policy.store, detail: 'Its identity is another one than it was.' })
        const id = policy.id ?? (serial++).toString(16).padStart(12, '0')
        const whole = { ...policy, version: 1 as const, id, hostName: host, changedAt: new Date().toISOString() }
        change(host, (at) => {
          const before = at.policies.find((state) => state.policy.id === id)
          const state: PolicyState = { ...before, policy: whole, nextRunAt: nextOf(policy.schedule.calendar, at) }
          return { ...at, policies: [...at.policies.filter((each) => each !== before), state] }
        })
        return { id }
      }),
    remove: ({ host, id }) =>
      soon(() => {
        refused()
        change(host, (at) => ({ ...at, policies: at.policies.filter(({ policy }) => policy.id !== id) }))
      }),
    run: ({ host, id }) =>
      soon(() => {
        refused()
        const { state } = one(host, id)
        const vms = selectVms(state.policy.vms, data.hosts.find(({ name }) => name === host)?.vms ?? [])
        const { name } = state.policy
        const run = runningRun({ host, policy: { id, name }, vms, at: new Date(), n: serial++ }, 'manual')
        runs.set([run, ...(runs.value ?? [])])
        changeOne(host, id, (before) => ({ ...before, lastRun: run }))
        return { run: run.id }
      }),
    pause: ({ host, id, until }) =>
      soon(() =>
        changeOne(host, id, (state) => {
          const { pausedUntil: _, ...policy } = state.policy
          return { ...state, policy: { ...policy, ...(until !== undefined && { pausedUntil: until }) } }
        })
      ),
    prunePlan: ({ host, id }) =>
      soon(() => {
        refused()
        const { at, state } = one(host, id)
        return planOf(at, state, data)
      }),
    parallel: ({ host, parallel }) => soon(() => change(host, (at) => ({ ...at, parallel }))),
    ...fakeChannelHandlers(all, refuses)
  }
  return { handlers, all }
}

const newestFirst = (a: RunReport, b: RunReport): number => b.startedAt.localeCompare(a.startedAt)

/** What fails while it is asked fails as an answer. */
const soon = <T>(work: () => T): Promise<T> => Promise.resolve().then(work)

function nextOf(text: string, { timeZone }: HostPolicies): string | undefined {
  const calendar = parseCalendar(text)
  return 'problem' in calendar ? undefined : nextRuns(calendar, knownZone(timeZone), new Date(), 1)[0]?.toISOString()
}

function planOf({ timeZone }: HostPolicies, { policy }: PolicyState, { points }: FakeData): PrunePlan {
  const own = Map.groupBy(
    points.points.filter((point) => point.policy?.id === policy.id),
    ({ vm }) => vm.uuid
  )
  const vms = [...own.values()].map((ofVm) => ({
    vm: ofVm[0]?.vm ?? { uuid: '', name: '' },
    points: planRetention(
      ofVm.map((point) => ({ ...point, pinned: point.marks.pinned, good: true })),
      policy.keep,
      { timeZone: knownZone(timeZone) }
    )
  }))
  const freesBytes = vms.flatMap((vm) => vm.points).reduce((sum, fate) => sum + fate.freesBytes, 0)
  return { vms, freesBytes, trash: { points: 3, bytes: 27e9 } }
}
