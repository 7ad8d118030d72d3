import { execFileSync } from 'node:child_process'
import {
  chmod,
  cp,
  link,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FailureKind } from '../../src/shared/failure.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import {
  beginPoint,
  commitPoint,
  deletePoint,
  dropUnfinished,
  findPoint,
  listPoints,
  listUnfinished,
  requireGood
} from '../../src/store/point-store.ts'
import { verifyPoint } from '../../src/store/verify-point.ts'
import {
  DISK_BYTES,
  FILES,
  LATER_POINT,
  OTHER_VM,
  POINT,
  VM,
  emptyImage,
  makePoint,
  manifestOf,
  temporaryStore,
  writeFiles
} from './store-points.ts'

const failing = (kind: FailureKind, parts: object = {}): object =>
  expect.objectContaining({ failure: expect.objectContaining({ kind, ...parts }) as object }) as object

describe('a point', () => {
  it('exists from its commit on, and not before', async () => {
    const store = await temporaryStore()
    const dir = await beginPoint(store, VM, POINT)
    await writeFiles(dir, FILES)
    expect(await listPoints(store)).toEqual({ points: [], broken: [], marks: {} })
    expect(await listUnfinished(store)).toEqual([dir])
    await commitPoint(dir, manifestOf(FILES))
    expect(await listPoints(store)).toEqual({ points: [manifestOf(FILES)], broken: [], marks: {} })
    expect(await listUnfinished(store)).toEqual([])
    expect(await findPoint(['/nonexistent', store], POINT)).toEqual({ store, dir, manifest: manifestOf(FILES) })
    expect(await requireGood(dir)).toEqual(manifestOf(FILES))
  })

  it('is for root only', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    for (const path of [store, dirname(dir), dir]) expect((await stat(path)).mode & 0o777).toBe(0o700)
    expect((await stat(join(dir, 'manifest.json'))).mode & 0o777).toBe(0o600)
  })

  it('is made once', async () => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    await expect(beginPoint(store, VM, POINT)).rejects.toEqual(failing('point-exists'))
    await expect(commitPoint(dir, manifest)).rejects.toEqual(failing('point-exists'))
    await expect(dropUnfinished(dir)).rejects.toEqual(failing('point-exists'))
  })

  it('is not committed while a file is missing, of another size, or unsafe', async () => {
    const dir = await beginPoint(await temporaryStore(), VM, POINT)
    await expect(commitPoint(dir, manifestOf(FILES))).rejects.toEqual(failing('point-damaged', { file: 'domain.xml' }))
    await writeFiles(dir, { ...FILES, 'disks/vda.qcow2': new Uint8Array(FILES['disks/vda.qcow2']?.byteLength ?? 0) })
    await expect(commitPoint(dir, manifestOf(FILES))).rejects.toEqual(failing('point-unsafe'))
    expect(await readdir(dir)).not.toContain('manifest.json')
  })

  it('refuses ids that are paths', async () => {
    const store = await temporaryStore()
    await expect(beginPoint(store, '../x', POINT)).rejects.toEqual(failing('usage'))
    await expect(beginPoint(store, VM, '..')).rejects.toEqual(failing('usage'))
    await expect(dropUnfinished(store)).rejects.toEqual(failing('usage'))
  })

  it('that was not finished can be dropped, once and again', async () => {
    const store = await temporaryStore()
    const dir = await beginPoint(store, VM, POINT)
    await writeFiles(dir, { ...FILES, 'manifest.json.new': new Uint8Array(3) })
    await dropUnfinished(dir)
    await dropUnfinished(dir)
    expect(await readdir(store)).toEqual([])
  })
})

describe('deleting a point', () => {
  it('frees what it took and leaves the others', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await makePoint(store, FILES, { id: LATER_POINT })
    const { freedBytes } = await deletePoint(store, POINT)
    expect(freedBytes).toBeGreaterThan(270_000)
    await expect(lstat(dir)).rejects.toThrow()
    expect((await listPoints(store)).points.map(({ id }) => id)).toEqual([LATER_POINT])
    await expect(deletePoint(store, POINT)).rejects.toEqual(failing('not-found'))
  })

  it('follows no symlink', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    const outside = join(dirname(store), 'outside')
    await writeFiles(outside, { keep: new Uint8Array(9) })
    await symlink(outside, join(dir, 'link'))
    await rm(join(dir, 'disks'), { recursive: true })
    await symlink(outside, join(dir, 'disks'))
    await deletePoint(store, POINT)
    expect(await readdir(outside)).toEqual(['keep'])
    expect(await readdir(store)).toEqual([])
  })

  it('works for a damaged one, but not for one that is being made', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await writeFile(join(dir, 'manifest.json'), '{')
    await deletePoint(store, POINT)
    expect((await listPoints(store)).broken).toEqual([])
    await beginPoint(store, VM, LATER_POINT)
    await expect(deletePoint(store, LATER_POINT)).rejects.toEqual(failing('not-found'))
  })
})

describe('listing a store', () => {
  it('that is not there gives nothing', async () => {
    expect(await listPoints('/nonexistent/store')).toEqual({ points: [], broken: [], marks: {} })
  })

  it('leaves alone what is not ours', async () => {
    const store = await temporaryStore()
    await mkdir(join(store, 'lost+found'), { recursive: true })
    await mkdir(join(store, '.incoming', POINT), { recursive: true })
    await writeFile(join(store, 'note.txt'), 'x')
    expect(await listPoints(store)).toEqual({ points: [], broken: [], marks: {} })
  })

  const text = (change: object = {}): string => JSON.stringify({ ...manifestOf(FILES), ...change })
  const withFile = (path: string): string =>
    text({ files: [{ path, sizeBytes: 1, sha256: '0'.repeat(64) }], disks: [] })
  const bad: Record<string, string | Uint8Array> = {
    'not JSON': 'hello',
    'an empty file': '',
    'half a manifest': text().slice(0, 300),
    'a byte order mark': `\uFEFF${text()}`,
    'invalid UTF-8': Buffer.concat([Buffer.from(text().slice(0, -1)), Buffer.from([0x80, 0x7d])]),
    'a key twice': text().replace('{', '{"id":"20261122T201744Z-7f3a21",'),
    'a key twice, once escaped': text().replace('{', String.raw`{"\u0069d":"20261122T201744Z-7f3a21",`),
    __proto__: text().replace('{', '{"__proto__":{"x":1},'),
    'depth 10,000': text().replace('"warnings":[]', `"warnings":${'['.repeat(10_000)}${']'.repeat(10_000)}`),
    NaN: text().replace('"pauseMs":0', '"pauseMs":NaN'),
    infinity: text().replace('"pauseMs":0', '"pauseMs":1e999'),
    'a size of 2^53+1': text().replace('"sizeBytes":10', '"sizeBytes":9007199254740993'),
    'a negative size': text().replace('"sizeBytes":10', '"sizeBytes":-1'),
    'more than 4 MB': text() + ' '.repeat(4 * 1024 * 1024),
    'a newer version': text({ version: 2 }),
    'an older version': text({ version: 0 }),
    'a field that we do not know': text({ extra: 1 }),
    'another point’s manifest': text({ id: LATER_POINT }),
    'another VM’s manifest': text({ vm: { uuid: OTHER_VM, name: 'other' } }),
    'a path that leads out': withFile('../../etc/passwd'),
    'a path that leads out from within': withFile('disks/../../x'),
    'an absolute path': withFile('/etc/passwd'),
    'a backslash': withFile('disks\\x'),
    'a NUL': withFile('a\u0000b'),
    'itself as a file': withFile('manifest.json'),
    'a file twice': text({ files: [...manifestOf(FILES).files, ...manifestOf(FILES).files] }),
    'a file within a file': text({
      files: [...manifestOf(FILES).files, { path: 'domain.xml/x', sizeBytes: 0, sha256: '0'.repeat(64) }]
    }),
    'a disk that is not listed': text({ files: [] }),
    'memory that is not listed': text({ memory: { file: 'ram', ramBytes: 1 } })
  }

  it.each(Object.entries(bad))('shows a manifest with %s as broken, and the rest', async (_, content) => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    const good = await makePoint(store, FILES, { id: LATER_POINT })
    await writeFile(join(dir, 'manifest.json'), content)
    const listing = await listPoints(store)
    expect(listing.points).toEqual([good.manifest])
    expect(listing.broken.map(({ path }) => path)).toEqual([dir])
    await expect(requireGood(dir)).rejects.toEqual(failing('point-format'))
    await expect(findPoint([store], POINT)).rejects.toEqual(failing('point-format'))
  })

  it('names the version of a manifest that is newer', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await writeFile(join(dir, 'manifest.json'), text({ version: 7, shape: 'unknown' }))
    expect((await listPoints(store)).broken[0]?.reason).toContain('version 7')
  })

  const outside = async (store: string): Promise<string> => {
    const path = join(dirname(store), 'outside')
    await writeFiles(path, FILES)
    return path
  }
  const damages: Record<string, (dir: string, store: string) => Promise<unknown>> = {
    'a symlink as its manifest': async (dir) => {
      await rename(join(dir, 'manifest.json'), join(dir, 'm'))
      await symlink('m', join(dir, 'manifest.json'))
    },
    'a FIFO as its manifest': async (dir) => {
      await rm(join(dir, 'manifest.json'))
      execFileSync('mkfifo', [join(dir, 'manifest.json')])
    },
    'a directory as its manifest': async (dir) => {
      await rm(join(dir, 'manifest.json'))
      await mkdir(join(dir, 'manifest.json'))
    },
    'a file missing': (dir) => rm(join(dir, 'domain.xml')),
    'a file cut short': (dir) => truncate(join(dir, 'nvram.fd'), 4095),
    'a byte added': (dir) => truncate(join(dir, 'nvram.fd'), 4097),
    'a symlink as a file': async (dir, store) => {
      await rm(join(dir, 'nvram.fd'))
      await symlink(join(await outside(store), 'nvram.fd'), join(dir, 'nvram.fd'))
    },
    'a FIFO as a file': async (dir) => {
      await rm(join(dir, 'nvram.fd'))
      execFileSync('mkfifo', [join(dir, 'nvram.fd')])
    },
    'a symlink as a folder': async (dir, store) => {
      await rm(join(dir, 'disks'), { recursive: true })
      await symlink(join(await outside(store), 'disks'), join(dir, 'disks'))
    },
    'a symlink as its directory': async (dir, store) => {
      await rename(dir, join(dirname(store), 'moved'))
      await symlink(join(dirname(store), 'moved'), dir)
    }
  }

  it.each(Object.entries(damages))('shows a point with %s as broken, and the rest', async (_, damage) => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    const good = await makePoint(store, FILES, { id: LATER_POINT })
    await damage(dir, store)
    const listing = await listPoints(store)
    expect(listing.points).toEqual([good.manifest])
    expect(listing.broken.map(({ path }) => path)).toEqual([dir])
    await expect(requireGood(dir)).rejects.toThrow(/point-(damaged|unsafe|format)/)
  })

  it('refuses a VM’s directory that is a symlink, and names that are no points', async () => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    await cp(dirname(dir), join(dirname(store), 'moved'), { recursive: true })
    await symlink(join(dirname(store), 'moved'), join(store, OTHER_VM))
    await mkdir(join(dirname(dir), 'latest'))
    const listing = await listPoints(store)
    expect(listing.points).toEqual([manifest])
    expect(listing.broken.map(({ path }) => path).sort()).toEqual(
      [join(dirname(dir), 'latest'), join(store, OTHER_VM)].sort()
    )
  })

  it('takes hard links for what they are: files', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await link(join(dir, 'domain.xml'), join(dirname(store), 'second'))
    expect((await listPoints(store)).broken).toEqual([])
  })
})

describe('verifying a point', () => {
  const qemu = fakeShell({ 'qemu-img': 'No errors were found on the image.\n' })

  it('finds a good one good, with progress up to the end', async () => {
    const { dir, manifest } = await makePoint(await temporaryStore())
    const seen: number[] = []
    const report = await verifyPoint(dir, qemu, { onProgress: (done, total) => seen.push(done / total) })
    const total = manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0)
    expect(report).toEqual({ point: POINT, good: true, checkedBytes: total, problems: [], notes: [] })
    expect(seen.at(-1)).toBe(1)
  })

  it.each(Object.keys(FILES))('finds a flipped byte in %s', async (path) => {
    const { dir } = await makePoint(await temporaryStore())
    const bytes = await readFile(join(dir, path))
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await writeFile(join(dir, path), bytes)
    const report = await verifyPoint(dir, qemu)
    expect(report.good).toBe(false)
    expect(report.problems.map(({ file }) => file)).toEqual([path])
  })

  it('lists all problems, says what is not part of it, and goes on without qemu-img', async () => {
    const { dir } = await makePoint(await temporaryStore())
    await rm(join(dir, 'domain.xml'))
    await truncate(join(dir, 'nvram.fd'), 1)
    await writeFile(join(dir, 'disks', 'stray'), 'x')
    const report = await verifyPoint(dir, fakeShell({}))
    expect(report.problems.map(({ file }) => file)).toEqual(['domain.xml', 'nvram.fd'])
    expect(report.notes).toEqual([expect.stringContaining('disks/stray'), expect.stringContaining('qemu-img')])
  })

  it('tells what qemu-img says of a damaged image, and is content with leaked clusters', async () => {
    const { dir } = await makePoint(await temporaryStore())
    const damaged = fakeShell({ 'qemu-img': { exitCode: 2, stdout: 'ERROR cluster 4\n2 errors were found' } })
    expect((await verifyPoint(dir, damaged)).problems[0]?.detail).toContain('ERROR cluster 4')
    expect((await verifyPoint(dir, fakeShell({ 'qemu-img': { exitCode: 3 } }))).good).toBe(true)
  })

  it('does not throw where there is nothing, or a bad manifest', async () => {
    const store = await temporaryStore()
    expect((await verifyPoint(join(store, VM, POINT), qemu)).good).toBe(false)
    const { dir } = await makePoint(store)
    await writeFile(join(dir, 'manifest.json'), '[]')
    expect((await verifyPoint(dir, qemu)).problems[0]?.file).toBe('manifest.json')
  })

  it('can be cancelled', async () => {
    const { dir } = await makePoint(await temporaryStore())
    await expect(verifyPoint(dir, qemu, { signal: AbortSignal.abort() })).rejects.toEqual(failing('cancelled'))
  })

  const unsafe: Record<string, (image: DataView, bytes: Uint8Array) => void> = {
    'a backing file': (view, bytes) => {
      view.setBigUint64(8, 512n)
      view.setUint32(16, 11)
      bytes.set(new TextEncoder().encode('/etc/shadow'), 512)
    },
    'a json: name': (view, bytes) => {
      view.setBigUint64(8, 512n)
      view.setUint32(16, 27)
      bytes.set(new TextEncoder().encode('json:{"driver":"null-co"}  '), 512)
    },
    'a data file': (view) => view.setBigUint64(72, 4n),
    'unknown features': (view) => view.setBigUint64(72, 1n << 40n),
    LUKS: (view) => view.setUint32(32, 2),
    'another encryption': (view) => view.setUint32(32, 9),
    'internal snapshots': (view) => view.setUint32(60, 1),
    '64 PB': (view) => view.setBigUint64(24, 1n << 56n),
    'another size': (view) => view.setBigUint64(24, 512n),
    'no magic': (view) => view.setUint32(0, 0),
    'version 9': (view) => view.setUint32(4, 9),
    'clusters of 4 GiB': (view) => view.setUint32(20, 32),
    'an endless extension': (view) => {
      view.setUint32(112, 0x12345678)
      view.setUint32(116, 0xffff_ffff)
    },
    'a backing name out of place': (view) => {
      view.setBigUint64(8, 1n << 62n)
      view.setUint32(16, 5)
    }
  }

  it.each(Object.entries(unsafe))('never lets QEMU open an image with %s', async (_, change) => {
    const { dir, manifest } = await makePoint(await temporaryStore())
    const image = Buffer.from(emptyImage())
    change(new DataView(image.buffer, image.byteOffset), image)
    await writeFile(join(dir, 'disks/vda.qcow2'), image)
    const files = { ...FILES, 'disks/vda.qcow2': image }
    await writeFile(join(dir, 'manifest.json'), JSON.stringify({ ...manifest, files: manifestOf(files).files }))
    const shell = fakeShell({ 'qemu-img': '' })
    const report = await verifyPoint(dir, shell)
    expect(report.good).toBe(false)
    expect(report.problems.map(({ file }) => file)).toContain('disks/vda.qcow2')
    expect(shell.calls).toEqual([])
    await expect(requireGood(dir)).rejects.toThrow(/point-(unsafe|damaged)/)
  })

  it('knows the size of firmware variables', async () => {
    const files = { ...FILES, 'nvram.fd': new Uint8Array(0) }
    const store = await temporaryStore()
    await expect(makePoint(store, files, { nvram: { file: 'nvram.fd', originalPath: '/x' } })).rejects.toEqual(
      failing('point-damaged', { file: 'nvram.fd' })
    )
    expect(DISK_BYTES).toBeGreaterThan(0)
  })
})

describe.skipIf(process.getuid?.() === 0)('without rights', () => {
  it('lists what it cannot read as broken (skipped for root, who can read everything)', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await chmod(dirname(dir), 0)
    expect((await listPoints(store)).broken).toHaveLength(1)
    await chmod(dirname(dir), 0o700)
  })
})
