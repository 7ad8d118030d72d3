import { describe, expect, it } from 'vitest'
import {
  hostsShown,
  hostState,
  inOrder,
  loginShown,
  schedulesShown,
  sharesOf,
  vmsShown,
  zoneShown
} from '../../../src/renderer/features/hosts/host-card-view.ts'
import { checkShown, vmNamesShown } from '../../../src/renderer/features/hosts/probe-view.ts'
import type { HostPolicies } from '../../../src/shared/views/policy-view.ts'
import type { HostFacts, HostView } from '../../../src/shared/views/host-view.ts'

const GIB = 1024 ** 3
const facts: HostFacts = {
  hostname: 'alpha',
  os: 'Debian',
  architecture: 'x86_64',
  libvirt: '9.0.0',
  qemu: '7.2.22',
  cpuModel: 'EPYC',
  cpus: 8,
  memoryBytes: 8 * GIB,
  freeMemoryBytes: 2 * GIB
}
const host = (change: Partial<HostView>): HostView => ({
  name: 'alpha',
  address: '10.0.0.1',
  addedAt: '2026-01-01T00:00:00Z',
  state: 'up',
  vms: [],
  ...change
})

describe('schedules of a host', () => {
  const now = new Date(2026, 10, 22, 20)
  const said = (nextRuns: readonly (string | undefined)[], reachable = true): HostPolicies =>
    ({ policies: nextRuns.map((nextRunAt) => ({ nextRunAt })), reachable }) as HostPolicies
  const tomorrow = new Date(2026, 10, 23, 2).toISOString()

  it('are counted, with the soonest run of them all', () => {
    expect(schedulesShown(said(['9999-01-01T00:00:00Z', undefined, tomorrow]), now)).toBe(
      '3 schedules, next run tomorrow 02:00'
    )
    expect(schedulesShown(said([undefined]), now)).toBe('1 schedule')
    expect(schedulesShown(said([tomorrow], false), now)).toBe('1 schedule')
    expect([schedulesShown(said([]), now), schedulesShown(undefined, now)]).toEqual(['No schedules', undefined])
  })

  it('run by its clock, which is shown where it is another one', () => {
    const own = new Intl.DateTimeFormat().resolvedOptions().timeZone
    expect(zoneShown(own, now)).toBe(own)
    expect(zoneShown('Pacific/Chatham', now)).toMatch(/^Pacific\/Chatham \(\d\d:\d\d there\)$/)
    expect(zoneShown('Mars/\u202EOlympus', now)).toBe('Mars/\\u{202e}Olympus')
  })
})

describe('the card of a host', () => {
  it('tells a key that waits for somebody from a host that does not answer', () => {
    const key = { host: 'alpha', address: 'a', keyType: 'ssh-ed25519', fingerprint: 'SHA256:x' }
    expect(hostState(host({ state: 'down', failure: { kind: 'host-key-unknown', ...key } })).label).toContain('Key')
    const gone = { kind: 'host-unreachable', host: 'alpha', reason: '' } as const
    expect(hostState(host({ state: 'down', failure: gone }))).toEqual({ tone: 'danger', label: 'Does not answer' })
    expect(hostState(host({ state: 'connecting' })).tone).toBe('busy')
  })

  it('says how to log in as ssh would be told', () => {
    expect(loginShown({ user: 'root', address: '10.0.0.1', port: 22 })).toBe('root@10.0.0.1')
    expect(loginShown({ user: undefined, address: 'fe80::1', port: 2222 })).toBe('[fe80::1]:2222')
    expect(loginShown({ user: 'a\u202eb', address: 'x', port: undefined })).toBe('a\\u{202e}b@x')
  })

  it('shows what is used and free, and marks what is nearly full by a word', () => {
    const store = { path: '/var/lib/stillpoint', freeBytes: GIB, totalBytes: 20 * GIB }
    const [memory, room] = sharesOf(host({ facts: { ...facts, store } }))
    expect(memory).toMatchObject({ used: 0.75, isTight: false, text: '2.0 GiB free · 6.0 GiB of 8.0 GiB used' })
    expect(room).toMatchObject({ used: 0.95, isTight: true })
    expect(room?.text).toContain('Nearly full')
  })

  it('makes nothing of figures that cannot be', () => {
    const store = { path: '/', freeBytes: 0, totalBytes: 0 }
    expect(sharesOf(host({ facts: { ...facts, store, freeMemoryBytes: 9 * GIB } }))).toMatchObject([{ used: 0 }])
  })

  it('counts no VMs where nothing is known of them', () => {
    expect(vmsShown(host({}))).toBe('')
    expect(vmsShown(host({ facts }))).toBe('0 VMs')
  })

  it('stays in its place among the others: by name, numbers by their size', () => {
    const names = ['kvm-10', 'kvm-9', 'alpha'].map((name) => host({ name }))
    expect(inOrder(names).map(({ name }) => name)).toEqual(['alpha', 'kvm-9', 'kvm-10'])
  })

  it('is summed up over all hosts', () => {
    expect(hostsShown([host({}), host({})])).toBe('2 hosts · all up')
    expect(hostsShown([host({}), host({ state: 'down' }), host({ state: 'connecting' })])).toBe(
      '3 hosts · 1 up · 1 connecting · 1 needs you'
    )
  })
})

describe('what a probe found', () => {
  const check = (fix: string) => checkShown({ check: 'x', state: 'problem', text: 'x', fix }).fix

  it('offers a command to copy where the fix is one', () => {
    expect(check('apt install qemu-utils')).toEqual({ command: 'apt install qemu-utils' })
    expect(check("On the host, run: echo 'x' | sudo tee /etc/sudoers.d/stillpoint")).toEqual({
      text: 'On the host, run',
      command: "echo 'x' | sudo tee /etc/sudoers.d/stillpoint"
    })
    expect(check('Install it. On Debian and Ubuntu: apt install libvirt-clients')).toEqual({
      text: 'Install it. On Debian and Ubuntu',
      command: 'apt install libvirt-clients'
    })
  })

  it('leaves words as words', () => {
    const fix = 'Log in as root, or allow sudo without a password.'
    expect(check(fix)).toEqual({ text: fix })
    expect(check('')).toBeUndefined()
  })

  it('names the first VMs and counts the rest', () => {
    expect(vmNamesShown({ vmNames: [] })).toBe('No VMs yet')
    expect(vmNamesShown({ vmNames: ['a\u202e', 'b'] })).toBe('a\\u{202e}, b')
    expect(vmNamesShown({ vmNames: Array.from({ length: 15 }, (_, n) => `vm${n}`) })).toMatch(/vm11 and 3 more$/)
  })
})
