import { describe, expect, it } from 'vitest'
import {
  sortedKeys,
  typedBudget,
  typedHours,
  typedStore
} from '../../../src/renderer/features/settings/settings-view.ts'
import { settingsSlice, type SettingsSlice } from '../../../src/renderer/features/settings/settings-slice.ts'
import { mirrorSlice, type MirrorSlice } from '../../../src/renderer/state/mirror-slice.ts'
import type { Bridge } from '../../../src/shared/contract.ts'
import { failed, succeeded } from '../../../src/shared/result.ts'
import type { VmSafety } from '../../../src/shared/safety.ts'
import { DEFAULT_CHOICES, type ChoicesChange, type KnownKey } from '../../../src/shared/views/settings-view.ts'
import { createStore } from 'zustand/vanilla'

const REFUSED = { kind: 'io', path: '/x', code: 'EROFS', detail: 'read-only' } as const

/** A core that only knows settings, and takes them or refuses. */
function storeOn(answer: 'ok' | 'refused') {
  const asked: ChoicesChange[] = []
  const change = (asking: ChoicesChange) => {
    asked.push(asking)
    return Promise.resolve(answer === 'ok' ? succeeded(undefined) : failed(REFUSED))
  }
  const core = { settings: { change } } as unknown as Bridge
  const store = createStore<SettingsSlice & MirrorSlice>()((...args) => ({
    ...mirrorSlice(core)(...args),
    ...settingsSlice(core)(...args)
  }))
  store.setState({ choices: DEFAULT_CHOICES })
  return { store, asked }
}

describe('what is typed into a field', () => {
  it.each(['300', ' 12.5 ', '0,5', '3600000'])('takes a pause of %s', (text) => {
    expect(typedBudget(text)).toHaveProperty('value')
  })

  it.each(['', '0', '-5', 'abc', '1e3', '3600001', 'NaN', '0x10', '1 000'])('refuses a pause of %j', (text) => {
    expect(typedBudget(text)).toHaveProperty('error')
  })

  it('knows what hours a point may be old', () => {
    expect([typedHours('26'), typedHours('8784')]).toEqual([{ value: 26 }, { value: 8784 }])
    expect(typedHours('8785')).toHaveProperty('error')
  })

  it.each(['', ' /srv/points ', '/'])('takes the store %j', (text) => {
    expect(typedStore(text)).toEqual({ value: text.trim() })
  })

  it.each(['srv', '~/points', '/a\u202Eb', `/${'x'.repeat(5000)}`])('refuses the store %j', (text) => {
    expect(typedStore(text)).toHaveProperty('error')
  })
})

describe('saving a choice', () => {
  it('is told at that choice, and only the newest is still called saved', async () => {
    const { store, asked } = storeOn('ok')
    await store.getState().changeSettings({ notifySuccess: true })
    expect(store.getState().saves).toEqual({ notifySuccess: { state: 'saved' } })
    await store.getState().changeSettings({ appearance: 'dark' })
    expect(store.getState().saves).toEqual({ appearance: { state: 'saved' } })
    expect(asked).toEqual([{ notifySuccess: true }, { appearance: 'dark' }])
  })

  it('that failed stays told until that choice is changed again', async () => {
    const { store } = storeOn('refused')
    expect(await store.getState().changeSettings({ notifySuccess: true })).toBe(false)
    void store.getState().changeSettings({ appearance: 'dark' })
    expect(store.getState().saves).toEqual({
      notifySuccess: { state: 'failed', failure: REFUSED },
      appearance: { state: 'saving' }
    })
  })

  it('mutes a VM with its reason beside those that are muted, once', async () => {
    const { store, asked } = storeOn('ok')
    const old = { uuid: 'u', name: 'web1', reason: 'old', at: '2026-01-01T00:00:00.000Z' }
    const other = { ...old, uuid: 'o' }
    store.setState({ choices: { ...DEFAULT_CHOICES, muted: [old, other] } })
    await store.getState().muteVm({ host: 'alpha', uuid: 'u', name: 'web1' }, 'parked')
    await store.getState().unmuteVm({ host: 'alpha', uuid: 'u' })
    expect(asked[0]?.muted).toMatchObject([other, { uuid: 'u', name: 'web1', reason: 'parked' }])
    expect(asked[1]).toEqual({ muted: [other] })
  })
})

describe('what is known', () => {
  const failing = (uuid: string, job: string) =>
    ({ uuid, safety: 'failing', failing: { id: job }, lastPoint: undefined, silentSince: undefined }) as VmSafety

  it('is remembered by the job that failed, in place of what was known of the same VM', async () => {
    const { store, asked } = storeOn('ok')
    const at = '2026-01-01T00:00:00.000Z'
    const [old, other] = [
      { uuid: 'u', what: 'job-1', at },
      { uuid: 'o', what: 'silent:-', at }
    ]
    store.setState({ choices: { ...DEFAULT_CHOICES, acknowledged: [old, other] } })
    await store.getState().acknowledgeVms([failing('u', 'job-2'), failing('v', 'job-3')])
    await store.getState().unacknowledgeVm({ host: 'alpha', uuid: 'u' })
    expect(asked[0]?.acknowledged).toMatchObject([other, { uuid: 'u', what: 'job-2' }, { uuid: 'v', what: 'job-3' }])
    expect(asked[1]).toEqual({ acknowledged: [other] })
  })
})

describe('known keys', () => {
  it('come with ours first', () => {
    const key = (file: string, line: number, ours: boolean): KnownKey => ({
      hosts: 'h',
      keyType: 't',
      fingerprint: 'f',
      file,
      line,
      ours,
      revoked: false
    })
    const sorted = sortedKeys([key('a', 2, false), key('a', 1, false), key('z', 9, true)])
    expect(sorted.map(({ file, line }) => `${file}:${line}`)).toEqual(['z:9', 'a:1', 'a:2'])
  })
})
