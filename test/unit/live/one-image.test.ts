import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { LiveHosts } from '../../../src/main/core/live/live-hosts.ts'
import type { Notices, Said } from '../../../src/main/core/live/notices.ts'
import type { Inventory } from '../../../src/shared/model/host.ts'

const ID = 'a'.repeat(32)

interface Look {
  readonly machineId: string
  readonly bootId: string
}

/** What is said of hosts that show this, look by look. */
function saidOf(looks: readonly (readonly [string, Look])[]): readonly Said[] {
  const said: Said[] = []
  const core = { connections: { connection: () => new Promise(() => undefined) } } as unknown as Core
  const addAll = (all: readonly Said[]): void => void said.push(...all)
  const notices = { add: (notice: Said) => addAll([notice]), addAll } as unknown as Notices
  const hosts = new LiveHosts(core, notices, {
    left: () => undefined,
    contact: () => Promise.resolve(),
    moved: () => Promise.resolve(),
    down: () => undefined,
    listed: () => undefined
  })
  const names = [...new Set(looks.map(([name]) => name))]
  hosts.follow(names.map((name) => ({ name, address: name, addedAt: '2026-11-29T12:00:00.000Z' })))
  for (const [name, ids] of looks)
    hosts.looked(name, {
      ...ids,
      domains: [],
      space: [],
      takenAt: '2026-11-29T12:00:00.000Z'
    } as unknown as Inventory)
  hosts.stop()
  return said
}

/** Each looked at twice, as they come. */
const twice = (alpha: Look, beta: Look): readonly (readonly [string, Look])[] =>
  [0, 1].flatMap(() => [['alpha', alpha] as const, ['beta', beta] as const])

const boot = (bootId: string): Look => ({ machineId: ID, bootId })

describe('two machines that were made from one image', () => {
  it('are told, once for both, with what gives one of them an id of its own', () => {
    const said = saidOf(twice(boot('1'), boot('2')))
    expect(new Set(said.map(({ id }) => id))).toEqual(new Set([`beta/one-image/alpha/${ID}`]))
    expect(said[0]?.title).toBe('alpha and beta have the same machine id')
    expect(said[0]?.text).toContain(
      'rm -f /etc/machine-id /var/lib/dbus/machine-id /run/machine-id && systemd-machine-id-setup'
    )
  })

  it('are told of each two of them, whatever they are called', () => {
    const looks = ['a', 'b-c', 'a-b', 'c'].map((name, n) => [name, boot(`${n}`)] as const)
    expect(new Set(saidOf([...looks, ...looks]).map(({ id }) => id)).size).toBe(6)
  })

  it('are told whichever of them is looked at more often, and after one of them was started anew', () => {
    const names = (looks: readonly (readonly [string, Look])[]): number =>
      new Set(saidOf(looks).map(({ id }) => id)).size
    const [a, b, b2] = [['alpha', boot('1')] as const, ['beta', boot('2')] as const, ['beta', boot('3')] as const]
    expect(names([a, a, a, b, a])).toBe(1)
    expect(names([a, a, a, b, b])).toBe(0)
    expect(names([b, b2, a, b2])).toBe(1)
  })

  it.each([
    ['is one machine under two names', { machineId: ID, bootId: '1' }, { machineId: ID, bootId: '1' }],
    ['has no machine id', { machineId: '', bootId: '1' }, { machineId: '', bootId: '2' }],
    ['has none yet', { machineId: 'uninitialized', bootId: '1' }, { machineId: 'uninitialized', bootId: '2' }],
    ['does not say when it booted', { machineId: ID, bootId: '' }, { machineId: ID, bootId: '' }]
  ])('are not seen in what %s', (_, alpha, beta) => expect(saidOf(twice(alpha, beta))).toEqual([]))

  it('are not seen in one machine under two names of which one still shows what was before a power cut', () => {
    const [before, after] = [boot('1'), boot('2')]
    const alpha = (look: Look) => ['alpha', look] as const
    const beta = (look: Look) => ['beta', look] as const
    const both = [alpha(before), beta(before), alpha(before), beta(before)]
    expect(saidOf([...both, alpha(after), alpha(after), alpha(after), beta(after), beta(after), alpha(after)])).toEqual(
      []
    )
    expect(saidOf([...both, beta(after), beta(after), alpha(after), beta(after), alpha(after)])).toEqual([])
  })
})
