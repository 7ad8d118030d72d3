import { describe, expect, it } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { LiveHosts } from '../../src/main/core/live/live-hosts.ts'
import { VmHomes, type Moved } from '../../src/main/core/live/moved-vms.ts'
import type { Notices, Said } from '../../src/main/core/live/notices.ts'
import type { Inventory } from '../../src/shared/model/host.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('VMs that go from host to host')

const uuidOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
const WEB = uuidOf(1)

/** Hosts on paper, which show their VMs one look after the other. */
class Shown {
  readonly said: Said[] = []
  readonly hosts: LiveHosts

  constructor(names: readonly string[]) {
    const core = { connections: { connection: () => new Promise(() => undefined) } } as unknown as Core
    const addAll = (all: readonly Said[]): void => void this.said.push(...all)
    const notices = { add: (notice: Said) => addAll([notice]), addAll } as unknown as Notices
    this.hosts = new LiveHosts(core, notices, {
      left: () => undefined,
      contact: () => Promise.resolve(),
      moved: () => Promise.resolve(),
      down: () => undefined,
      listed: () => undefined
    })
    this.follow(names)
  }

  follow(names: readonly string[]): void {
    this.hosts.follow(names.map((name) => ({ name, address: name, addedAt: '2026-11-29T12:00:00.000Z' })))
  }

  look(host: string, uuids: readonly string[], name = 'web1', bootId = host): this {
    const domains = uuids.map((uuid) => ({ uuid, name, state: 'running', limits: [], disks: [] }))
    const inventory = { machineId: '', bootId, domains, space: [], takenAt: '2026-11-29T12:00:00.000Z' }
    this.hosts.looked(host, inventory as unknown as Inventory)
    return this
  }

  titles(): readonly string[] {
    this.hosts.stop()
    return this.said.map(({ title }) => title)
  }
}

const shown = (): Shown => new Shown(['evil', 'good'])
const WORD = 'web1 left good and is on evil now'

describe('a VM that one host has no more and another has', () => {
  it.each<[string, (hosts: Shown) => Shown]>([
    ['is listed there before', (on) => on.look('evil', [WEB]).look('good', [])],
    ['is listed there afterwards', (on) => on.look('good', []).look('evil', [WEB])],
    [
      'is listed there long afterwards',
      (on) => on.look('good', []).look('evil', []).look('good', []).look('evil', [WEB])
    ],
    ['is called something else there', (on) => on.look('good', []).look('evil', [WEB], '<b>\nall is well')]
  ])('is told of once, by its name, with what follows, where it %s', async (_when, move) => {
    await tally.tried(() => {
      const on = move(shown().look('good', [WEB]).look('evil', []))
      on.look('good', []).look('evil', [WEB]).look('evil', [WEB])
      expect(on.titles()).toEqual([WORD])
      expect(on.said).toMatchObject([{ host: 'evil', severity: 'info', goTo: { screen: 'vm', host: 'evil', vm: WEB } }])
      expect(on.said[0]?.text).toContain('If you moved it: points that only good has do not count there')
      expect(on.said[0]?.text).toContain('which VMs a host has is its own word')
    })
  })

  it('is told of where neither host says when it booted', () => {
    const on = shown().look('good', [WEB], 'web1', '').look('evil', [], '', '')
    expect(on.look('good', [], '', '').look('evil', [WEB], 'web1', '').titles()).toEqual([WORD])
  })

  it('is told of also where the other host had said to have it since before Stillpoint was started', async () => {
    await tally.tried(() => {
      expect(shown().look('evil', [WEB]).look('good', [WEB]).look('good', []).titles()).toEqual([WORD])
    })
  })

  it('is told of again where it goes back, and goes once more', () => {
    const on = shown().look('good', [WEB]).look('evil', []).look('evil', [WEB]).look('good', [])
    on.look('good', [WEB]).look('evil', []).look('evil', [WEB]).look('good', [])
    expect(on.titles()).toEqual([WORD, 'web1 left evil and is on good now', WORD])
    expect(new Set(on.said.map(({ id }) => id)).size).toBeGreaterThan(1)
  })

  it('is one of several that are told of at once', () => {
    const all = Array.from({ length: 30 }, (_, n) => uuidOf(n))
    const on = shown().look('good', all).look('evil', []).look('evil', all).look('good', [])
    expect(on.titles()).toEqual(['30 VMs left good and are on evil now'])
    expect(on.said[0]?.text.match(/web1/g)).toHaveLength(20)
  })
})

describe('nothing is said', () => {
  it('of a VM that a host lists now and then, while its own has it', async () => {
    await tally.tried(() => {
      const on = shown().look('good', [WEB]).look('evil', [])
      for (let n = 0; n < 50; n++) on.look('evil', [WEB]).look('evil', []).look('good', [WEB])
      expect(on.titles()).toEqual([])
    })
  })

  it('of VMs that a host makes up, and they are not all kept', async () => {
    await tally.tried(() => {
      const homes = new VmHomes()
      const look = (host: string, ...all: number[]): readonly Moved[] =>
        homes.looked(
          host,
          all.map((n) => ({ uuid: uuidOf(n), name: 'web1' }))
        )
      look('good', 1)
      for (let n = 2; n < 1500; n++) expect(look('evil', n)).toEqual([])
      expect(look('good', 1, 2)).toEqual([])
      expect(look('good', 1, 2, 1400)).toMatchObject([{ from: 'evil', to: 'good' }])
    })
  })

  it('of a VM that is gone, that comes back, whose host has two names, or is taken out', () => {
    expect(shown().look('good', [WEB]).look('evil', []).look('good', []).look('good', [WEB]).titles()).toEqual([])
    const one = shown().look('good', [WEB], 'web1', 'one').look('evil', [WEB], 'web1', 'one')
    expect(one.look('good', [], '', 'one').look('evil', [], '', 'one').titles()).toEqual([])
    const on = shown().look('good', [WEB]).look('evil', [WEB])
    on.follow(['evil'])
    expect(on.look('evil', [WEB]).titles()).toEqual([])
  })
})
