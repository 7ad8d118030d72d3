import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
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
const settings = (): string => join(home, 'settings.json')
const sparse =
  (bytes: number, path = history) =>
  (): void => {
    writeFileSync(path(), '')
    truncateSync(path(), bytes)
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
      const { said } = await served()
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

/** Settings that stay as they are, since this Stillpoint can neither understand nor write them. */
const NOT_OURS: readonly (readonly [string, () => void])[] = [
  ['a folder', () => mkdirSync(settings())],
  ['a device', () => symlinkSync('/dev/zero', settings())],
  ['a link to itself', () => symlinkSync(settings(), settings())],
  ['a pipe', () => execFileSync('mkfifo', [settings()])],
  ['of a newer Stillpoint', () => writeFileSync(settings(), '{"version":9}')]
]
/** Settings that are kept aside. */
const BROKEN: readonly (readonly [string, () => void])[] = [
  ['torn', () => writeFileSync(settings(), '{"version":1,"hosts":[{"na')],
  ['2 GiB of nothing', sparse(2 ** 31, settings)],
  ['of no words', () => writeFileSync(settings(), Buffer.alloc(5000, 0xff))]
]
const served = (): Promise<Ended> => stillpoint(['serve', '--no-open', '--json'], { until: '"serving"' })
/** In the inbox of the window. */
const inbox = (): string => readFileSync(join(home, 'notices.json'), 'utf8')

describe('a window opens, and says in it and in the terminal that nothing can be kept, where its settings are', () => {
  it.each(NOT_OURS)('%s', async (_, make) => {
    await tally.tried(async () => {
      make()
      const { said } = await served()
      expect(said).toContain('"type":"serving"')
      expect(said).toMatch(/settings\.json.*what you change here is not kept/)
      expect(inbox()).toMatch(/settings\.json.*what you change here is not kept/)
      expect(said).not.toContain('Something went wrong')
      expect(readdirSync(home).filter((name) => name.startsWith('settings.json'))).toEqual(['settings.json'])
    })
  })
})

describe('a command of the terminal says why it does nothing where its settings are', () => {
  it.each(NOT_OURS)('%s', async (_, make) => {
    await tally.tried(async () => {
      make()
      const { exitCode, said } = await stillpoint(['jobs'])
      expect(exitCode).toBeGreaterThan(0)
      expect(said).toContain('settings.json')
      expect(said).not.toContain('Something went wrong')
    })
  })
})

describe('Stillpoint starts with empty settings, and says where the old ones are, if these are', () => {
  it.each(BROKEN)('%s', async (_, make) => {
    await tally.tried(async () => {
      make()
      const { exitCode, said } = await stillpoint(['jobs'])
      expect({ exitCode, said }).toEqual({
        exitCode: 0,
        said: expect.stringMatching(/kept aside as \S+settings/) as string
      })
    })
    await tally.tried(async () => {
      rmSync(home, { recursive: true })
      mkdirSync(home)
      make()
      const { said } = await served()
      expect(said).toContain('"type":"serving"')
      expect(said).toMatch(/kept aside as \S+settings/)
      expect(inbox()).toMatch(/kept aside as \S+settings/)
      expect(readdirSync(home).filter((name) => name.startsWith('settings.json.'))).toHaveLength(1)
    })
  })
})
