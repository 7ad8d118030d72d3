import { describe, expect, it } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { hostsSlice, type HostsSlice } from '../../../src/renderer/features/hosts/hosts-slice.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import { askedCore } from './asked-core.ts'

const gone: Failure = { kind: 'host-unreachable', host: 'alpha', reason: 'timed out' }

function window() {
  const core = askedCore()
  const store = createStore<HostsSlice>()(hostsSlice(core.bridge))
  return { ...core, act: () => store.getState() }
}

describe('the doctor of a host', () => {
  it('looks at once, and repairs only when it is asked to', async () => {
    const { act, last } = window()
    act().openDoctor('alpha')
    expect(last('hosts.doctor').question).toEqual({ name: 'alpha', repair: false })
    const finding = { kind: 'unit', what: 'a unit', remedy: 'stop it', repaired: false }
    await last('hosts.doctor').succeeds([finding])
    expect(act().hostDialog).toMatchObject({ kind: 'doctor', findings: [finding], isBusy: false })
    act().askDoctor(true)
    expect(last('hosts.doctor').question).toEqual({ name: 'alpha', repair: true })
  })

  it('does not show the findings of one host in the dialog of another', async () => {
    const { act, asked, last } = window()
    act().openDoctor('alpha')
    act().closeHostDialog()
    act().openDoctor('beta')
    await asked[0]?.succeeds([{ kind: 'unit', what: 'of alpha', remedy: '', repaired: false }])
    expect(act().hostDialog).toMatchObject({ host: 'beta', findings: undefined, isBusy: true })
    await last('hosts.doctor').fails(gone)
    expect(act().hostDialog).toMatchObject({ host: 'beta', failure: gone, isBusy: false })
  })
})

describe('removing a host', () => {
  it('closes at once where it is only forgotten', async () => {
    const { act, last } = window()
    act().openRemoveHost('alpha')
    act().removeHost(false)
    await last('hosts.remove').succeeds([])
    expect(act().hostDialog).toBeUndefined()
  })

  it('says what was taken away from the host', async () => {
    const { act, last } = window()
    act().openRemoveHost('alpha')
    act().removeHost(true)
    await last('hosts.remove').succeeds(['/var/lib/stillpoint/engine'])
    expect(act().hostDialog).toMatchObject({ kind: 'remove', removed: ['/var/lib/stillpoint/engine'] })
  })

  it('keeps the question open with the reason when it did not happen', async () => {
    const { act, last } = window()
    act().openRemoveHost('alpha')
    act().removeHost(true)
    await last('hosts.remove').fails(gone)
    expect(act().hostDialog).toMatchObject({ kind: 'remove', removed: undefined, failure: gone })
  })
})

describe('looking again', () => {
  it('asks for one host or all, and says when it could not even ask', async () => {
    const { act, last } = window()
    act().refreshHosts()
    expect(last('hosts.refresh').question).toEqual({})
    expect(act().isRefreshing).toBe(true)
    act().refreshHosts('alpha')
    expect(last('hosts.refresh').question).toEqual({ name: 'alpha' })
    await last('hosts.refresh').fails(gone)
    expect(act()).toMatchObject({ isRefreshing: false, refreshFailure: gone })
  })
})
