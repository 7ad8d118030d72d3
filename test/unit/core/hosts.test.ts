import { describe, expect, it } from 'vitest'
import { findVm } from '../../../src/main/core/hosts/find-vm.ts'
import { hostUrl, parseHostUrl } from '../../../src/main/core/hosts/host-url.ts'
import type { Domain } from '../../../src/shared/model/host.ts'

describe('the address of a host', () => {
  it.each([
    ['ssh://root@192.0.2.1', { user: 'root', address: '192.0.2.1', port: undefined }],
    ['ssh://root@alpha.example.net:2222', { user: 'root', address: 'alpha.example.net', port: 2222 }],
    ['ssh://alias', { user: undefined, address: 'alias', port: undefined }],
    ['ssh://root@[::1]:22', { user: 'root', address: '::1', port: 22 }]
  ])('%s is understood', (url, parts) => {
    const parsed = parseHostUrl('alpha', url, undefined)
    expect(parsed).toMatchObject(parts)
    expect(hostUrl(parsed)).toBe(url)
  })

  it.each([
    'root@alpha',
    'http://alpha',
    'ssh://',
    'ssh://root@',
    'ssh://root@-oProxyCommand=x',
    'ssh://-l@alpha',
    'ssh://root@a b',
    'ssh://root@alpha:0',
    'ssh://root@alpha:65536',
    'ssh://root@alpha:22/path',
    'ssh://root:password@alpha',
    'ssh://root@al\u202epha',
    'ssh://root@$(x)'
  ])('%s is refused as usage', (url) => {
    expect(() => parseHostUrl('alpha', url, undefined)).toThrow(/usage/)
  })

  it.each(['', '-x', '../a', 'a/b', 'a b', 'x'.repeat(64)])('"%s" is no name for it', (name) => {
    expect(() => parseHostUrl(name, 'ssh://root@alpha', undefined)).toThrow(/usage/)
  })
})

describe('a VM that is named', () => {
  const uuid = (digit: string): string => `${digit.repeat(8)}-1d52-d8f3-2516-782e98ab3fa0`
  const vm = (name: string, digit: string): Domain => ({ name, uuid: uuid(digit) }) as Domain
  const domains = [vm('web1', '1'), vm('1', '2'), vm(uuid('1'), '3'), vm('a/b', '4')]

  it('is found by its exact name or its UUID', () => {
    expect(findVm(domains, '1', 'alpha').uuid).toBe(uuid('2'))
    expect(findVm(domains, 'a/b', 'alpha').uuid).toBe(uuid('4'))
    expect(findVm(domains, uuid('2').toUpperCase(), 'alpha').name).toBe('1')
  })

  it('is refused where the name is the UUID of another', () => {
    expect(() => findVm(domains, uuid('1'), 'alpha')).toThrow(/ambiguous/)
  })

  it('is refused where there is none', () => {
    expect(() => findVm(domains, 'web', 'alpha')).toThrow(/not-found/)
  })
})
