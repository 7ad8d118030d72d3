import { describe, expect, it } from 'vitest'
import {
  draftOf,
  draftProblems,
  EMPTY_DRAFT,
  isComplete,
  loginOf,
  spreadAddress,
  suggestName
} from '../../../src/renderer/features/hosts/login-draft.ts'
import type { HostView } from '../../../src/shared/views/host-view.ts'

const kvm1: HostView = { name: 'kvm-1', address: '10.0.0.1', addedAt: '2026-01-01T00:00:00Z', state: 'up', vms: [] }
const draft = (change: Partial<typeof EMPTY_DRAFT>) => ({ ...EMPTY_DRAFT, ...change })

describe('the name of a new host', () => {
  it.each([
    ['alpha', 'alpha'],
    ['alpha.example.net', 'alpha'],
    ['root@alpha.example.net:2222', 'alpha'],
    ['10.20.0.11', '10.20.0.11'],
    ['fe80::1%eth0', 'fe80-1-eth0'],
    ['_weird host', 'weird-host'],
    ['', '']
  ])('of %s is suggested as "%s"', (address, name) => expect(suggestName(address)).toBe(name))

  it.each(['a b', '-x', '.x', 'ä', '../a', 'a/b', '<img>'])('"%s" is refused while it is typed', (name) => {
    expect(draftProblems(draft({ name }), []).name).toBeDefined()
  })

  it('may be at most 63 characters', () => {
    expect(draftProblems(draft({ name: 'x'.repeat(63) }), [])).toEqual({})
    expect(draftProblems(draft({ name: 'x'.repeat(64) }), []).name).toContain('63')
  })

  it('may be that of a host at the same address, which is how a rebuilt one comes back, and of no other', () => {
    expect(draftProblems(draft({ name: 'kvm-1', address: '10.0.0.1' }), [kvm1])).toEqual({})
    expect(draftProblems(draft({ name: 'kvm-1', address: '10.0.0.2' }), [kvm1]).name).toContain('10.0.0.1')
  })
})

describe('the address of a new host', () => {
  it.each([
    ['alpha', { address: 'alpha', user: '', port: '' }],
    [' root@alpha ', { address: 'alpha', user: 'root', port: '' }],
    ['ssh://root@alpha:2222/', { address: 'alpha', user: 'root', port: '2222' }],
    ['[::1]:22', { address: '::1', user: '', port: '22' }],
    ['fe80::1', { address: 'fe80::1', user: '', port: '' }]
  ])('%s is taken apart', (address, parts) => expect(spreadAddress(draft({ address }))).toMatchObject(parts))

  it('leaves alone what was typed into the other fields, unless it says otherwise', () => {
    expect(spreadAddress(draft({ address: 'alpha', user: 'me', port: '2' }))).toMatchObject({ user: 'me', port: '2' })
  })

  it.each(['-oProxyCommand=x', 'a b', '$(x)', 'al\u202epha'])('%s is refused', (address) => {
    expect(draftProblems(draft({ address }), []).address).toBeDefined()
  })

  it.each(['0', '65536', '22x', '-1', '1.5'])('port %s is refused', (port) => {
    expect(draftProblems(draft({ port }), []).port).toBeDefined()
  })

  it('says nothing about fields that are still empty, and waits for them', () => {
    expect(draftProblems(EMPTY_DRAFT, [])).toEqual({})
    expect(isComplete(EMPTY_DRAFT, [])).toBe(false)
    expect(isComplete(draft({ address: 'alpha', name: 'alpha' }), [])).toBe(true)
    expect(isComplete(draft({ address: 'alpha', name: 'alpha', port: '0' }), [])).toBe(false)
  })
})

describe('a login', () => {
  it('leaves to ~/.ssh/config what was left empty', () => {
    const entry = { alias: 'kvm1.lan', hostName: '10.0.0.1', user: 'admin', port: 2222 }
    expect(loginOf(draftOf(entry), undefined)).toEqual({ name: 'kvm1', address: 'kvm1.lan' })
  })

  it('carries what was typed, and the key that was compared', () => {
    expect(loginOf(draft({ address: 'root@a:2222', name: 'a', identityFile: ' /k ' }), 'SHA256:x')).toEqual({
      name: 'a',
      address: 'a',
      user: 'root',
      port: 2222,
      identityFile: '/k',
      fingerprint: 'SHA256:x'
    })
  })
})
