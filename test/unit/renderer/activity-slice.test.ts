import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { activitySlice, type ActivitySlice } from '../../../src/renderer/features/activity/activity-slice.ts'
import { routeSlice, type RouteSlice } from '../../../src/renderer/state/route-slice.ts'
import type { Bridge } from '../../../src/shared/contract.ts'
import { failed, succeeded, type Result } from '../../../src/shared/result.ts'
import type { LogLine } from '../../../src/shared/views/job-view.ts'

const refused = { kind: 'timeout', what: 'cancelling', afterMs: 1000 } as const
const line = (text: string): LogLine => ({ at: '2026-11-22T20:17:44.000Z', type: 'note', text, raw: '{}' })

function storeOver(jobs: object): StoreApi<ActivitySlice & RouteSlice> {
  const core = { jobs } as unknown as Bridge
  return createStore<ActivitySlice & RouteSlice>()((...args) => ({
    ...routeSlice(...args),
    ...activitySlice(core)(...args)
  }))
}

/** Answers that come when the test says so. */
function later<T>(): { readonly answer: () => Promise<Result<T>>; readonly come: ((result: Result<T>) => void)[] } {
  const come: ((result: Result<T>) => void)[] = []
  return { answer: () => new Promise((resolve) => come.push(resolve)), come }
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

beforeEach(() => vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined }))

describe('errands of the activity page', () => {
  it('cancelling is asked once, and what the host refused is kept with the job', async () => {
    const { answer, come } = later<undefined>()
    const store = storeOver({ cancel: answer })
    store.getState().cancelJob('a')
    store.getState().cancelJob('a')
    expect(come).toHaveLength(1)
    expect(store.getState().jobErrands.get('a')).toMatchObject({ what: 'cancel', isBusy: true })
    come[0]?.(failed(refused))
    await settled()
    expect(store.getState().jobErrands.get('a')).toEqual({ what: 'cancel', isBusy: false, failure: refused })
  })

  it('a retry leads to the new job', async () => {
    const store = storeOver({ retry: () => Promise.resolve(succeeded({ id: 'b' })) })
    store.getState().retryJob('a')
    await settled()
    expect(store.getState().route).toEqual({ screen: 'job', job: 'b' })
    expect(store.getState().jobErrands.size).toBe(0)
  })

  it('a door that breaks is a failure like others', async () => {
    const store = storeOver({ retry: () => Promise.reject(new Error('gone')) })
    store.getState().retryJob('a')
    await settled()
    expect(store.getState().jobErrands.get('a')?.failure?.kind).toBe('bug')
  })

  it('the log of a job that nobody looks at any more is dropped', async () => {
    const { answer, come } = later<readonly LogLine[]>()
    const store = storeOver({ log: answer })
    store.getState().readJobLog('a')
    store.getState().readJobLog('b')
    come[1]?.(succeeded([line('of b')]))
    come[0]?.(succeeded([line('of a')]))
    await settled()
    expect(store.getState().jobLog).toEqual({ job: 'b', lines: [line('of b')], failure: undefined })
  })

  it('lines that were read stay when reading them again fails', async () => {
    const { answer, come } = later<readonly LogLine[]>()
    const store = storeOver({ log: answer })
    store.getState().readJobLog('a')
    come[0]?.(succeeded([line('first')]))
    await settled()
    store.getState().readJobLog('a')
    come[1]?.(failed(refused))
    await settled()
    expect(store.getState().jobLog).toEqual({ job: 'a', lines: [line('first')], failure: refused })
  })

  it('a filter keeps what it is not asked to change', () => {
    const store = storeOver({})
    store.getState().filterJobs({ host: 'alpha' })
    store.getState().filterJobs({ vm: 'web' })
    expect(store.getState().jobFilter).toMatchObject({ host: 'alpha', vm: 'web' })
  })
})
