import { describe, expect, it, vi } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { hostsSlice, type HostsKnown, type HostsSlice } from '../../src/renderer/features/hosts/hosts-slice.ts'
import { hostsView } from '../../src/renderer/features/hosts/hosts-view.ts'
import type { Bridge, HostCard } from '../../src/shared/contract.ts'
import type { Failure } from '../../src/shared/failure.ts'
import { failed, succeeded } from '../../src/shared/result.ts'

const card = (changes: Partial<HostCard> = {}): HostCard => ({
  name: 'host-a',
  address: '10.0.0.5',
  addedAt: '2026-11-23T12:00:00.000Z',
  ...changes
})
const unreadable: Failure = { kind: 'io', path: '/home/l/settings.json', code: 'EACCES', detail: 'permission denied' }
const view = (known: Partial<HostsKnown>) =>
  hostsView({ cards: undefined, failure: undefined, asking: false, ...known }, 'en')
const rowOf = (changes: Partial<HostCard>) => view({ cards: [card(changes)] }).rows[0]

describe('what the hosts page shows', () => {
  it('is the skeleton until something is known', () => {
    expect(view({ asking: true })).toMatchObject({ body: 'loading', failure: undefined })
  })
  it('is the way to the first host if there is none', () => {
    expect(view({ cards: [] }).body).toBe('empty')
  })
  it('is the reason alone if nothing could be read: an unknown list is never called empty', () => {
    const shown = view({ failure: unreadable })
    expect(shown.body).toBe('nothing')
    expect(shown.failure?.title).toContain('/home/l/settings.json')
    expect(view({ cards: [], failure: unreadable }).body).toBe('nothing')
  })
  it('is the reason above the last good list if reading failed later', () => {
    const shown = view({ cards: [card()], failure: unreadable })
    expect(shown.body).toBe('list')
    expect(shown.failure).toBeDefined()
  })
  it('has details to copy, with the words and the facts', () => {
    const details = view({ failure: unreadable }).failure?.details
    expect(details).toContain('could not be read')
    expect(details).toContain('"code": "EACCES"')
  })
})

describe('the rows', () => {
  it('are sorted as people count', () => {
    const cards = ['host-10', 'Host-2', 'alpha'].map((name) => card({ name }))
    expect(view({ cards }).rows.map((row) => row.name)).toEqual(['alpha', 'Host-2', 'host-10'])
  })
  it.each([
    ['10.0.0.5', undefined, '10.0.0.5'],
    ['kvm.example', 2222, 'kvm.example:2222'],
    ['fe80::1', undefined, 'fe80::1'],
    ['fe80::1', 22, '[fe80::1]:22']
  ])('write %s with port %s as %s', (address, port, shown) => {
    expect(rowOf(port === undefined ? { address } : { address, port })?.address).toBe(shown)
  })
  it('leave out a login that the SSH configuration decides', () => {
    expect(rowOf({})?.user).toBeUndefined()
    expect(rowOf({ user: 'root' })?.user).toBe('root')
  })
  it('show hostile names as text, with nothing invisible in them', () => {
    expect(rowOf({ name: '<img src=x onerror=a>' })?.name).toBe('<img src=x onerror=a>')
    expect(rowOf({ name: 'a\u202eb\u200bc' })?.name).toBe('a\\u{202e}b\\u{200b}c')
    expect(rowOf({ name: 'x'.repeat(300) })?.name).toHaveLength(300)
  })
  it('show a date that is none as it is', () => {
    expect(rowOf({ addedAt: 'yesterday' })?.added).toBe('yesterday')
    expect(rowOf({})?.added).toBe('Nov 23, 2026')
  })
})

describe('mirroring the core', () => {
  function mirror(list: Bridge['hosts']['list']) {
    const heard: { push?: (cards: readonly HostCard[]) => void } = {}
    const changed: Bridge['hosts']['changed'] = (listener) => {
      heard.push = listener
      return () => undefined
    }
    const store = createStore<HostsSlice>()(hostsSlice({ hosts: { list, changed } }))
    return { heard, store, hosts: () => store.getState().hosts }
  }

  it('asks once when it opens', async () => {
    const list = vi.fn(() => Promise.resolve(succeeded([card()])))
    const { store, hosts } = mirror(list)
    store.getState().openHosts()
    await vi.waitFor(() => expect(hosts().cards).toEqual([card()]))
    expect(list).toHaveBeenCalledOnce()
    expect(hosts().asking).toBe(false)
  })
  it('lets no late answer replace a newer push', async () => {
    const answer = Promise.withResolvers<Awaited<ReturnType<Bridge['hosts']['list']>>>()
    const { store, heard, hosts } = mirror(() => answer.promise)
    store.getState().openHosts()
    heard.push?.([card({ name: 'newer' })])
    answer.resolve(succeeded([card({ name: 'older' })]))
    await vi.waitFor(() => expect(hosts().asking).toBe(false))
    expect(hosts().cards?.map(({ name }) => name)).toEqual(['newer'])
  })
  it('keeps the last list when a question fails, and forgets the failure with the next success', async () => {
    const list = vi.fn<Bridge['hosts']['list']>().mockResolvedValueOnce(succeeded([card()]))
    list.mockResolvedValueOnce(failed(unreadable)).mockResolvedValueOnce(succeeded([]))
    const { store, hosts } = mirror(list)
    await store.getState().askForHosts()
    await store.getState().askForHosts()
    expect(hosts()).toMatchObject({ cards: [card()], failure: unreadable })
    await store.getState().askForHosts()
    expect(hosts()).toEqual({ cards: [], failure: undefined, asking: false })
  })
  it('takes a door that broke for a failure like others', async () => {
    const { store, hosts } = mirror(() => Promise.reject(new Error('gone')))
    await store.getState().askForHosts()
    expect(hosts().failure?.kind).toBe('bug')
  })
})
