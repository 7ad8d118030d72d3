import { describe, expect, it } from 'vitest'
import { createStore } from 'zustand/vanilla'
import type { Route, RouteSlice } from '../../../src/renderer/state/route-slice.ts'
import { vmSlice, type VmSlice } from '../../../src/renderer/features/vm/vm-slice.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import { askedCore } from './asked-core.ts'

const point = '20261122T201744Z-7f3a21'
const gone: Failure = { kind: 'host-unreachable', host: 'alpha', reason: 'timed out' }

function window() {
  const core = askedCore()
  const went: Route[] = []
  const rest = { go: (to: Route) => void went.push(to) } as unknown as RouteSlice
  const store = createStore<VmSlice & RouteSlice>()((...args) => ({ ...rest, ...vmSlice(core.bridge)(...args) }))
  const count = (channel: string) => core.asked.filter((each) => each.channel === channel).length
  return { ...core, act: () => store.getState(), went, count }
}

describe('a point over the page of its VM', () => {
  const page: Route = { screen: 'vm', host: 'alpha', vm: 'u' }
  const routed = (route: Route, trail: Route[]) => {
    const went: (Route | 'back')[] = []
    const rest = { route, trail, go: (to: Route) => void went.push(to), goBack: () => void went.push('back') }
    const store = createStore<VmSlice & RouteSlice>()((...args) => ({
      ...rest,
      ...vmSlice(askedCore().bridge)(...args)
    }))
    return { act: store.getState(), went }
  }

  it('opens where the window is', () => {
    const { act, went } = routed(page, [])
    act.showPoint(point)
    expect(went).toEqual([{ ...page, point }])
  })

  it('closes by going back to where it was opened, so that Back does not open it again', () => {
    const { act, went } = routed({ ...page, point }, [{ screen: 'overview' }, page])
    act.closePoint()
    expect(went).toEqual(['back'])
  })

  it('closes to the page below it where a link led straight to it', () => {
    const { act, went } = routed({ ...page, point }, [{ screen: 'activity' }])
    act.closePoint()
    expect(went).toEqual([page])
  })
})

describe('the manifest of a point', () => {
  it('is read once: points do not change', async () => {
    const { act, last, count } = window()
    act().loadManifest(point)
    act().loadManifest(point)
    await last('points.show').succeeds({ id: point })
    act().loadManifest(point)
    expect(count('points.show')).toBe(1)
    expect(act().manifests.get(point)).toEqual({ is: 'here', manifest: { id: point } })
  })

  it('is asked for again after it could not be had', async () => {
    const { act, last, count } = window()
    act().loadManifest(point)
    await last('points.show').fails(gone)
    expect(act().manifests.get(point)).toEqual({ is: 'failed', failure: gone })
    act().loadManifest(point)
    expect(count('points.show')).toBe(2)
    expect(act().manifests.get(point)).toEqual({ is: 'loading' })
  })
})

describe('what is asked of a point', () => {
  it('leads to the job that does it', async () => {
    const { act, last, went } = window()
    act().openPointDialog({ kind: 'copy', point })
    act().copyPoint(point, 'beta')
    expect(last('points.copy').question).toEqual({ point, to: 'beta' })
    await last('points.copy').succeeds({ id: '20261123T000000Z-000001' })
    expect(act().pointDialog).toBeUndefined()
    expect(went).toEqual([{ screen: 'job', job: '20261123T000000Z-000001' }])
  })

  it('is asked once, however often the button is pressed', () => {
    const { act, count } = window()
    act().verifyPoint(point, 'alpha')
    act().verifyPoint(point, 'alpha')
    act().pinPoint(point, true)
    expect(count('points.verify') + count('points.mark')).toBe(1)
  })

  it('keeps its dialog open with the reason when it was refused', async () => {
    const { act, last } = window()
    act().openPointDialog({ kind: 'delete', point, place: 'alpha' })
    act().deletePoint(point, 'alpha')
    await last('points.delete').fails(gone)
    expect(act().pointDialog).toMatchObject({ kind: 'delete' })
    expect(act().pointErrand).toMatchObject({ what: 'delete', isBusy: false, failure: gone })
  })

  it('does not show an old failure in a new dialog', async () => {
    const { act, last } = window()
    act().verifyPoint(point, 'alpha')
    await last('points.verify').fails(gone)
    act().openPointDialog({ kind: 'delete', point, place: 'alpha' })
    expect(act().pointErrand).toBeUndefined()
  })

  it('says what a deletion freed, until something else is asked', async () => {
    const { act, last } = window()
    act().openPointDialog({ kind: 'delete', point, place: 'alpha' })
    act().deletePoint(point, 'alpha')
    await last('points.delete').succeeds({ freedBytes: 7 })
    expect(act()).toMatchObject({ pointDialog: undefined, deleted: { place: 'alpha', freedBytes: 7 } })
    act().notePoint(point, '')
    expect(last('points.mark').question).toEqual({ point, note: '' })
    expect(act().deleted).toBeUndefined()
  })
})
