import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { backupSlice, type BackupSlice } from '../../../src/renderer/features/backup/backup-slice.ts'
import type { MirrorSlice } from '../../../src/renderer/state/mirror-slice.ts'
import type { Route, RouteSlice } from '../../../src/renderer/state/route-slice.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import type { Estimate } from '../../../src/shared/views/job-view.ts'
import { askedCore } from './asked-core.ts'

const vm = '11111111-2222-4333-8444-555555555555'
const busy: Failure = { kind: 'vm-busy', vm: 'web1', by: 'a backup', since: '2026-11-22T20:17:44Z' }
const estimate = (sizeBytes: number): Estimate => ({
  method: 'live',
  methodReason: 'the VM is running',
  pauseMs: { low: 30, high: 60 },
  durationMs: { low: 1000, high: 2000 },
  sizeBytes,
  neededBytes: sizeBytes,
  classicPauseMs: 3300,
  samples: 0,
  remarks: []
})

function opened() {
  const core = askedCore()
  const went: Route[] = []
  const rest = { hosts: [], go: (to: Route) => void went.push(to) } as unknown as MirrorSlice & RouteSlice
  const store = createStore<BackupSlice & MirrorSlice & RouteSlice>()((...args) => ({
    ...rest,
    ...backupSlice(core.bridge)(...args)
  }))
  const act = () => store.getState()
  act().openBackup({ host: 'alpha', vm })
  const estimates = () => core.asked.filter(({ channel }) => channel === 'jobs.estimate')
  return { ...core, act, went, estimates }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('what a backup will cost', () => {
  it('is asked at once when the dialog opens', async () => {
    const { act, last } = opened()
    expect(last('jobs.estimate').question).toEqual({ host: 'alpha', vm, budgetMs: 300, onBusy: 'pause' })
    expect(act().backup).toMatchObject({ isEstimating: true, estimate: undefined })
    await last('jobs.estimate').succeeds(estimate(1))
    expect(act().backup).toMatchObject({ isEstimating: false, estimate: { sizeBytes: 1 } })
  })

  it('is asked once after the last of several changes, not for each', () => {
    const { act, estimates, last } = opened()
    for (const budgetMs of ['4', '40', '400']) {
      act().editBackup({ budgetMs })
      vi.advanceTimersByTime(200)
    }
    expect(estimates()).toHaveLength(1)
    vi.advanceTimersByTime(100)
    expect(estimates()).toHaveLength(2)
    expect(last('jobs.estimate').question).toMatchObject({ budgetMs: 400 })
  })

  it('is never that of choices which were changed since', async () => {
    const { act, estimates } = opened()
    act().editBackup({ method: 'disk' })
    await estimates()[0]?.succeeds(estimate(1))
    expect(act().backup).toMatchObject({ estimate: undefined, isEstimating: true })
    vi.advanceTimersByTime(300)
    await estimates()[1]?.succeeds(estimate(2))
    expect(act().backup?.estimate?.sizeBytes).toBe(2)
  })

  it('comes in the order of the questions, whatever the order of the answers', async () => {
    const { act, estimates } = opened()
    act().editBackup({ method: 'disk' })
    vi.advanceTimersByTime(300)
    act().editBackup({ method: 'classic' })
    vi.advanceTimersByTime(300)
    await estimates()[2]?.succeeds(estimate(3))
    await estimates()[1]?.succeeds(estimate(2))
    expect(act().backup?.estimate?.sizeBytes).toBe(3)
  })

  it('is not asked while the choices cannot be', () => {
    const { act, estimates } = opened()
    act().editBackup({ budgetMs: '' })
    vi.advanceTimersByTime(1000)
    expect(estimates()).toHaveLength(1)
    expect(act().backup?.isEstimating).toBe(false)
    act().editBackup({ store: 'relative' })
    vi.advanceTimersByTime(1000)
    expect(estimates()).toHaveLength(1)
  })

  it('is not asked after the dialog was closed, and no answer opens it again', async () => {
    const { act, estimates } = opened()
    act().editBackup({ method: 'disk' })
    act().closeBackup()
    vi.advanceTimersByTime(1000)
    await estimates()[0]?.succeeds(estimate(1))
    expect(estimates()).toHaveLength(1)
    expect(act().backup).toBeUndefined()
  })

  it('says why it could not be found out', async () => {
    const { act, last } = opened()
    await last('jobs.estimate').fails(busy)
    expect(act().backup).toMatchObject({ estimateFailure: busy, estimate: undefined, isEstimating: false })
    act().estimateBackup()
    expect(act().backup).toMatchObject({ estimateFailure: undefined, isEstimating: true })
  })
})

describe('starting a backup', () => {
  it('asks for what was chosen, once, and goes to its job', async () => {
    const { act, last, asked, went } = opened()
    act().editBackup({ method: 'classic', store: '/srv/points', excludeDisks: ['vdb'] })
    act().startBackup()
    act().startBackup()
    expect(asked.filter(({ channel }) => channel === 'jobs.backup')).toHaveLength(1)
    expect(last('jobs.backup').question).toEqual({
      host: 'alpha',
      vm,
      method: 'classic',
      store: '/srv/points',
      budgetMs: 300,
      onBusy: 'pause',
      excludeDisks: ['vdb']
    })
    await last('jobs.backup').succeeds({ id: '20261122T201744Z-7f3a21' })
    expect(act().backup).toBeUndefined()
    expect(went).toEqual([{ screen: 'job', job: '20261122T201744Z-7f3a21' }])
  })

  it('stays open with the reason when it was refused', async () => {
    const { act, last, went } = opened()
    act().startBackup()
    await last('jobs.backup').fails(busy)
    expect(act().backup).toMatchObject({ isStarting: false, startFailure: busy })
    expect(went).toEqual([])
  })

  it('does not take a person away who closed the dialog meanwhile', async () => {
    const { act, last, went } = opened()
    act().startBackup()
    act().closeBackup()
    await last('jobs.backup').succeeds({ id: '20261122T201744Z-7f3a21' })
    expect(went).toEqual([])
  })
})
