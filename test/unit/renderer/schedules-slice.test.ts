import { describe, expect, it } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { draftOf, firstForm } from '../../../src/renderer/features/schedules/policy-form.ts'
import { schedulesSlice, type SchedulesSlice } from '../../../src/renderer/features/schedules/schedules-slice.ts'
import type { Route, RouteSlice } from '../../../src/renderer/state/route-slice.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import { askedCore } from './asked-core.ts'
import { policyId } from './a-policy.ts'

const away: Failure = { kind: 'host-unreachable', host: 'alpha', reason: 'timed out' }
const at = { host: 'alpha', id: policyId }
const run = '20261124T010000Z-00000a'
const form = { ...firstForm('alpha', undefined), name: 'Nightly' }

function opened(route: Route = { screen: 'schedules' }) {
  const core = askedCore()
  const went: Route[] = []
  const store = createStore<SchedulesSlice & RouteSlice>()((set, get, api) => ({
    route,
    trail: [],
    go: (to: Route) => {
      went.push(to)
      set({ route: to })
    },
    goBack: () => void went.push({ screen: 'overview' }),
    ...schedulesSlice(core.bridge)(set, get, api)
  }))
  return { ...core, act: () => store.getState(), went, leave: () => store.setState({ route: { screen: 'settings' } }) }
}

describe('a run by hand', () => {
  it('is asked for once, and shown when the host has begun it', async () => {
    const { act, asked, last, went } = opened()
    act().runPolicy(at)
    act().runPolicy(at)
    expect(asked).toHaveLength(1)
    await last('policies.run').succeeds({ run })
    expect(went).toEqual([{ screen: 'schedules', host: 'alpha', policy: policyId, run }])
  })

  it('takes nobody away who went elsewhere meanwhile, and says why it was refused', async () => {
    const { act, last, went, leave } = opened()
    act().runPolicy(at)
    leave()
    await last('policies.run').succeeds({ run })
    expect(went).toEqual([])
    act().runPolicy(at)
    await last('policies.run').fails(away)
    expect(act().scheduleErrands.get(`alpha/${policyId}`)).toEqual({ isBusy: false, failure: away })
  })
})

describe('saving a schedule', () => {
  const draft = draftOf(form, undefined)
  const editing = { screen: 'schedules', edit: 'new' } as const

  it('asks once, forgets what was typed, and goes to the schedule', async () => {
    const { act, asked, last, went } = opened(editing)
    act().editSchedule('new', form)
    act().saveSchedule('alpha', draft)
    act().saveSchedule('alpha', draft)
    expect(asked).toHaveLength(1)
    expect(last('policies.put').question).toEqual({ host: 'alpha', policy: draft })
    await last('policies.put').succeeds({ id: policyId })
    expect(act().scheduleDraft).toBeUndefined()
    expect(went).toEqual([{ screen: 'schedules', host: 'alpha', policy: policyId }])
  })

  it('keeps what was typed where it was refused, until a store is said to be meant', async () => {
    const { act, last } = opened(editing)
    act().editSchedule('new', form)
    act().saveSchedule('alpha', draft)
    await last('policies.put').fails({ kind: 'store-changed', store: '/srv', detail: 'Another one.' })
    expect(act().scheduleSave.failure?.kind).toBe('store-changed')
    expect(act().scheduleDraft?.form).toBe(form)
    act().saveSchedule('alpha', draft, true)
    expect(last('policies.put').question).toMatchObject({ acceptStore: true })
  })

  it('is not begun twice by typing while it goes on', () => {
    const { act, asked } = opened(editing)
    act().saveSchedule('alpha', draft)
    act().editSchedule('new', { ...form, name: 'Other' })
    act().saveSchedule('alpha', draft)
    expect(asked).toHaveLength(1)
  })

  it('leads nowhere after one has left the form', async () => {
    const { act, last, went } = opened(editing)
    act().saveSchedule('alpha', draft)
    act().leaveSchedule()
    await last('policies.put').succeeds({ id: policyId })
    expect(went).toEqual([{ screen: 'overview' }])
  })
})

describe('pausing and removing', () => {
  it('pauses until the moment that was chosen, and goes on without one', async () => {
    const { act, last } = opened()
    act().openScheduleDialog({ kind: 'pause', ...at, name: 'Nightly' })
    act().pausePolicy(new Date('2027-01-01T00:00:00Z'))
    expect(last('policies.pause').question).toEqual({ ...at, until: '2027-01-01T00:00:00.000Z' })
    await last('policies.pause').succeeds()
    expect(act().scheduleDialog).toBeUndefined()
    act().resumePolicy(at)
    expect(last('policies.pause').question).toEqual(at)
  })

  it('stays with the reason where it was refused, and an answer opens no closed dialog', async () => {
    const { act, last } = opened()
    act().openScheduleDialog({ kind: 'remove', ...at, name: 'Nightly' })
    act().removePolicy()
    await last('policies.remove').fails(away)
    expect(act().scheduleDialog).toMatchObject({ isBusy: false, failure: away })
    act().removePolicy()
    act().closeScheduleDialog()
    await last('policies.remove').fails(away)
    expect(act().scheduleDialog).toBeUndefined()
  })

  it('leaves the page of a schedule that is gone', async () => {
    const { act, last, went } = opened({ screen: 'schedules', host: 'alpha', policy: policyId })
    act().openScheduleDialog({ kind: 'remove', ...at, name: 'Nightly' })
    act().removePolicy()
    await last('policies.remove').succeeds()
    expect(went).toEqual([{ screen: 'schedules' }])
  })
})

describe('what goes next', () => {
  const plan = { vms: [], freesBytes: 1, trash: { points: 0, bytes: 0 } }

  it('stays while it is asked again, and is never that of another schedule', async () => {
    const { act, last, asked } = opened()
    act().askPrunePlan(at)
    await last('policies.prunePlan').succeeds(plan)
    act().askPrunePlan(at)
    expect(act().prunePlan).toMatchObject({ isBusy: true, plan })
    const late = asked.at(-1)
    act().askPrunePlan({ ...at, id: 'ffffffffffff' })
    expect(act().prunePlan?.plan).toBeUndefined()
    await late?.succeeds(plan)
    expect(act().prunePlan).toMatchObject({ id: 'ffffffffffff', plan: undefined })
  })
})
