import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { engineAssets, type Asset } from '../../src/main/core/engine-on-host/engine-assets.ts'
import {
  ENGINE_FILE,
  hashesToPack,
  runtimeFile,
  type PackedFiles
} from '../../src/main/core/engine-on-host/packed-files.ts'
import { placeEngine } from '../../src/main/core/engine-on-host/place-engine.ts'
import { upload, type Upload } from '../../src/main/core/engine-on-host/upload.ts'
import { StillpointError, failureOf, type Failure } from '../../src/shared/failure.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { fakeShell, type FakeShell } from '../../src/shell/fake.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('packages')

const folder = mkdtempSync(join(tmpdir(), 'stillpoint-packages-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILES = [ENGINE_FILE, runtimeFile('x64'), runtimeFile('arm64')]
const root = join(folder, 'stillpoint')
const at = (file: string): string => join(root, file)

let packed: PackedFiles = {}
beforeEach(async () => {
  rmSync(root, { recursive: true, force: true })
  for (const [n, file] of FILES.entries()) {
    mkdirSync(dirname(at(file)), { recursive: true })
    writeFileSync(at(file), Buffer.alloc(5000 + n, `${file}\n`))
    utimesSync(at(file), 1_700_000_000, 1_700_000_000) // which can be set again to the tick
  }
  packed = await hashesToPack(root)
})

/** What an installed Stillpoint would put on a host. */
function asked(file: string, expected: PackedFiles = packed): Promise<Asset> {
  const assets = engineAssets(root, join(folder, 'cache'), expected)
  if (file === ENGINE_FILE) return assets.engine()
  return assets.runtime('alpha', file === runtimeFile('x64') ? 'x86_64' : 'aarch64')
}

/** As a package manager does it: a new file beside the old one, then its name. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}

async function refused(file: string, expected?: PackedFiles): Promise<void> {
  const error = await asked(file, expected).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(StillpointError)
  const { failure } = error as StillpointError
  expect(failure).toEqual({ kind: 'installation-changed', path: at(file) })
  expect(describeFailure(failure).nextStep).toMatch(/^Install Stillpoint again/)
}

const other = (file: string): string => at(FILES[(FILES.indexOf(file) + 1) % FILES.length] ?? '')

const changes: Record<string, (path: string, file: string) => void> = {
  'one byte more': (path) => appendFileSync(path, '\n'),
  'one byte less': (path) => truncateSync(path, statSync(path).size - 1),
  'nothing in it': (path) => truncateSync(path, 0),
  'a hole behind it': (path) => truncateSync(path, 2 ** 20),
  'another content of the same size': (path) => writeFileSync(path, Buffer.alloc(statSync(path).size, 'x')),
  'another content of the same size and time': (path) => {
    const { size, atime, mtime } = statSync(path)
    writeFileSync(path, Buffer.alloc(size, 'x'))
    utimesSync(path, atime, mtime)
  },
  'the content of another file': (path, file) => copyFileSync(other(file), path),
  'another file in its place': (path, file) => renameSync(other(file), path),
  'a symlink to another file': (path, file) => {
    rmSync(path)
    symlinkSync(other(file), path)
  },
  'a symlink to itself': (path) => {
    rmSync(path)
    symlinkSync(path, path)
  },
  'a symlink to a device': (path) => {
    rmSync(path)
    symlinkSync('/dev/zero', path)
  },
  'a folder in its place': (path) => {
    rmSync(path)
    mkdirSync(path)
  },
  'a FIFO in its place': (path) => {
    rmSync(path)
    execFileSync('mkfifo', [path])
  },
  'nothing in its place': (path) => rmSync(path),
  'nothing in place of its folder': (path) => rmSync(dirname(path), { recursive: true }),
  'a file in place of its folder': (path) => {
    rmSync(dirname(path), { recursive: true })
    writeFileSync(dirname(path), 'x')
  },
  'line ends of DOS': (path) => writeFileSync(path, readFileSync(path, 'latin1').replaceAll('\n', '\r\n')),
  'a byte order mark': (path) => writeFileSync(path, `\ufeff${readFileSync(path, 'utf8')}`)
}
const flips = [0, 1, 7, 63, 64, 511, 512, 4095, 4096, 4999]
const of = <T>(each: readonly T[]): (readonly [string, T])[] =>
  FILES.flatMap((file) => each.map((change) => [file, change] as const))

describe('an installed Stillpoint', () => {
  it.each(FILES)('puts %s on hosts as it came', async (file) => {
    expect(await asked(file)).toEqual({ path: at(file), hash: packed[file] })
  })

  it.each(of(Object.keys(changes)))('does not put %s on hosts with %s', (file, change) =>
    tally.tried(async () => {
      await asked(file) // and remembers what it has seen
      changes[change]?.(at(file), file)
      await refused(file)
    })
  )

  it.each(of(flips))('does not put %s on hosts with another byte at %d', (file, offset) =>
    tally.tried(async () => {
      const content = readFileSync(at(file))
      content[offset] = (content[offset] ?? 0) ^ 0x20
      writeFileSync(at(file), content)
      await refused(file)
    })
  )

  it.each(FILES)('does not put %s on hosts if it was no part of it', (file) =>
    tally.tried(async () => {
      const { [file]: _, ...without } = packed
      await refused(file, without)
      await refused(file, {})
      await refused(file, { ...packed, [file]: '' })
    })
  )

  it('says nothing to a host for which it has been changed', () =>
    tally.tried(async () => {
      appendFileSync(at(ENGINE_FILE), 'x')
      const shell = fakeShell(() => expect.unreachable('nothing is to be run'))
      const placing = placeEngine('alpha', shell, engineAssets(root, join(folder, 'cache'), packed), () => undefined)
      await expect(placing).rejects.toMatchObject({ failure: { kind: 'installation-changed' } })
    }))
})

describe('an installed Stillpoint that was updated while it runs', () => {
  const UPDATED = { kind: 'installation-changed', path: at(ENGINE_FILE), isUpdated: true } as const
  beforeEach(() => writeFileSync(at('LICENSE'), 'MIT\n'))
  const running = (): (() => Promise<unknown>) => {
    const assets = engineAssets(root, join(folder, 'cache'), packed)
    return () => assets.engine().catch(failureOf)
  }

  it('puts nothing on hosts, and says what to do without a word of anybody who has changed it', async () => {
    const ask = running()
    replace(at(ENGINE_FILE), 'the next engine')
    replace(at('LICENSE'), 'MIT\n')
    const failure = await ask()
    expect(failure).toEqual(UPDATED)
    const { title, nextStep } = describeFailure(failure as Failure)
    expect([title, nextStep]).toEqual([
      'Stillpoint was updated while it ran',
      expect.stringMatching(/^Quit Stillpoint and start it again/)
    ])
    expect(nextStep).not.toContain('find out who')
  })

  it('puts on hosts what it has come with, where the update has changed nothing of that', async () => {
    const ask = running()
    replace(at('LICENSE'), 'MIT, too\n')
    expect(await ask()).toEqual({ path: at(ENGINE_FILE), hash: packed[ENGINE_FILE] })
  })

  it('is told from one of which a file was changed, also once that has been started again', () =>
    tally.tried(async () => {
      const ask = running()
      appendFileSync(at(ENGINE_FILE), 'x')
      expect(await ask()).toEqual({ kind: 'installation-changed', path: at(ENGINE_FILE) })
      replace(at('LICENSE'), 'MIT\n') // whoever has changed one may change the other
      expect(await ask()).toEqual(UPDATED)
      await refused(ENGINE_FILE)
    }))

  it('is told from one that was removed', () =>
    tally.tried(async () => {
      const ask = running()
      rmSync(root, { recursive: true })
      expect(await ask()).toEqual({ kind: 'installation-changed', path: at(ENGINE_FILE) })
    }))
})

describe('what goes to a host', () => {
  const cache = join(folder, 'gzips')
  beforeEach(() => rmSync(cache, { recursive: true, force: true }))
  const gzipPath = (hash: string): string => join(cache, `${hash}.gz`)
  const orderOf = (asset: Asset): Upload => ({ asset, base: '/b', target: '/b/engine/e', mode: '0600' })
  const send = (shell: FakeShell, asset: Asset): Promise<boolean> =>
    upload(shell, orderOf(asset), cache, () => undefined)
  /** It says so of what comes, time after time, and keeps it. */
  const receiver = (...exitCodes: readonly number[]): { readonly shell: FakeShell; readonly received: string[] } => {
    const received: string[] = []
    const shell = fakeShell(async (call) => {
      received.push(gunzipSync(await call.stdin()).toString())
      const exitCode = exitCodes[received.length - 1] ?? 0
      return { exitCode, stdout: exitCode === 0 ? 'put\n' : '' }
    })
    return { shell, received }
  }

  const SPOILT: Readonly<Record<string, (gzip: string) => void>> = {
    'another file': (gzip) => writeFileSync(gzip, gzipSync('process.exit()')),
    'half of it': (gzip) => truncateSync(gzip, statSync(gzip).size / 2),
    nothing: (gzip) => truncateSync(gzip, 0),
    words: (gzip) => writeFileSync(gzip, 'no gzip'),
    'it twice': (gzip) => appendFileSync(gzip, readFileSync(gzip)),
    'a flipped bit': (gzip) => {
      const bytes = readFileSync(gzip)
      bytes[bytes.length - 6] = (bytes.at(-6) ?? 0) ^ 1
      writeFileSync(gzip, bytes)
    },
    'a folder': (gzip) => {
      rmSync(gzip)
      mkdirSync(join(gzip, 'inside'), { recursive: true })
    },
    'a FIFO': (gzip) => {
      rmSync(gzip)
      execFileSync('mkfifo', [gzip])
    },
    'a link to a device': (gzip) => {
      rmSync(gzip)
      symlinkSync('/dev/zero', gzip)
    },
    'a link to nothing': (gzip) => {
      rmSync(gzip)
      symlinkSync('gone', gzip)
    }
  }
  it.each(Object.keys(SPOILT))('is the file itself, where this lies in the place of its gzip: %s', (what) =>
    tally.tried(async () => {
      const asset = await asked(ENGINE_FILE)
      const { shell, received } = receiver()
      await send(shell, asset)
      SPOILT[what]?.(gzipPath(asset.hash))
      await send(shell, asset)
      const right = readFileSync(asset.path, 'utf8')
      expect(received).toEqual([right, right])
      expect(gunzipSync(readFileSync(gzipPath(asset.hash))).toString()).toBe(right)
    })
  )

  it.each(FILES)('is not %s if that becomes another one once it was looked at', (file) =>
    tally.tried(async () => {
      const asset = await asked(file)
      replace(asset.path, 'another one')
      const { shell, received } = receiver()
      expect(await send(shell, asset).catch(failureOf)).toMatchObject({ kind: 'io', path: asset.path })
      expect(received).toEqual([])
      expect(readdirSync(cache)).toEqual([])
    })
  )

  it('stays in the cache where a host refuses it, whose word that is alone', () =>
    tally.tried(async () => {
      const asset = await asked(ENGINE_FILE)
      const { shell, received } = receiver(0, 66, 66, 66)
      await send(shell, asset)
      linkSync(gzipPath(asset.hash), join(cache, 'keeps its number'))
      const before = statSync(gzipPath(asset.hash)).ino
      for (const times of [2, 3, 4]) {
        const refusal = { failure: { kind: 'command-failed', exitCode: 66 } }
        await expect(send(shell, asset)).rejects.toMatchObject(refusal)
        expect(received).toHaveLength(times)
      }
      expect(statSync(gzipPath(asset.hash)).ino).toBe(before)
      expect(await send(shell, asset)).toBe(true)
    }))

  it('is sent once more, made anew, where it was changed just before it was sent', () =>
    tally.tried(async () => {
      const asset = await asked(ENGINE_FILE)
      await send(receiver().shell, asset)
      const { shell, received } = receiver(66)
      const spoiling: FakeShell = {
        ...shell,
        run: (...order) => {
          if (received.length === 0) SPOILT['another file']?.(gzipPath(asset.hash))
          return shell.run(...order)
        }
      }
      expect(await send(spoiling, asset)).toBe(true)
      const right = readFileSync(asset.path, 'utf8')
      expect(received).toEqual(['process.exit()', right])
      expect(gunzipSync(readFileSync(gzipPath(asset.hash))).toString()).toBe(right)
    }))

  it('comes whole to one host while another refuses it, and while what is in the cache is taken away', () =>
    tally.tried(async () => {
      const asset = await asked(ENGINE_FILE)
      await send(receiver().shell, asset)
      const good = receiver()
      const evil = receiver(66)
      const begun = Promise.withResolvers<undefined>()
      const refused = Promise.withResolvers<undefined>()
      const waiting: FakeShell = {
        ...good.shell,
        run: async (...order) => {
          begun.resolve(undefined)
          await refused.promise
          return good.shell.run(...order)
        }
      }
      const sending = send(waiting, asset)
      await begun.promise
      await expect(send(evil.shell, asset)).rejects.toMatchObject({ failure: { exitCode: 66 } })
      rmSync(gzipPath(asset.hash))
      refused.resolve(undefined)
      expect(await sending).toBe(true)
      expect(good.received).toEqual([readFileSync(asset.path, 'utf8')])
    }))
})

describe('a checkout', () => {
  it('takes what was built last', async () => {
    appendFileSync(at(ENGINE_FILE), 'x')
    const { hash } = await engineAssets(root, join(folder, 'cache')).engine()
    expect(hash).toBe((await hashesToPack(root))[ENGINE_FILE])
    expect(hash).not.toBe(packed[ENGINE_FILE])
  })
})
