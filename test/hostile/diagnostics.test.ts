import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { diagnostics } from '../../src/main/core/diagnostics.ts'
import type { LiveCore } from '../../src/main/core/live/live-core.ts'
import { scrubber } from '../../src/main/core/scrub.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { growthOf } from './cpu-time.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('names and words of a host in the diagnostics')
const folder = mkdtempSync(join(tmpdir(), 'stillpoint-diagnostics-'))
afterAll(() => rmSync(folder, { recursive: true }))

const TEXT = 4 << 10

/** Names that are alike as long as can be, and a text in which nearly every place could be the beginning of each. */
const ALIKE: Readonly<Record<string, readonly [name: (length: number) => string, text: string]>> = {
  'a…a-': [(length) => `${'a'.repeat(length)}-`, 'a'.repeat(TEXT)],
  '-a-a…aa': [(length) => `${'-a'.repeat(length / 2)}a`, '-a'.repeat(TEXT / 2)],
  '-aa-aa…': [(length) => '-aa'.repeat(length / 3) + 'a'.repeat(length % 3), '-aa'.repeat(TEXT / 3)],
  'long ones': [(length) => '-a'.repeat(500 + length), '-a'.repeat(TEXT / 2)],
  'what is cut': [(length) => `${'-a'.repeat(length / 2)}b`, `${'-a'.repeat(75)}-…`.repeat(TEXT / 152)]
}

/** A text of this many characters, without a name. */
const FORMS: Readonly<Record<string, (characters: number) => string>> = {
  'a path': (characters) => `/${'a.'.repeat(characters / 2)}`,
  'programs in a path': (characters) => `/${'a.js'.repeat(characters / 4)}`,
  'beginnings of links': (characters) => 'a-'.repeat(characters / 2),
  'beginnings of keys': (characters) => '-----BEGIN A-----'.repeat(characters / 17),
  'beginnings of mails': (characters) => 'a.@'.repeat(characters / 3),
  'beginnings of addresses': (characters) => 'a:1.'.repeat(characters / 4),
  ellipses: (characters) => 'a…'.repeat(characters / 2)
}

describe('diagnostics', () => {
  it.each(Object.keys(ALIKE))('cost no more than the length of names where all of them are alike: %s', async (what) => {
    const [nameOf, text] = ALIKE[what] ?? expect.fail()
    await tally.tried(() => {
      const looking = (count: number) => {
        const names = new Map(Array.from({ length: count }, (_, n) => [nameOf(n + 2), 'vm']))
        const scrub = scrubber(names)
        return () => scrub(text)
      }
      // Each length on its own at each place would be four times as much.
      expect(growthOf(looking, 149)).toBeLessThan(2.7)
    })
  })

  it.each(Object.keys(FORMS))('cost twice as much for a text twice as long: %s', async (what) => {
    await tally.tried(() => {
      const scrub = scrubber(new Map())
      const telling = (characters: number) => {
        const text = FORMS[what]?.(characters) ?? expect.fail()
        return () => scrub(text)
      }
      expect(growthOf(telling, 1 << 13)).toBeLessThan(3)
    })
  })

  it('look at no more of a host than they have room for', async () => {
    await tally.tried(() => {
      let looked = 0
      const disk = {
        ...{ device: 'd '.repeat(30), type: 't '.repeat(30) },
        get format() {
          looked += 1
          return 'f '.repeat(30)
        }
      }
      const host = (name: string): object => {
        const disks = Array.from({ length: 400 }, () => disk)
        const vms = Array.from({ length: 1000 }, (_, n) => ({ uuid: `${n}`, name: `vm ${n}`, state: 'running', disks }))
        return { name, address: 'x', state: 'up', vms }
      }
      const hosts = Array.from({ length: 20 }, (_, n) => host(`host ${n}`))
      const live = {
        hosts: { all: { value: hosts } },
        jobs: { all: { value: [] } },
        policies: { all: { value: { hosts: [], known: true } } },
        choices: { value: DEFAULT_CHOICES },
        core: { folder, settings: { read: () => ({ hosts: [], places: [] }) } }
      } as unknown as LiveCore
      expect(diagnostics(live, '1').text).toContain('"host":"host-20"')
      expect(looked).toBeLessThan((64 << 10) / 60)
    })
  })
})
