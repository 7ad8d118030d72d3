import { execFileSync } from 'node:child_process'
import { appendFile, cp, link, mkdir, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sourceAt } from '../../src/engine/restore/plan-source.ts'
import { StillpointError, failureOf, type Failure } from '../../src/shared/failure.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import type { FileOptions } from '../../src/store/copy-file.ts'
import { dropMemory } from '../../src/store/drop-memory.ts'
import { MAX_POINT_BYTES, MAX_TEXT_BYTES } from '../../src/store/manifest.ts'
import { noteVerdict } from '../../src/store/mark-point.ts'
import { findPoint, listPoints } from '../../src/store/point-store.ts'
import { exportPoint, importPoint } from '../../src/store/point-stream.ts'
import { verifyPoint } from '../../src/store/verify-point.ts'
import { FILES, LATER_POINT, POINT, VM, makePoint, sha256, temporaryStore, writeFiles } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('store')

interface Two {
  readonly store: string
  /** Of the point that is to be spoilt. */
  readonly dir: string
  readonly manifest: Manifest
}

/** A store with a good point, and another. */
async function twoPoints(files: Record<string, Uint8Array> = FILES): Promise<Two> {
  const store = await temporaryStore()
  await makePoint(store, FILES, { id: LATER_POINT, jobId: LATER_POINT })
  return { store, ...(await makePoint(store, files)) }
}

const ONE_PLAIN_LINE = /^[^\s\p{C}][^\p{C}]*$/u

/** No listing, check, copy or restore takes it for a good point, none of them hangs, and the other point is as good as before. */
async function isSeenThrough({ store, dir }: Two): Promise<void> {
  const { points, broken } = await listPoints(store)
  expect(points.map(({ id }) => id)).toContain(LATER_POINT)
  for (const { reason } of broken) expect(reason).toMatch(ONE_PLAIN_LINE)
  const report = await verifyPoint(dir, undefined)
  expect([report.good, report.problems.length > 0]).toEqual([false, true])
  const other = await temporaryStore()
  await expect(importPoint(other, POINT, exportPoint(dir))).rejects.toBeInstanceOf(StillpointError)
  expect((await listPoints(other)).points).toEqual([])
  expect((await verifyPoint(join(store, VM, LATER_POINT), undefined)).good).toBe(true)
}

const claiming = async (dir: string, change: object): Promise<void> =>
  writeFile(join(dir, 'manifest.json'), JSON.stringify(change))

describe('a point of a store whose manifest claims what no point has', () => {
  const empty = sha256(new Uint8Array(0))
  const TEXTS = ['domain.xml', 'running.xml', 'memory.xml', 'host.json', 'RESTORE.md', 'RESTORE.next.md']
  const named = (...paths: string[]): object[] => paths.map((path) => ({ path, sizeBytes: 0, sha256: empty }))
  const sized = (...sizes: number[]): object[] =>
    sizes.map((sizeBytes, n) => ({ path: `f${n}`, sizeBytes, sha256: empty }))
  const claims: Record<string, object[]> = {
    'two names of other capitals': named('a', 'A'),
    'two folders of other capitals': named('a/b', 'A/c'),
    'a folder and a file of other capitals': named('a/b', 'A'),
    'a device of Windows': named('NUL'),
    'a device of Windows with an ending': named('disks/con.qcow2'),
    'a folder that is a device of Windows': named('aux/x'),
    'a dot at its end': named('domain.xml.'),
    'its own manifest': named('manifest.json'),
    'its own manifest in capitals': named('MANIFEST.JSON'),
    'its own manifest as it is written': named('manifest.json.new'),
    'a stream of NTFS': named('a:b'),
    'one word in two ways of writing': named('caf\u00e9', 'cafe\u0301'),
    '2^53 - 1 bytes': sized(2 ** 53 - 1),
    'one byte too many': sized(MAX_POINT_BYTES + 1),
    'too many bytes in all': sized(MAX_POINT_BYTES, 1),
    ...Object.fromEntries(
      TEXTS.map((path) => [`${path} of 1.9 GiB`, [{ path, sizeBytes: 2_040_109_465, sha256: empty }]])
    ),
    '1024 times 2^53 - 1 bytes': sized(...Array.from({ length: 1024 }, () => 2 ** 53 - 1))
  }
  it.each(Object.entries(claims))('is none: %s', (_, files) =>
    tally.tried(async () => {
      const two = await twoPoints()
      await claiming(two.dir, { ...two.manifest, disks: [], files })
      await isSeenThrough(two)
      const { broken } = await listPoints(two.store)
      expect(broken.map(({ path }) => path)).toEqual([two.dir])
      await expect(findPoint([two.store], POINT)).rejects.toMatchObject({ failure: { kind: 'point-format' } })
    })
  )

  it('is read by nobody: a guide that waits for its name, a definition that it does not list', () =>
    tally.tried(async () => {
      const { dir, manifest } = await twoPoints()
      const bytes = MAX_TEXT_BYTES + 1
      for (const name of ['RESTORE.next.md', 'host.json']) {
        await writeFile(join(dir, name), '')
        await truncate(join(dir, name), bytes)
      }
      await expect(sourceAt(fakeShell({}), dir, manifest)).rejects.toMatchObject({
        failure: { kind: 'output-too-large', limitBytes: MAX_TEXT_BYTES }
      })
      const { memory: _, ...without } = manifest
      const files = [...manifest.files, { path: 'RESTORE.next.md', sizeBytes: bytes, sha256: empty }]
      await claiming(dir, { ...without, files })
      await expect(dropMemory(dir, () => '')).rejects.toMatchObject({ failure: { kind: 'point-format' } })
    }))

  it('is one with the longest definition that can be restored', async () => {
    const definition = '\u4e2d'.repeat(1024 * 1024)
    const files = { ...FILES, 'domain.xml': Buffer.from(definition), 'host.json': Buffer.from('{}') }
    const { store, dir, manifest } = await twoPoints(files)
    expect((await listPoints(store)).broken).toEqual([])
    expect((await sourceAt(fakeShell({}), dir, manifest)).definition).toBe(definition)
  })

  it.each([2 ** 43, 2 ** 40])('costs nothing to check where it is a hole of %d bytes that it does not claim', (bytes) =>
    tally.tried(async () => {
      const two = await twoPoints()
      await truncate(join(two.dir, 'memory.save'), bytes)
      let read = 0
      await verifyPoint(two.dir, undefined, { onProgress: (done) => void (read = Math.max(read, done)) })
      expect(read).toBeLessThan(2 ** 24)
      await isSeenThrough(two)
    })
  )

  it('can be cancelled while a long hole is read', () =>
    tally.tried(async () => {
      const { dir, manifest } = await twoPoints({ 'memory.save': new Uint8Array(0) })
      await truncate(join(dir, 'memory.save'), 2 ** 43)
      await claiming(dir, { ...manifest, files: [{ path: 'memory.save', sizeBytes: 2 ** 43, sha256: empty }] })
      const stop = new AbortController()
      const onProgress = (): void => stop.abort()
      await expect(verifyPoint(dir, undefined, { signal: stop.signal, onProgress })).rejects.toMatchObject({
        failure: { kind: 'cancelled' }
      })
    }))
})

describe('a file of a point', () => {
  type Spoil = (path: string, outside: string) => Promise<unknown>
  const fifo = (path: string): Promise<unknown> => Promise.resolve(execFileSync('mkfifo', [path]))
  const spoils: Record<string, Spoil> = {
    'is a symlink to the same content': async (path, outside) => {
      await rename(path, outside)
      await symlink(outside, path)
    },
    'is a symlink within the point': async (path) => {
      await rename(path, `${path}-moved`)
      await symlink(`${path}-moved`, path)
    },
    'is a symlink to nothing': async (path, outside) => {
      await rm(path)
      await symlink(outside, path)
    },
    'is a symlink to itself': async (path) => {
      await rm(path)
      await symlink(path, path)
    },
    'is a symlink to a device without end': async (path) => {
      await rm(path)
      await symlink('/dev/zero', path)
    },
    'is a symlink to a terminal': async (path) => {
      await rm(path)
      await symlink('/dev/tty', path)
    },
    'is a FIFO': async (path) => {
      await rm(path)
      await fifo(path)
    },
    'is a symlink to a FIFO': async (path, outside) => {
      await rm(path)
      await fifo(outside)
      await symlink(outside, path)
    },
    'is a folder': async (path) => {
      await rm(path)
      await mkdir(path)
    },
    'is a folder with all of the point in it': async (path, outside) => {
      await cp(dirname(path), outside, { recursive: true })
      await rm(path)
      await rename(outside, path)
    },
    'is gone': (path) => rm(path),
    'is empty': (path) => truncate(path, 0),
    'has one byte more': (path) => appendFile(path, 'x'),
    'has a hole behind it': (path) => truncate(path, 2 ** 42),
    'is of other bytes of the same length': async (path) => {
      const length = Number(execFileSync('stat', ['-c', '%s', path], { encoding: 'utf8' }))
      await writeFile(path, Buffer.alloc(length, 1))
    },
    'is that of the host': async (path) => {
      await rm(path)
      await link('/etc/hostname', path).catch(() => writeFile(path, 'alpha\n')) // another file system
    }
  }
  const cases = [...Object.keys(FILES), 'manifest.json'].flatMap((file) =>
    Object.keys(spoils).map((spoil) => [file, spoil] as const)
  )
  it.each(cases)('is seen through: %s %s', (file, spoil) =>
    tally.tried(async () => {
      const two = await twoPoints()
      await spoils[spoil]?.(join(two.dir, file), join(dirname(two.store), 'outside'))
      await isSeenThrough(two)
    })
  )
})

describe('a folder of a point', () => {
  const spoils: Record<string, (path: string, outside: string) => Promise<unknown>> = {
    'a symlink to the same': async (path, outside) => {
      await rename(path, outside)
      await symlink(outside, path)
    },
    'a symlink to nothing': async (path, outside) => {
      await rm(path, { recursive: true })
      await symlink(outside, path)
    },
    'a symlink to the root': async (path) => {
      await rm(path, { recursive: true })
      await symlink('/', path)
    },
    'a file': async (path) => {
      await rm(path, { recursive: true })
      await writeFile(path, 'x')
    },
    'a FIFO': async (path) => {
      await rm(path, { recursive: true })
      execFileSync('mkfifo', [path])
    },
    empty: async (path) => {
      await rm(path, { recursive: true })
      await mkdir(path)
    },
    gone: (path) => rm(path, { recursive: true })
  }
  const places = (two: Two): Record<string, string> => ({
    'of disks': join(two.dir, 'disks'),
    'of all of it': two.dir
  })
  const cases = ['of disks', 'of all of it'].flatMap((place) =>
    Object.keys(spoils).map((spoil) => [place, spoil] as const)
  )
  it.each(cases)('%s is seen through: %s', (place, spoil) =>
    tally.tried(async () => {
      const two = await twoPoints()
      await spoils[spoil]?.(places(two)[place] ?? '', join(dirname(two.store), 'outside'))
      const { points } = await listPoints(two.store)
      expect(points.map(({ id }) => id)).toEqual([LATER_POINT])
      const isLink = place === 'of all of it' && spoil === 'a symlink to the same'
      if (isLink) await expect(findPoint([two.store], POINT)).rejects.toBeInstanceOf(StillpointError)
      else await isSeenThrough(two)
    })
  )
})

describe('what lies beside points', () => {
  const odd: Record<string, (vm: string, store: string) => Promise<unknown>> = {
    'a symlink under the name of a point': (vm) => symlink('/etc', join(vm, '20261122T201744Z-aaaaaa')),
    'a FIFO under the name of a point': (vm) =>
      Promise.resolve(execFileSync('mkfifo', [join(vm, '20261122T201744Z-aaaaaa')])),
    'a file under the name of a point': (vm) => writeFile(join(vm, '20261122T201744Z-aaaaaa'), 'x'),
    'a name that clears the screen': (vm) => mkdir(join(vm, '\u001b[2J')),
    'a name that turns the line round': (vm) => mkdir(join(vm, 'a\u202eb')),
    'a name of two lines': (vm) => mkdir(join(vm, 'a\nverified: every byte')),
    'a name like an option': (vm) => mkdir(join(vm, '--help')),
    'a name of 255 characters': (vm) => mkdir(join(vm, 'a'.repeat(255))),
    'a point in capitals': (vm) => mkdir(join(vm, POINT.toLowerCase())),
    'a name that is no UTF-8': (vm) => mkdir(Buffer.concat([Buffer.from(`${vm}/`), Buffer.from([0xff, 0xfe])])),
    'marks that are a FIFO': (vm) => Promise.resolve(execFileSync('mkfifo', [join(vm, `${LATER_POINT}.marks.json`)])),
    'marks that are a folder': (vm) => mkdir(join(vm, `${LATER_POINT}.marks.json`)),
    'marks that are a symlink': (vm) => symlink('/dev/zero', join(vm, `${LATER_POINT}.marks.json`)),
    'marks without end': async (vm) => {
      await writeFile(join(vm, `${LATER_POINT}.marks.json`), '{')
      await truncate(join(vm, `${LATER_POINT}.marks.json`), 2 ** 42)
    },
    'marks with a prototype': (vm) =>
      writeFile(join(vm, `${LATER_POINT}.marks.json`), '{"__proto__":{"pinned":true},"pinned":false}'),
    'marks of another shape': (vm) => writeFile(join(vm, `${LATER_POINT}.marks.json`), '[{"pinned":"yes"}]'),
    'marks of no point': (vm) => writeFile(join(vm, '20261122T201744Z-bbbbbb.marks.json'), '{}'),
    'a VM that is a symlink': (_vm, store) => symlink('/', join(store, '7d0c1f9e-1111-4222-8333-aaaaaaaaaaaa')),
    'a VM that is a symlink to this one': (vm, store) =>
      symlink(vm, join(store, '7d0c1f9e-1111-4222-8333-aaaaaaaaaaaa')),
    'a VM that is a file': (_vm, store) => writeFile(join(store, '7d0c1f9e-1111-4222-8333-aaaaaaaaaaaa'), 'x'),
    'a VM in capitals': (_vm, store) => mkdir(join(store, VM.toUpperCase())),
    'a store within it': (vm, store) => cp(vm, join(store, 'points', VM), { recursive: true }),
    'many files of no use': async (vm) => {
      for (let n = 0; n < 300; n++) await writeFile(join(vm, POINT, `stray-${n}`), 'x')
    }
  }
  it.each(Object.entries(odd))('hides no good point: %s', (_, put) =>
    tally.tried(async () => {
      const two = await twoPoints()
      await put(join(two.store, VM), two.store)
      const { points, broken } = await listPoints(two.store)
      expect(points.map(({ id }) => id).sort()).toEqual([LATER_POINT, POINT].sort())
      for (const { reason } of broken) expect(reason).toMatch(ONE_PLAIN_LINE)
      const report = await verifyPoint(two.dir, undefined)
      expect([report.good, report.notes.length < 30]).toEqual([true, true])
    })
  )
})

describe('qemu-img on an image that means harm', () => {
  const ends: Record<string, { exitCode?: number | undefined; signal?: string; stdout?: string; stderr?: string }> = {
    'finds errors': { exitCode: 2, stdout: '1 errors were found on the image.' },
    'cannot open it': { exitCode: 1, stderr: 'qemu-img: Could not open' },
    'gives up': { exitCode: 63, stderr: 'qemu-img: This image format does not support checks' },
    'is killed': { exitCode: undefined, signal: 'SIGSEGV' },
    'says a megabyte': { exitCode: 2, stderr: 'x'.repeat(2 ** 20) },
    'clears the screen': { exitCode: 2, stderr: '\u001b[2J\u009b31m' },
    'writes lines of its own': { exitCode: 2, stderr: 'bad\nverified: every byte\r\n' }
  }
  it.each(Object.entries(ends))('%s: the point is not good, and it is said why', (_, end) =>
    tally.tried(async () => {
      const { dir } = await twoPoints()
      const answer = { stdout: '', stderr: '', signal: undefined, exitCode: 0, ...end }
      const report = await verifyPoint(dir, { label: 'here', run: () => Promise.resolve(answer) })
      expect(report.good).toBe(false)
      expect(report.problems[0]?.detail).toMatch(/^qemu-img check:[^\p{C}]{0,320}$/u)
    })
  )

  it('names errors without end: the image has them', () =>
    tally.tried(async () => {
      const { dir } = await twoPoints()
      const failure: Failure = { kind: 'output-too-large', what: 'qemu-img', limitBytes: 1 }
      const report = await verifyPoint(dir, {
        label: 'here',
        run: () => Promise.reject(new StillpointError(failure))
      })
      expect(report.problems).toEqual([
        { file: 'disks/vda.qcow2', detail: 'qemu-img check: it names more errors than are read' }
      ])
    }))

  it('is not asked about an image that leads elsewhere', () =>
    tally.tried(async () => {
      const two = await twoPoints()
      await rm(join(two.dir, 'disks/vda.qcow2'))
      await symlink('/dev/zero', join(two.dir, 'disks/vda.qcow2'))
      const shell = fakeShell(() => expect.unreachable('nothing is to be run'))
      expect((await verifyPoint(two.dir, shell)).good).toBe(false)
    }))
})

describe('a store that does not serve while a point is checked', () => {
  const answer = { stdout: '', stderr: '', signal: undefined, exitCode: undefined }
  const isPassedOn = async (kind: Failure['kind'], shell?: Shell, options?: FileOptions): Promise<void> => {
    const { store, dir } = await twoPoints()
    await noteVerdict(store, await verifyPoint(dir, undefined))
    const ended = await verifyPoint(dir, shell, options)
      .then((report) => noteVerdict(store, report))
      .catch(failureOf)
    expect(ended).toMatchObject({ kind })
    expect((await listPoints(store)).marks[POINT]?.verified?.good).toBe(true)
  }

  it('says nothing of the point where qemu-img does not come to an end, nor does the check wait for it', () =>
    tally.tried(async () => {
      let deadline = Infinity
      await isPassedOn('timeout', {
        label: 'here',
        run: (_argv, options) => {
          deadline = options?.timeoutMs ?? 60_000
          return Promise.reject(new StillpointError({ kind: 'timeout', what: 'qemu-img', afterMs: 1 }))
        }
      })
      expect(deadline).toBeLessThan(Infinity)
    }))

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGXCPU'])('nor where %s ends qemu-img', (signal) =>
    tally.tried(() =>
      isPassedOn('command-failed', { label: 'here', run: () => Promise.resolve({ ...answer, signal }) })
    )
  )

  it.each([
    'Permission denied',
    'Operation not permitted',
    'Stale file handle',
    'Connection timed out',
    'Host is down',
    'Transport endpoint is not connected',
    'Cannot allocate memory',
    'Too many open files',
    'Too many open files in system'
  ])('nor where qemu-img says: %s', (said) =>
    tally.tried(() => {
      const stderr = `qemu-img: Could not open '/points/vda.qcow2': ${said}\n`
      return isPassedOn('command-failed', {
        label: 'here',
        run: () => Promise.resolve({ ...answer, exitCode: 1, stderr })
      })
    })
  )

  const failing = (code: string, errno?: number) => (): never => {
    throw Object.assign(new Error(`${code}: read`), { code, errno })
  }
  it.each<[string, number?]>([
    ['ETIMEDOUT'],
    ['EACCES'],
    ['EPERM'],
    ['EHOSTDOWN'],
    ['ENOTCONN'],
    ['ENODEV'],
    ['ENXIO'],
    ['EMFILE'],
    ['ENOMEM'],
    ['EAGAIN'],
    ['EINTR'],
    ['Unknown system error -116', -116]
  ])('nor where reading ends with %s', (code, errno) =>
    tally.tried(() => isPassedOn('io', undefined, { onProgress: failing(code, errno) }))
  )

  it.each<[string, number?]>([['EIO'], ['Unknown system error -74', -74], ['Unknown system error -117', -117]])(
    'but a disk that has lost what was in a file says it of the file: %s',
    (code, errno) =>
      tally.tried(async () => {
        const { dir } = await twoPoints()
        const report = await verifyPoint(dir, undefined, { onProgress: failing(code, errno) })
        expect([report.good, report.problems.length > 0]).toEqual([false, true])
      })
  )
})

describe('a point that travels', () => {
  it('leaves no file in the store that it cannot be taken into', async () => {
    const { dir, manifest } = await twoPoints()
    const store = await temporaryStore()
    await writeFiles(dir, { 'nvram.fd': new Uint8Array(4096).fill(9) })
    await expect(importPoint(store, manifest.id, exportPoint(dir))).rejects.toBeInstanceOf(StillpointError)
    expect(await readdir(store)).toEqual(['.incoming'])
  })
})
