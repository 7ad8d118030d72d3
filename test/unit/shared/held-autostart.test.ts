import { describe, expect, it } from 'vitest'
import { autostartLine, heldText, twinNow, type HostLooked } from '../../../src/shared/held-autostart.ts'

const VM = '11111111-2222-4333-8444-555555555555'
const held = { host: 'alpha', machineId: 'a'.repeat(32) }
const beta: HostLooked = {
  name: 'beta',
  machineId: 'b'.repeat(32),
  state: 'up',
  vms: [{ uuid: VM, state: 'running', autostart: false }]
}
const host = (change: Partial<HostLooked> = {}): HostLooked => ({
  name: 'alpha',
  machineId: 'a'.repeat(32),
  state: 'up',
  vms: [],
  ...change
})
const aTwin = (state: string, autostart = false): HostLooked => host({ vms: [{ uuid: VM, state, autostart }] })
const now = (...others: HostLooked[]) => twinNow(held, VM, 'beta', [beta, ...others])

describe('whether the twin is gone', () => {
  it.each([
    ['runs there', [aTwin('running')], { kind: 'there', host: 'alpha', state: 'running', autostart: false }],
    [
      'starts with its host',
      [aTwin('shut off', true)],
      { kind: 'there', host: 'alpha', state: 'shut off', autostart: true }
    ],
    ['is off, and stays so', [aTwin('shut off')], { kind: 'gone', host: 'alpha' }],
    ['is not there any more', [host()], { kind: 'gone', host: 'alpha' }],
    ['does not answer', [host({ state: 'silent' })], { kind: 'silent', host: 'alpha' }],
    ['was last seen running', [{ ...aTwin('running'), state: 'silent' as const }], { kind: 'silent', host: 'alpha' }],
    ['was not asked', [host({ state: 'unasked' })], { kind: 'unasked', host: 'alpha' }],
    ['is on no host that is known here', [], { kind: 'unlisted', host: 'alpha' }],
    ['is on a host of another name here', [host({ name: 'srv1' })], { kind: 'gone', host: 'srv1' }],
    [
      'is on one of that name, among hosts that were made from one image',
      [host({ name: 'other' }), host({ state: 'silent' })],
      { kind: 'silent', host: 'alpha' }
    ],
    [
      'may be on one that does not answer, among hosts that were made from one image',
      [host({ name: 'other' }), host({ name: 'another', state: 'silent' })],
      { kind: 'silent', host: 'another' }
    ],
    [
      'has gone on to a third',
      [host(), { ...aTwin('paused'), name: 'gamma', machineId: 'c'.repeat(32) }],
      { kind: 'there', host: 'gamma', state: 'paused', autostart: false }
    ]
  ] satisfies [string, HostLooked[], object][])('it %s', (_, others, expected) => {
    expect(now(...others)).toEqual(expected)
  })

  it.each(['', 'uninitialized'])('is not on another host whose machine id is %j too', (machineId) => {
    const others = [host({ name: 'other', machineId })]
    expect(twinNow({ host: 'alpha', machineId }, VM, 'beta', others)).toEqual({ kind: 'unlisted', host: 'alpha' })
  })

  it('is said with what can be done', () => {
    expect(heldText(now(host()))).toMatch(
      /on alpha too\. It neither runs nor starts there any more: autostart can be turned on$/
    )
    expect(heldText(now(aTwin('running', true)))).toMatch(/It still is: running, and it starts with that host$/)
    expect(heldText(now(host({ state: 'silent' })))).toContain('alpha does not answer now')
    expect(heldText(now())).toContain('none of the hosts here')
    expect(autostartLine('beta', 'it is', '--off')).toBe("stillpoint vm autostart 'beta/it is' --off")
  })
})
