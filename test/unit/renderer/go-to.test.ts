import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { frameSlice, type FrameSlice } from '../../../src/renderer/app/frame-slice.ts'
import type { AddHostSlice } from '../../../src/renderer/features/hosts/add-host-slice.ts'
import { routeSlice, type RouteSlice } from '../../../src/renderer/state/route-slice.ts'
import type { Bridge } from '../../../src/shared/contract.ts'
import type { GoTo } from '../../../src/shared/views/notice-view.ts'

beforeEach(() => vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined }))

function following() {
  const listeners: ((to: GoTo | undefined) => void)[] = []
  const core = { app: { goTo: (listener: (to: GoTo | undefined) => void) => listeners.push(listener) } }
  const openAddHost = vi.fn<AddHostSlice['openAddHost']>()
  const store = createStore<FrameSlice & RouteSlice & Pick<AddHostSlice, 'openAddHost'>>()((...args) => ({
    ...routeSlice(...args),
    ...frameSlice(core as unknown as Bridge)(...(args as unknown as Parameters<ReturnType<typeof frameSlice>>)),
    openAddHost
  }))
  store.getState().followCore()
  return { store, openAddHost, say: (to: GoTo | undefined) => listeners.forEach((listener) => listener(to)) }
}

describe('where the desktop wants the window', () => {
  it('is where it goes', () => {
    const { store, say } = following()
    say({ screen: 'job', job: 'j' })
    expect(store.getState().route).toEqual({ screen: 'job', job: 'j' })
  })

  it('may be in a dialog that its menu asks for', () => {
    const { store, openAddHost, say } = following()
    say({ screen: 'overview', firstSteps: true })
    expect(store.getState()).toMatchObject({ route: { screen: 'overview' }, frameDialog: 'how-it-works' })
    say({ screen: 'hosts', adding: true })
    expect(store.getState().route).toEqual({ screen: 'hosts' })
    expect(openAddHost).toHaveBeenCalledOnce()
  })

  it('leads nowhere twice when it is only repeated, and again when it was taken back in between', () => {
    const { store, say } = following()
    say({ screen: 'downtime' })
    store.getState().go({ screen: 'hosts' })
    say({ screen: 'downtime' })
    expect(store.getState().route).toEqual({ screen: 'hosts' })
    say(undefined)
    say({ screen: 'downtime' })
    expect(store.getState().route).toEqual({ screen: 'downtime' })
  })
})
