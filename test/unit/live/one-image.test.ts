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

/** What is said of hosts that show this, each looked at twice as they come. */
function saidOf(looks: Readonly<Record<string, Look>>): readonly Said[] {
  const said: Said[] = []
  const core = { connections: { connection: () => new Promise(() => undefined) } } as unknown as Core
  const hosts = new LiveHosts(core, { add: (notice: Said) => said.push(notice) } as unknown as Notices, {
    left: () => undefined,
    contact: () => Promise.resolve(),
    moved: () => Promise.resolve(),
    down: () => undefined,
    listed: () => undefined
  })
  const names = Object.keys(looks)
  hosts.follow(names.map((name) => ({ name, address: name, addedAt: '2026-11-29T12:00:00.000Z' })))
  for (let look = 0; look < 2; look++)
    for (const [name, ids] of Object.entries(looks))
      hosts.looked(name, {
        ...ids,
        domains: [],
        space: [],
        takenAt: '2026-11-29T12:00:00.000Z'
      } as unknown as Inventory)
  hosts.stop()
  return said
}

describe('two machines that were made from one image', () => {
  it('are told, once for both, with what gives one of them an id of its own', () => {
    const said = saidOf({ alpha: { machineId: ID, bootId: '1' }, beta: { machineId: ID, bootId: '2' } })
    expect(new Set(said.map(({ id }) => id))).toEqual(new Set([`one-image-alpha-beta-${ID}`]))
    expect(said[0]?.title).toBe('alpha and beta have the same machine id')
    expect(said[0]?.text).toContain(
      'rm -f /etc/machine-id /var/lib/dbus/machine-id /run/machine-id && systemd-machine-id-setup'
    )
  })

  it.each([
    ['is one machine under two names', { machineId: ID, bootId: '1' }, { machineId: ID, bootId: '1' }],
    ['has no machine id', { machineId: '', bootId: '1' }, { machineId: '', bootId: '2' }],
    ['has none yet', { machineId: 'uninitialized', bootId: '1' }, { machineId: 'uninitialized', bootId: '2' }],
    ['does not say when it booted', { machineId: ID, bootId: '' }, { machineId: ID, bootId: '' }]
  ])('are not seen in what %s', (_, alpha, beta) => expect(saidOf({ alpha, beta })).toEqual([]))
})
