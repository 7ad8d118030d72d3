import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tallyOf } from './tally.ts'

const tally = tallyOf('starting on odd files')
const CLI = join(import.meta.dirname, '../../src/main/doors/cli.ts')
/** Nobody in particular: root may read everything. */
const NOBODY = 65_534

let home = ''
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'stillpoint-home-'))))
afterEach(() => rmSync(home, { recursive: true, force: true }))

interface Ended {
  readonly exitCode: number | null
  readonly said: string
}

/** Until it ends, or, where it does not end by itself, until it has said this. */
async function stillpoint(args: readonly string[], options: { uid?: number; until?: string } = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--no-warnings', CLI, ...args], {
    env: { ...process.env, STILLPOINT_HOME: home, HOME: home, NODE_COMPILE_CACHE: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid })
  })
  let said = ''
  const hear = (chunk: Buffer): void => {
    said += chunk.toString()
    if (options.until !== undefined && said.includes(options.until)) child.kill('SIGINT')
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, said }
}

const history = (): string => join(home, 'history.jsonl')
const sparse = (bytes: number) => (): void => {
  writeFileSync(history(), '')
  truncateSync(history(), bytes)
}

const HISTORIES: readonly (readonly [string, () => void, RegExp])[] = [
  ['540 MiB of nothing', sparse(540 << 20), /had grown too large/],
  ['2 GiB of nothing', sparse(2 ** 31), /had grown too large/],
  ['a folder', () => mkdirSync(history()), /history cannot be read/],
  ['a device', () => symlinkSync('/dev/zero', history()), /history cannot be read/],
  [
    'binary garbage',
    () => writeFileSync(history(), Buffer.alloc(100_000, '\x7fELF\n')),
    /lines of the history could not be read/
  ],
  ['a line of a newer Stillpoint', () => writeFileSync(history(), '{"type":"moon"}\n'), /newer Stillpoint/]
]

describe('Stillpoint starts, and says so, where its history is', () => {
  it.each(HISTORIES)('%s', async (_, make, words) => {
    for (const command of [['jobs'], ['history'], ['downtime']])
      await tally.tried(async () => {
        rmSync(home, { recursive: true })
        mkdirSync(home)
        make()
        const { exitCode, said } = await stillpoint(command)
        expect({ exitCode, said }).toEqual({ exitCode: 0, said: expect.stringMatching(words) as string })
      })
    await tally.tried(async () => {
      rmSync(home, { recursive: true })
      mkdirSync(home)
      make()
      const { said } = await stillpoint(['serve', '--no-open', '--json'], { until: '"serving"' })
      expect(said).toContain('"type":"serving"')
      expect(said).not.toContain('Something went wrong')
    })
  })

  it('a file that one may not read', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root can become somebody else')
    for (const file of ['history.jsonl', 'notices.json', 'errors.log', 'window.json'])
      await tally.tried(async () => {
        chownSync(home, NOBODY, NOBODY)
        writeFileSync(join(home, file), 'x\n')
        chmodSync(join(home, file), 0)
        const { exitCode, said } = await stillpoint(['jobs'], { uid: NOBODY })
        expect(exitCode).toBe(0)
        if (file === 'history.jsonl') expect(said).toContain('you may not read or write it')
      })
  })
})

describe('Stillpoint says why it does not start where its settings are', () => {
  it.each([
    ['a folder', () => mkdirSync(join(home, 'settings.json'))],
    ['a device', () => symlinkSync('/dev/zero', join(home, 'settings.json'))],
    ['of a newer Stillpoint', () => writeFileSync(join(home, 'settings.json'), '{"version":9}')]
  ])('%s', async (_, make) => {
    await tally.tried(async () => {
      make()
      const { exitCode, said } = await stillpoint(['jobs'])
      expect(exitCode).toBeGreaterThan(0)
      expect(said).toContain('settings.json')
      expect(said).not.toContain('Something went wrong')
    })
  })
})
