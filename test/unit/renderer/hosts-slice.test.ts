import { describe, expect, it } from 'vitest'
import { createStore } from 'zustand/vanilla'
import type { KeyFailure } from '../../../src/renderer/features/hosts/add-host.ts'
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

describe('the key of a known host', () => {
  const key: KeyFailure = {
    kind: 'host-key-changed',
    host: 'alpha',
    address: 'alpha:22',
    keyType: 'ssh-ed25519',
    fingerprint: 'SHA256:new',
    knownIn: 'known_hosts:1'
  }

  it('is taken by its fingerprint, and the dialog closes when the core has taken the host up again', async () => {
    const { act, last } = window()
    act().openHostKey('alpha', key)
    act().acceptHostKey(key.fingerprint)
    expect(last('hosts.acceptKey').question).toEqual({ name: 'alpha', fingerprint: 'SHA256:new' })
    await last('hosts.acceptKey').succeeds({ rebuilt: true })
    expect(act().hostDialog).toBeUndefined()
  })

  it('stays as it was judged, with the reason, when the host could not be taken up', async () => {
    const { act, last } = window()
    act().openHostKey('alpha', key)
    act().acceptHostKey(key.fingerprint)
    await last('hosts.acceptKey').fails(gone)
    expect(act().hostDialog).toMatchObject({ kind: 'key', key, failure: gone, isBusy: false })
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
