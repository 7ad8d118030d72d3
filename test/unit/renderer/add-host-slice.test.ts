import { describe, expect, it } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { addHostSlice, type AddHostSlice } from '../../../src/renderer/features/hosts/add-host-slice.ts'
import type { MirrorSlice } from '../../../src/renderer/state/mirror-slice.ts'
import type { Route, RouteSlice } from '../../../src/renderer/state/route-slice.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import type { HostView } from '../../../src/shared/views/host-view.ts'
import { askedCore, settled } from './asked-core.ts'

const probe = { items: [], usable: true, vmNames: [] }
const unknownKey: Failure = {
  kind: 'host-key-unknown',
  host: 'alpha',
  address: 'alpha:22',
  keyType: 'ssh-ed25519',
  fingerprint: 'SHA256:new'
}
const changedKey: Failure = { ...unknownKey, kind: 'host-key-changed', knownIn: '/home/me/.config/known_hosts:3' }
const alpha: HostView = { name: 'alpha', address: 'alpha', addedAt: '2026-01-01T00:00:00Z', state: 'down', vms: [] }

function opened(hosts: readonly HostView[] = []) {
  const core = askedCore()
  const went: Route[] = []
  const store = createStore<AddHostSlice & MirrorSlice & RouteSlice>()(
    (...args) =>
      ({
        ...addHostSlice(core.bridge)(...args),
        hosts,
        go: (to: Route) => void went.push(to)
      }) as AddHostSlice & MirrorSlice & RouteSlice
  )
  store.getState().openAddHost()
  const act = () => store.getState()
  const dialog = () => {
    const { addHost } = store.getState()
    if (addHost === undefined) throw new Error('the dialog is closed')
    return addHost
  }
  return { ...core, act, dialog, went }
}

describe('adding a host', () => {
  it('suggests a name from the address until one is typed', () => {
    const { act, dialog } = opened()
    act().editLogin({ address: 'alpha.example.net' })
    expect(dialog().draft.name).toBe('alpha')
    act().editLogin({ name: 'first' })
    act().editLogin({ address: 'beta.example.net' })
    expect(dialog().draft.name).toBe('first')
  })

  it('shows the fingerprint of an unknown key, and probes again with it once it was compared', async () => {
    const { act, dialog, last } = opened()
    act().editLogin({ address: 'root@alpha' })
    act().probeHost()
    await last('hosts.probe').fails(unknownKey)
    expect(dialog().step).toEqual({ at: 'key', key: unknownKey })
    act().vouchForKey('SHA256:new')
    expect(last('hosts.probe').question).toEqual({
      name: 'alpha',
      address: 'alpha',
      user: 'root',
      fingerprint: 'SHA256:new'
    })
    await last('hosts.probe').succeeds(probe)
    expect(dialog().step).toEqual({ at: 'look', probe })
  })

  it('does not take a key for the right one when another address was typed since', async () => {
    const { act, last } = opened()
    act().editLogin({ address: 'alpha' })
    act().probeHost()
    await last('hosts.probe').fails(unknownKey)
    act().vouchForKey('SHA256:new')
    act().backToLogin()
    act().editLogin({ address: 'beta' })
    act().probeHost()
    expect(last('hosts.probe').question).toEqual({ name: 'beta', address: 'beta' })
  })

  it('drops the answer about an address that is no longer asked about', async () => {
    const { act, dialog, asked } = opened()
    act().editLogin({ address: 'alpha' })
    act().probeHost()
    act().backToLogin()
    act().editLogin({ address: 'beta' })
    await asked.find(({ channel }) => channel === 'hosts.probe')?.succeeds(probe)
    expect(dialog()).toMatchObject({ step: { at: 'login' }, isBusy: false })
  })

  it('drops what is answered after it was closed, also when it is open again', async () => {
    const { act, dialog, last } = opened()
    act().editLogin({ address: 'alpha' })
    act().probeHost()
    act().closeAddHost()
    act().openAddHost({ address: 'beta' })
    await last('hosts.probe').fails(unknownKey)
    expect(dialog()).toMatchObject({ draft: { address: 'beta', name: 'beta' }, step: { at: 'login' } })
  })

  it('shows other failures where they were met, and goes on from there', async () => {
    const { act, dialog, last } = opened()
    act().editLogin({ address: 'alpha' })
    act().probeHost()
    const failure: Failure = { kind: 'host-unreachable', host: 'alpha', reason: 'timed out' }
    await last('hosts.probe').fails(failure)
    expect(dialog()).toMatchObject({ step: { at: 'login' }, failure, isBusy: false })
    act().probeHost()
    expect(dialog()).toMatchObject({ failure: undefined, isBusy: true })
  })

  it('goes to the card of the host once it is added', async () => {
    const { act, last, went } = opened()
    act().editLogin({ address: 'alpha' })
    act().placeHost()
    await last('hosts.add').succeeds({ rebuilt: false })
    expect(act().addHost).toBeUndefined()
    expect(went).toEqual([{ screen: 'hosts', host: 'alpha' }])
  })

  it('lets a person choose from what ~/.ssh/config names', async () => {
    const { dialog, last } = opened()
    expect(dialog().entries).toBeUndefined()
    await last('hosts.sshEntries').succeeds([{ alias: 'kvm-1', hostName: '10.0.0.1' }])
    expect(dialog().entries).toHaveLength(1)
  })
})

describe('a host that shows another key than before', () => {
  it('is a host we know: its old key is forgotten by the core, which takes it up again', async () => {
    const { act, last, went } = opened([alpha])
    act().editLogin({ address: 'alpha' })
    act().probeHost()
    await last('hosts.probe').fails(changedKey)
    act().acceptNewKey('SHA256:new', '/home/me/.config/known_hosts:3')
    expect(last('hosts.acceptKey').question).toEqual({ name: 'alpha', fingerprint: 'SHA256:new' })
    await last('hosts.acceptKey').succeeds({ rebuilt: true })
    expect(went).toEqual([{ screen: 'hosts', host: 'alpha' }])
  })

  it('is none we know: the very key that stood in the way is forgotten, and no other', async () => {
    const { act, last } = opened()
    act().editLogin({ address: 'alpha' })
    act().probeHost()
    await last('hosts.probe').fails(changedKey)
    act().acceptNewKey('SHA256:new', '/home/me/.config/known_hosts:3')
    const key = { file: '/home/me/.config/known_hosts', fingerprint: 'SHA256:old', ours: true }
    await last('settings.knownKeys').succeeds([
      { ...key, line: 2 },
      { ...key, line: 3, fingerprint: 'SHA256:this' }
    ])
    expect(last('settings.forgetKey').question).toEqual({ line: 3, fingerprint: 'SHA256:this' })
    await last('settings.forgetKey').succeeds()
    expect(last('hosts.probe').question).toMatchObject({ fingerprint: 'SHA256:new' })
  })

  it('never forgets a key in a file of OpenSSH', async () => {
    const { act, last, asked } = opened()
    act().editLogin({ address: 'alpha' })
    act().acceptNewKey('SHA256:new', '/home/me/.ssh/known_hosts:3')
    const theirs = { file: '/home/me/.ssh/known_hosts', line: 3, fingerprint: 'SHA256:old', ours: false }
    await last('settings.knownKeys').succeeds([theirs])
    await settled()
    expect(asked.map(({ channel }) => channel)).not.toContain('settings.forgetKey')
  })
})
