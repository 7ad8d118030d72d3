import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Notices } from '../../src/main/core/live/notices.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { parseKnownHosts } from '../../src/main/core/ssh/known-hosts.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('several Stillpoints that write at once')
const PROGRAM = join(import.meta.dirname, 'one-stillpoint.ts')

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-at-once-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const inSettings = (name: string): string => join(folder, 'settings', name)

/** So many that begin in the same moment; what they said that went wrong. */
async function atOnce(writers: number, each: number): Promise<readonly string[]> {
  const ended = Array.from({ length: writers }, async (_, n) => {
    const child = spawn(process.execPath, [PROGRAM, folder, `w${n}`, String(each)], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    const [errors] = await Promise.all([text(child.stderr), once(child, 'exit')])
    return child.exitCode === 0 ? [] : [errors]
  })
  writeFileSync(join(folder, 'go'), '')
  return (await Promise.all(ended)).flat()
}

const named = (writers: number, each: number): string[] =>
  Array.from({ length: writers * each }, (_, n) => `w${n % writers}-${Math.floor(n / writers)}`).sort()

describe('what several Stillpoints have said is done', () => {
  const CASES = [
    { writers: 6, each: 1, before: undefined },
    { writers: 3, each: 20, before: undefined },
    { writers: 4, each: 3, before: '{"version": 1, "hos' },
    { writers: 4, each: 3, before: '' }
  ]
  it.each(CASES)(
    'is there afterwards: $writers of them, $each each, after “$before”',
    async ({ writers, each, before }) => {
      await tally.tried(async () => {
        if (before !== undefined) {
          mkdirSync(join(folder, 'settings'))
          for (const name of ['settings.json', 'notices.json']) writeFileSync(inSettings(name), before)
        }
        expect(await atOnce(writers, each)).toEqual([])
        const wanted = named(writers, each)
        expect(
          openSettings(join(folder, 'settings'))
            .read()
            .hosts.map(({ name }) => name)
            .sort()
        ).toEqual(wanted)
        const keys = parseKnownHosts('', readFileSync(inSettings('known_hosts'), 'utf8')).map(({ hosts }) => hosts)
        expect(keys.sort()).toEqual(wanted.map((name) => `${name}.example`).sort())
        const notices = (new Notices(inSettings('notices.json')).all.value ?? []).map(({ id }) => id)
        expect(notices.filter((id) => !id.startsWith('notices-')).sort()).toEqual(wanted)
        const left = readdirSync(join(folder, 'settings'))
        const aside = left.filter((name) => name.includes('.broken-'))
        expect(left.filter((name) => !aside.includes(name)).sort()).toEqual([
          'known_hosts',
          'notices.json',
          'settings.json'
        ])
        for (const name of ['settings.json', 'notices.json'])
          expect(aside.filter((each) => each.startsWith(name))).toHaveLength(before === undefined ? 0 : 1)
      })
    }
  )
})
