import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeShell } from '../../src/shell/fake.ts'
import { localShell } from '../../src/shell/local.ts'
import { copyFile, hashFile } from '../../src/store/copy-file.ts'
import { copyImage, type CopiedImage } from '../../src/store/copy-image.ts'

const shell = localShell()
const isRoot = process.getuid?.() === 0
const hasQemu = existsSync('/usr/bin/qemu-img')

let dir: string
let target: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stillpoint-copy-'))
  target = join(dir, 'copy.qcow2')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const qemuImg = (...args: string[]): string => execFileSync('qemu-img', args, { cwd: dir, encoding: 'utf8' })
const io = (format: string, image: string, ...commands: string[]): string =>
  execFileSync('qemu-io', ['-f', format, ...commands.flatMap((command) => ['-c', command]), image], {
    cwd: dir,
    encoding: 'utf8'
  })

async function make(format: string, name: string, size: string, ...commands: string[]): Promise<string> {
  qemuImg('create', '-q', '-f', format, name, size)
  if (commands.length > 0) io(format, name, ...commands)
  return Promise.resolve(join(dir, name))
}

/** Everything that must hold of every copy. */
async function copyAndCheck(path: string, format: string): Promise<CopiedImage> {
  const copied = await copyImage({ shell, source: { path, format }, target })
  const bytes = await readFile(target)
  expect(copied.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  expect(copied.sizeBytes).toBe(bytes.byteLength)
  expect(qemuImg('check', '-f', 'qcow2', target)).toContain('No errors were found')
  expect(qemuImg('compare', '-U', '-f', format, '-F', 'qcow2', path, target)).toContain('Images are identical')
  const info = JSON.parse(qemuImg('info', '--output=json', '-f', 'qcow2', target)) as Record<string, unknown>
  expect(info['virtual-size']).toBe(copied.virtualSizeBytes)
  expect(info).not.toHaveProperty('backing-filename')
  expect((await stat(target)).mode & 0o777).toBe(0o600)
  return copied
}

describe.skipIf(!hasQemu)('copying a disk image', () => {
  it('copies to a file system that only writes through its cache', async () => {
    const folder = await mkdtemp('/dev/shm/stillpoint-copy-') // tmpfs refuses O_DIRECT, or takes it on newer kernels
    try {
      target = join(folder, 'copy.qcow2')
      await copyAndCheck(await make('qcow2', 'a.qcow2', '64M', 'write -P 5 0 9M', 'write -P 6 40M 3M'), 'qcow2')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('copies raw, sparse as it is', async () => {
    const copied = await copyAndCheck(
      await make('raw', 'a.raw', '300M', 'write -P 5 100M 3M', 'write -P 6 299M 1M'),
      'raw'
    )
    expect(copied.dataBytes - (4 << 20)).toBeLessThanOrEqual(65_536) // qemu-img create writes the first block of a raw file
    expect(copied.sizeBytes).toBeLessThan(5 << 20)
  })

  it('copies qcow2, also what was discarded and zeroed', async () => {
    const commands = ['write -P 5 0 10M', 'write -z 1M 1M', 'discard 3M 1M', 'write -P 7 63M 64k']
    const copied = await copyAndCheck(await make('qcow2', 'a.qcow2', '64M', ...commands), 'qcow2')
    expect(copied.dataBytes).toBeLessThan(9 << 20)
  })

  it('copies an empty disk, and a disk of an odd size', async () => {
    await copyAndCheck(await make('qcow2', 'a.qcow2', '1G'), 'qcow2')
    await rm(target)
    await writeFile(join(dir, 'odd.raw'), Buffer.alloc(1_000_001, 3))
    expect((await copyAndCheck(join(dir, 'odd.raw'), 'raw')).virtualSizeBytes).toBe(1_000_448)
  })

  it('copies a disk of 10 TiB with data at both ends', async () => {
    const path = await make('qcow2', 'a.qcow2', '10T', 'write -P 1 0 64k', 'write -P 2 10995116212224 64k')
    expect((await copyAndCheck(path, 'qcow2')).sizeBytes).toBeLessThan(2 << 20)
  })

  it('copies a chain into one image: qcow2 on qcow2 on raw, each of another size', async () => {
    await make('raw', 'base.raw', '8M', 'write -P 1 0 8M')
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', 'mid.qcow2', '16M')
    io('qcow2', 'mid.qcow2', 'write -P 2 1M 128k', 'write -z 2M 1M', 'write -P 3 12M 1000')
    qemuImg(
      'create',
      '-q',
      '-f',
      'qcow2',
      '-o',
      'cluster_size=4k',
      '-b',
      'mid.qcow2',
      '-F',
      'qcow2',
      'top.qcow2',
      '32M'
    )
    io('qcow2', 'top.qcow2', 'write -P 4 1050k 3k', 'write -P 5 31M 1M', 'write -z 12M 512')
    await copyAndCheck(join(dir, 'top.qcow2'), 'qcow2')
  })

  it.each([
    ['clusters of 512 bytes', ['-o', 'cluster_size=512']],
    ['clusters of 2 MiB', ['-o', 'cluster_size=2M']],
    ['subclusters', ['-o', 'extended_l2=on']],
    ['version 2', ['-o', 'compat=0.10']],
    ['lazy refcounts', ['-o', 'lazy_refcounts=on']],
    ['a data file', ['-o', 'data_file=DIR/data.raw']]
  ])('copies qcow2 with %s', async (_, options) => {
    qemuImg('create', '-q', '-f', 'qcow2', ...options.map((option) => option.replace('DIR', dir)), 'a.qcow2', '20M')
    io('qcow2', 'a.qcow2', 'write -P 5 0 1000', 'write -P 6 5M 3M', 'write -P 7 9M 512', 'write -P 8 20479k 1k')
    await copyAndCheck(join(dir, 'a.qcow2'), 'qcow2')
  })

  it('copies what cannot be mapped: compressed, other formats', async () => {
    const raw = await make('raw', 'a.raw', '20M', 'write -P 5 1M 3M')
    qemuImg('convert', '-q', '-c', '-f', 'raw', '-O', 'qcow2', raw, 'c.qcow2')
    const seen: number[] = []
    const source = { path: join(dir, 'c.qcow2'), format: 'qcow2' }
    const copied = await copyImage({ shell, source, target, onProgress: (done, total) => seen.push(done / total) })
    expect(seen.at(-1)).toBe(1)
    expect(copied.dataBytes).toBe(3 << 20)
    await rm(target)
    qemuImg('convert', '-q', '-f', 'raw', '-O', 'vmdk', raw, 'a.vmdk')
    await copyAndCheck(join(dir, 'a.vmdk'), 'vmdk')
  })

  it('takes a raw disk for raw, whatever its guest wrote to its beginning', async () => {
    const trap = await make('qcow2', 'trap.qcow2', '64k')
    const path = join(dir, 'a.raw')
    await writeFile(path, await readFile(trap))
    await copyAndCheck(path, 'raw')
  })

  it('does not let a guest’s backing disk say what is behind it', async () => {
    await make('qcow2', 'secret.qcow2', '1M', 'write -P 9 0 1M')
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'secret.qcow2', '-F', 'qcow2', 'guest.raw', '1M')
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'guest.raw', '-F', 'qcow2', 'top.qcow2', '1M')
    // QEMU of today insists on a format when it creates: take it out again, as older ones wrote it.
    const bytes = await readFile(join(dir, 'top.qcow2'))
    bytes.writeUInt32BE(0x12345678, bytes.indexOf(Buffer.from([0xe2, 0x79, 0x2a, 0xca])))
    await writeFile(join(dir, 'top.qcow2'), bytes)
    const copying = copyImage({ shell, source: { path: join(dir, 'top.qcow2'), format: 'qcow2' }, target })
    await expect(copying).rejects.toThrow(/which format its backing file has/)
  })

  it('copies any pattern of writes', async () => {
    const write = fc.record({
      kind: fc.constantFrom('data', 'zero', 'discard'),
      at: fc.nat(2000),
      length: fc.integer({ min: 1, max: 300 })
    })
    const property = fc.asyncProperty(
      fc.array(write, { maxLength: 12 }),
      fc.constantFrom('raw', 'qcow2'),
      async (writes, format) => {
        await rm(target, { force: true })
        const commands = writes.map(({ kind, at, length }, index) => {
          const range = `${at * 512} ${length * 512}`
          return kind === 'data'
            ? `write -P ${index + 1} ${range}`
            : kind === 'zero'
              ? `write -z ${range}`
              : `discard ${range}`
        })
        await copyAndCheck(await make(format, `p.${format}`, '2M', ...commands), format)
      }
    )
    await fc.assert(property, { numRuns: 15 })
  })

  it('copies an image that a QEMU holds open', async () => {
    const path = await make('qcow2', 'a.qcow2', '8M', 'write -P 5 1M 1M')
    const holder = spawn('qemu-io', ['-f', 'qcow2', path], { stdio: ['pipe', 'pipe', 'ignore'] })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    expect(() => qemuImg('check', '-f', 'qcow2', path)).toThrow(/lock/)
    await copyAndCheck(path, 'qcow2')
    const ended = new Promise((resolve) => holder.once('close', resolve))
    holder.stdin.end('quit\n')
    await ended
  })

  it('tells progress in bytes, up to all of them', async () => {
    const path = await make('raw', 'a.raw', '10M', 'write -P 5 0 10M')
    const seen: [number, number][] = []
    await copyImage({ shell, source: { path, format: 'raw' }, target, onProgress: (...bytes) => seen.push(bytes) })
    expect(seen.at(-1)).toEqual([10 << 20, 10 << 20])
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).toSorted((a, b) => a - b))
  })

  it.each(['raw', 'compressed'])('can be cancelled, and then leaves nothing (%s)', async (kind) => {
    const raw = await make('raw', 'a.raw', '60M', 'write -P 5 0 60M')
    if (kind === 'compressed') qemuImg('convert', '-q', '-c', '-f', 'raw', '-O', 'qcow2', raw, 'c.qcow2')
    const source = kind === 'raw' ? { path: raw, format: 'raw' } : { path: join(dir, 'c.qcow2'), format: 'qcow2' }
    const controller = new AbortController()
    const onProgress = (): void => controller.abort()
    const copying = copyImage({ shell, source, target, onProgress, signal: controller.signal })
    await expect(copying).rejects.toMatchObject({ failure: { kind: 'cancelled' } })
    expect(await readdir(dir)).not.toContain('copy.qcow2')
    await expect(copyImage({ shell, source, target, signal: AbortSignal.abort() })).rejects.toThrow(/cancelled/)
  })

  it('fails in words if there is no source, a damaged one, or something at the target', async () => {
    const source = { path: join(dir, 'none'), format: 'raw' }
    await expect(copyImage({ shell, source, target })).rejects.toMatchObject({ failure: { kind: 'command-failed' } })
    await writeFile(join(dir, 'bad.qcow2'), 'QFI\xfb')
    const damaged = { path: join(dir, 'bad.qcow2'), format: 'qcow2' }
    await expect(copyImage({ shell, source: damaged, target })).rejects.toMatchObject({
      failure: { kind: 'command-failed' }
    })
    await writeFile(target, 'mine')
    const good = { path: await make('raw', 'a.raw', '1M'), format: 'raw' }
    await expect(copyImage({ shell, source: good, target })).rejects.toThrow(/EEXIST/)
    expect(await readFile(target, 'utf8')).toBe('mine')
  })

  it('fails, and leaves nothing, if the source ends before its data does', async () => {
    const path = await make('raw', 'a.raw', '4M', 'write -P 5 0 4M')
    const [info, map] = [
      qemuImg('info', '--backing-chain', '--output=json', '-f', 'raw', path),
      qemuImg('map', '--output=json', '-f', 'raw', path)
    ]
    await truncate(path, 1 << 20)
    const late = fakeShell((call) => (call.argv[1] === 'info' ? info : map))
    await expect(copyImage({ shell: late, source: { path, format: 'raw' }, target })).rejects.toThrow(/ends early/)
    expect(await readdir(dir)).toEqual(['a.raw'])
  })

  it.each([
    ['noise', 'hello\n'],
    [
      'a depth that is not there',
      '[{ "start": 0, "length": 512, "depth": -1, "zero": false, "data": true, "offset": 0}]\n'
    ]
  ])('does not believe a map with %s', async (_, map) => {
    const path = await make('raw', 'a.raw', '1M')
    const info = qemuImg('info', '--backing-chain', '--output=json', '-f', 'raw', path)
    const odd = fakeShell((call) => (call.argv[1] === 'info' ? info : map))
    await expect(copyImage({ shell: odd, source: { path, format: 'raw' }, target })).rejects.toThrow(/bad-output/)
  })

  it.skipIf(!isRoot)('says how much room is missing, and gives back what it took (root: mounts a tmpfs)', async () => {
    const path = await make('raw', 'a.raw', '32M', 'write -P 5 0 32M')
    const small = join(dir, 'small')
    await mkdir(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'stillpoint-test', small])
    try {
      const copying = copyImage({ shell, source: { path, format: 'raw' }, target: join(small, 'x.qcow2') })
      await expect(copying).rejects.toMatchObject({ failure: { kind: 'no-room' } })
      await expect(copyFile(path, join(small, 'y'))).rejects.toMatchObject({ failure: { kind: 'no-room' } })
      expect(await readdir(small)).toEqual([])
    } finally {
      execFileSync('umount', [small])
    }
  })
})

describe('copying a file', () => {
  it('keeps bytes and holes, and hashes what it copied', async () => {
    const source = join(dir, 'a')
    await writeFile(source, Buffer.from('start'))
    await truncate(source, 20_000_003)
    const copied = await copyFile(source, join(dir, 'b'))
    const bytes = await readFile(source)
    expect(bytes.equals(await readFile(join(dir, 'b')))).toBe(true)
    expect(copied).toEqual({ sizeBytes: 20_000_003, sha256: createHash('sha256').update(bytes).digest('hex') })
    expect(await hashFile(join(dir, 'b'))).toEqual(copied)
    expect((await stat(join(dir, 'b'))).blocks * 512).toBeLessThan(200_000)
  })

  it('copies an empty file, and refuses what is no file', async () => {
    await writeFile(join(dir, 'empty'), '')
    expect((await copyFile(join(dir, 'empty'), join(dir, 'e2'))).sizeBytes).toBe(0)
    await expect(copyFile(dir, join(dir, 'x'))).rejects.toThrow(/not a regular file/)
    execFileSync('mkfifo', [join(dir, 'fifo')])
    await expect(hashFile(join(dir, 'fifo'))).rejects.toThrow(/not a regular file/)
  })
})
