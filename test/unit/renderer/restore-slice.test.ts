import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { draftHere, restoreSlice, type RestoreSlice } from '../../../src/renderer/features/restore/restore-slice.ts'
import { keyOf } from '../../../src/renderer/features/restore/restore-view.ts'
import { routeSlice, type RouteSlice } from '../../../src/renderer/state/route-slice.ts'
import type { Bridge } from '../../../src/shared/contract.ts'
import { failed, succeeded, type Result } from '../../../src/shared/result.ts'
import type { PreflightView, RestoreQuestion } from '../../../src/shared/views/job-view.ts'

function storeOver(jobs: object): StoreApi<RestoreSlice & RouteSlice> {
  const core = { jobs } as unknown as Bridge
  return createStore<RestoreSlice & RouteSlice>()((...args) => ({
    ...routeSlice(...args),
    ...restoreSlice(core)(...args)
  }))
}

const question: RestoreQuestion = { point: '20261122T201744Z-7f3a21', to: 'alpha', mode: 'resume', replace: true }
const toBeta: RestoreQuestion = { ...question, to: 'beta' }
const viewWith = (bytesToMove: number): PreflightView => ({ items: [], bytesToMove })
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

beforeEach(() => vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined }))

describe('asking the host before a restore', () => {
  it('drops an answer to what is no longer chosen', async () => {
    const come: ((result: Result<PreflightView>) => void)[] = []
    const store = storeOver({ preflight: () => new Promise((resolve) => come.push(resolve)) })
    store.getState().checkRestore(question)
    store.getState().checkRestore(toBeta)
    come[1]?.(succeeded(viewWith(2)))
    come[0]?.(succeeded(viewWith(1)))
    await settled()
    expect(store.getState().restoreCheck).toEqual({ of: keyOf(toBeta), view: viewWith(2), failure: undefined })
  })

  it('forgets the last answer while it asks again', async () => {
    const store = storeOver({ preflight: () => Promise.resolve(succeeded(viewWith(1))) })
    store.getState().checkRestore(question)
    await settled()
    store.getState().checkRestore(question)
    expect(store.getState().restoreCheck?.view).toBeUndefined()
  })
})

describe('what was chosen of what a host offered', () => {
  it('says nothing about another host or point, and stays for another way to come back', () => {
    const offer = { label: 'let libvirt choose its ports', choice: { kind: 'auto-ports' } } as const
    const decisions = [{ kind: 'choose', offer }] as const
    const store = storeOver({})
    const { editRestore } = store.getState()
    editRestore({ decisions })
    editRestore({ mode: 'boot' })
    expect(store.getState().restoreDraft.decisions).toEqual(decisions)
    editRestore({ to: 'beta' })
    expect(store.getState().restoreDraft.decisions).toEqual([])
  })
})

describe('beginning a restore', () => {
  it('leads to its job, and leaves nothing of the draft', async () => {
    const restore = vi.fn(() => Promise.resolve(succeeded({ id: '20261122T201744Z-000001' })))
    const store = storeOver({ restore })
    store.getState().editRestore({ point: question.point, to: 'beta' })
    store.getState().startRestore(question)
    store.getState().startRestore(question)
    await settled()
    expect(restore).toHaveBeenCalledTimes(1)
    expect(store.getState().route).toEqual({ screen: 'job', job: '20261122T201744Z-000001' })
    expect(store.getState().restoreDraft).toMatchObject({ point: undefined, to: undefined })
  })

  it('takes what was allowed along, until another point or host is chosen', () => {
    const { getState } = storeOver({})
    const decisions = [{ kind: 'allow', item: 'read=/srv/a.iso' }] as const
    getState().editRestore({ point: question.point, to: 'alpha' })
    getState().editRestore({ decisions })
    getState().editRestore({ mode: 'boot' })
    expect(getState().restoreDraft.decisions).toEqual(decisions)
    getState().editRestore({ to: 'beta' })
    expect(getState().restoreDraft.decisions).toEqual([])
  })

  it('keeps what was chosen when the host refuses', async () => {
    const refused = { kind: 'timeout', what: 'restore', afterMs: 1 } as const
    const store = storeOver({ restore: () => Promise.resolve(failed(refused)) })
    store.getState().editRestore({ point: question.point, to: 'beta' })
    store.getState().startRestore(question)
    await settled()
    expect(store.getState().restoreErrand).toEqual({ isBusy: false, failure: refused })
    expect(store.getState().restoreDraft.to).toBe('beta')
  })
})

describe('the draft', () => {
  it('belongs to the point one came with: another one begins anew', () => {
    const store = storeOver({})
    store.getState().go({ screen: 'restore', point: 'first' })
    store.getState().editRestore({ to: 'beta' })
    expect(draftHere(store.getState())).toMatchObject({ point: 'first', to: 'beta', isChoosing: false })
    store.getState().go({ screen: 'restore', point: 'second' })
    expect(draftHere(store.getState())).toMatchObject({ point: 'second', to: undefined })
  })

  it('of somebody who came without a point begins with choosing one', () => {
    const store = storeOver({})
    store.getState().go({ screen: 'restore' })
    expect(draftHere(store.getState())).toMatchObject({ point: undefined, isChoosing: true })
  })
})
