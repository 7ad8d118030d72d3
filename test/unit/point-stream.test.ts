import fc from 'fast-check'
import { lstat, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FailureKind } from '../../src/shared/failure.ts'
import type { PointFile } from '../../src/shared/model/point.ts'
import { FRAME, MAGIC, makeFrame } from '../../src/store/frames.ts'
import { dropIncoming, exportPoint, importPoint, importState } from '../../src/store/point-stream.ts'
import { deletePoint, findPoint, listPoints } from '../../src/store/point-store.ts'
import {
  FILES,
  OTHER_VM,
  POINT,
  VM,
  emptyImage,
  makePoint,
  manifestOf,
  sha256,
  temporaryStore,
  writeFiles
} from './store-points.ts'

const failing = (kind: FailureKind, parts: object = {}): object =>
  expect.objectContaining({ failure: expect.objectContaining({ kind, ...parts }) as object }) as object

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

const whole = (...parts: readonly Uint8Array[]): AsyncIterable<Uint8Array> => chunked(Buffer.concat(parts), 1 << 16)

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const manifestFrame = (manifest: unknown, room = 0): Uint8Array => makeFrame(FRAME.manifest, 0, room, encode(manifest))

const contentOf = ({ sizeBytes, sha256 }: PointFile): object => ({ sizeBytes, sha256 })

const ONE = { 'domain.xml': new TextEncoder().encode('<domain/>\n') }
const oneFile = (...frames: Uint8Array[]): AsyncIterable<Uint8Array> =>
  whole(MAGIC, manifestFrame(manifestOf(ONE)), ...frames)

describe('a point sent from one store to another', () => {
  it('arrives whole, byte by byte, and is a point there', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const { dir, manifest } = await makePoint(from)
    const seen: number[] = []
    const arrived = await importPoint(to, POINT, exportPoint(dir), {
      onProgress: (done, total) => seen.push(done / total)
    })
    expect(arrived).toEqual(manifest)
    expect(await listPoints(to)).toEqual({ points: [manifest], broken: [], marks: {} })
    for (const path of [...Object.keys(FILES), 'manifest.json'])
      expect(await readFile(join(to, VM, POINT, path))).toEqual(await readFile(join(dir, path)))
    expect(seen.at(-1)).toBe(1)
    expect(await readdir(to)).toEqual([VM])
  })

  it('is the same however the bytes are cut, and whatever the files hold', async () => {
    const run = fc.record({ zeros: fc.nat(300_000), data: fc.nat(150_000) })
    const property = fc.asyncProperty(
      fc.array(run, { maxLength: 4 }),
      fc.integer({ min: 1, max: 100_000 }),
      async (runs, size) => {
        const parts = runs.map(({ zeros, data }) => [new Uint8Array(zeros), new Uint8Array(data).fill(7)]).flat()
        const content = Buffer.concat([...parts, Buffer.from('end')])
        const [from, to] = [await temporaryStore(), await temporaryStore()]
        const { dir } = await makePoint(from, { ...ONE, 'memory.save': content })
        await importPoint(to, POINT, chunked(await bytesOf(exportPoint(dir)), size))
        expect(sha256(await readFile(join(to, VM, POINT, 'memory.save')))).toBe(sha256(content))
      }
    )
    await fc.assert(property, { numRuns: 25 })
  })

  it('leaves out what is zero, on the wire and on disk', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const content = Buffer.concat([new Uint8Array(8 << 20), Buffer.from('x'), new Uint8Array(8 << 20)])
    const { dir } = await makePoint(from, { 'memory.save': content })
    const sent = await bytesOf(exportPoint(dir))
    expect(sent.byteLength).toBeLessThan(100_000)
    await importPoint(to, POINT, whole(sent))
    const { size, blocks } = await stat(join(to, VM, POINT, 'memory.save'))
    expect([size, blocks * 512 < 200_000]).toEqual([content.byteLength, true])
  })

  it('goes on where it was cut, wherever that was', async () => {
    const from = await temporaryStore()
    const { dir, manifest } = await makePoint(from)
    const sent = await bytesOf(exportPoint(dir))
    const to = await temporaryStore()
    for (let cut = 1; cut < sent.byteLength; cut += 20_011) {
      await expect(importPoint(to, POINT, whole(sent.subarray(0, cut)))).rejects.toEqual(failing('bad-output'))
      expect(await listPoints(to)).toEqual({ points: [], broken: [], marks: {} })
      const have = await importState(to, POINT)
      const rest = await bytesOf(exportPoint(dir, { have }))
      expect(await importPoint(to, POINT, whole(rest))).toEqual(manifest)
      await deletePoint(to, POINT)
    }
  })

  it('sends only the rest of what is there', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const content = Buffer.alloc(3 << 20, 5)
    const { dir } = await makePoint(from, { 'memory.save': content })
    const sent = await bytesOf(exportPoint(dir))
    await importPoint(to, POINT, whole(sent.subarray(0, 2.5 * 2 ** 20))).catch(() => undefined)
    const have = await importState(to, POINT)
    expect(have['memory.save']).toBe(2 << 20)
    const rest = await bytesOf(exportPoint(dir, { have }))
    expect(rest.byteLength).toBeLessThan(1.1 * 2 ** 20)
    await importPoint(to, POINT, whole(rest))
  })

  it('finds out that the beginning it had is another, forgets it, and then gets it all', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const { dir, manifest } = await makePoint(from)
    await writeFiles(join(to, '.incoming', POINT), {
      'memory.save': new Uint8Array(1000).fill(66),
      stray: new Uint8Array(1)
    })
    const first = importPoint(to, POINT, exportPoint(dir, { have: await importState(to, POINT) }))
    await expect(first).rejects.toEqual(failing('bad-output'))
    expect(await importState(to, POINT)).not.toHaveProperty('memory.save')
    const again = await importPoint(to, POINT, exportPoint(dir, { have: await importState(to, POINT) }))
    expect(again).toEqual(manifest)
    expect(await readdir(join(to, VM, POINT))).not.toContain('stray')
  })

  it('survives being killed between commit and move', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const { dir, manifest } = await makePoint(from)
    await writeFiles(join(to, '.incoming', POINT), {
      ...FILES,
      'manifest.json': await readFile(join(dir, 'manifest.json'))
    })
    const stream = exportPoint(dir, { have: await importState(to, POINT) })
    expect(await importPoint(to, POINT, stream)).toEqual(manifest)
  })

  it('is not taken twice, unless it is the same', async () => {
    const [from, to, other] = [await temporaryStore(), await temporaryStore(), await temporaryStore()]
    const { dir, manifest } = await makePoint(from)
    await importPoint(to, POINT, exportPoint(dir))
    expect(await importPoint(to, POINT, exportPoint(dir))).toEqual(manifest)
    const changed = await makePoint(other, FILES, { warnings: ['another'] })
    await expect(importPoint(to, POINT, exportPoint(changed.dir))).rejects.toEqual(failing('point-exists'))
    expect((await listPoints(to)).points).toEqual([manifest])
  })

  it('is not taken under the id of another VM of that store: whoever asks for it asks by its id', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const theirs = await makePoint(from, FILES, { vm: { uuid: OTHER_VM, name: 'evil' } })
    const { manifest } = await makePoint(to)
    await expect(importPoint(to, POINT, exportPoint(theirs.dir))).rejects.toEqual(failing('point-exists'))
    expect((await listPoints(to)).points).toEqual([manifest])
    expect(await findPoint([to], POINT, VM)).toMatchObject({ manifest: { vm: { uuid: VM } } })
    await expect(findPoint([to], POINT, OTHER_VM)).rejects.toEqual(failing('not-found'))
  })

  it('can be cancelled while nothing comes', async () => {
    const controller = new AbortController()
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
    const receiving = importPoint(await temporaryStore(), POINT, silent, { signal: controller.signal })
    controller.abort()
    await expect(receiving).rejects.toEqual(failing('cancelled'))
  })

  it('leaves nothing when dropped', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const { dir } = await makePoint(from)
    const sent = await bytesOf(exportPoint(dir))
    await importPoint(to, POINT, whole(sent.subarray(0, sent.byteLength - 30))).catch(() => undefined)
    expect(await importState(to, POINT)).toHaveProperty('memory.save')
    await dropIncoming(to)
    await dropIncoming(to)
    expect(await readdir(to)).toEqual([])
  })
})

describe('a sender that cannot', () => {
  it('says so in the stream', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const { dir } = await makePoint(from)
    await expect(importPoint(to, POINT, exportPoint(join(from, VM, 'x')))).rejects.toEqual(failing('not-found'))
    await rm(join(dir, 'domain.xml'))
    const expected = failing('point-damaged', { file: 'domain.xml' })
    await expect(importPoint(to, POINT, exportPoint(dir))).rejects.toEqual(expected)
  })

  it('is quoted, not believed', async () => {
    const said = makeFrame(FRAME.error, 0, 0, encode({ kind: 'host-key-changed', x: '\u001b[2J' }))
    const receiving = importPoint(await temporaryStore(), POINT, whole(MAGIC, said))
    await expect(receiving).rejects.toEqual(
      failing('bad-output', { detail: expect.stringContaining('host-key-changed') as string })
    )
  })

  it('whose disk has changed since is found out by the hash', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const { dir } = await makePoint(from)
    await writeFile(join(dir, 'nvram.fd'), new Uint8Array(4096).fill(4))
    await expect(importPoint(to, POINT, exportPoint(dir))).rejects.toEqual(failing('bad-output'))
    expect(await importState(to, POINT)).not.toHaveProperty('nvram.fd')
  })
})

describe('a stream that is not to be trusted', () => {
  const begin = makeFrame(FRAME.begin, 0, 0)
  const data = makeFrame(FRAME.data, 0, 0, ONE['domain.xml'])
  const endFile = makeFrame(FRAME.endFile, 0, 10)
  const end = makeFrame(FRAME.end, 0, 0)
  const huge = Buffer.from(makeFrame(FRAME.data, 0, 0))
  huge.writeUInt32BE(0xffff_ffff, 11)
  const far = Buffer.from(makeFrame(FRAME.data, 0, 0, new Uint8Array(1)))
  far.writeBigUInt64BE(2n ** 60n, 3)

  it('is taken if it is good', async () => {
    const manifest = await importPoint(await temporaryStore(), POINT, oneFile(begin, data, endFile, end))
    expect(manifest.id).toBe(POINT)
  })

  const bad: Record<string, () => AsyncIterable<Uint8Array>> = {
    'is empty': () => whole(),
    'is noise': () => whole(new Uint8Array(1000).fill(65)),
    'is a login banner': () => whole(new TextEncoder().encode('Welcome to alpha!\n'), MAGIC),
    'has no manifest': () => whole(MAGIC, begin),
    'has a manifest of 4 GiB': () => {
      const frame = Buffer.from(makeFrame(FRAME.manifest, 0, 0))
      frame.writeUInt32BE(0xffff_ffff, 11)
      return whole(MAGIC, frame)
    },
    'has an unknown frame': () => whole(MAGIC, new Uint8Array(15).fill(99)),
    'begins another file': () => oneFile(makeFrame(FRAME.begin, 1, 0)),
    'begins in the middle of what is not here': () => oneFile(makeFrame(FRAME.begin, 0, 5)),
    'has a frame of 4 GiB': () => oneFile(begin, huge),
    'has an offset beyond all files': () => oneFile(begin, far),
    'has data behind the end': () => oneFile(begin, makeFrame(FRAME.data, 0, 5, ONE['domain.xml'])),
    'has data twice': () => oneFile(begin, data, data),
    'has data of another file': () => oneFile(begin, makeFrame(FRAME.data, 1, 0, ONE['domain.xml'])),
    'has empty data': () => oneFile(begin, makeFrame(FRAME.data, 0, 0)),
    'has other data': () => oneFile(begin, makeFrame(FRAME.data, 0, 0, new Uint8Array(10)), endFile, end),
    'has less data': () => oneFile(begin, endFile, end),
    'ends a file elsewhere': () => oneFile(begin, data, makeFrame(FRAME.endFile, 0, 9)),
    'ends without its end': () => oneFile(begin, data, endFile),
    'goes on behind the last file': () => oneFile(begin, data, endFile, begin)
  }
  it.each(Object.entries(bad))('is refused if it %s', async (_, stream) => {
    const store = await temporaryStore()
    await expect(importPoint(store, POINT, stream())).rejects.toEqual(failing('bad-output'))
    expect(await listPoints(store)).toEqual({ points: [], broken: [], marks: {} })
  })

  it('never breaks anything, whatever byte is another', async () => {
    const from = await temporaryStore()
    const { dir, manifest } = await makePoint(from, { ...ONE, 'nvram.fd': new Uint8Array(100).fill(1) })
    const sent = await bytesOf(exportPoint(dir))
    const property = fc.asyncProperty(
      fc.nat(sent.byteLength - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const store = await temporaryStore()
        const changed = Buffer.from(sent)
        changed[at] = (changed[at] ?? 0) ^ flip
        const result = await importPoint(store, POINT, whole(changed)).catch((error: unknown) => String(error))
        // A byte of the manifest that is a name may differ: its own hash is not in it. What files hold may not.
        if (typeof result === 'string') expect(result).toMatch(/bad-output|point-format|no-room|usage/)
        else expect(result.files.map(contentOf)).toEqual(manifest.files.map(contentOf))
        expect((await listPoints(store)).broken).toEqual([])
      }
    )
    await fc.assert(property, { numRuns: 100 })
  })

  it.each([
    ['a path that leads out', { files: [{ path: '../../../x', sizeBytes: 10, sha256: '0'.repeat(64) }] }],
    ['another version', { version: 9 }],
    ['another point', { id: '20261122T201744Z-000000' }]
  ])('is refused for a manifest with %s before anything is written', async (_, change) => {
    const store = await temporaryStore()
    const stream = whole(MAGIC, manifestFrame({ ...manifestOf(ONE), ...change }), begin, data, endFile, end)
    await expect(importPoint(store, POINT, stream)).rejects.toEqual(failing('point-format'))
    await expect(readdir(store)).rejects.toThrow()
  })

  it('is refused before anything is written if there is no room', async () => {
    const store = await temporaryStore()
    const stream = whole(MAGIC, manifestFrame(manifestOf(ONE), 2 ** 52), begin, data, endFile, end)
    await expect(importPoint(store, POINT, stream)).rejects.toEqual(failing('no-room', { neededBytes: 2 ** 52 }))
  })

  it('is refused, and forgotten, if an image in it would read other files', async () => {
    const image = Buffer.from(emptyImage())
    image.writeBigUInt64BE(512n, 8)
    image.writeUInt32BE(11, 16)
    image.write('/etc/shadow', 512)
    const files = { 'disks/vda.qcow2': image }
    const frames = [
      makeFrame(FRAME.begin, 0, 0),
      makeFrame(FRAME.data, 0, 0, image),
      makeFrame(FRAME.endFile, 0, image.byteLength),
      end
    ]
    const store = await temporaryStore()
    const receiving = importPoint(store, POINT, whole(MAGIC, manifestFrame(manifestOf(files)), ...frames))
    await expect(receiving).rejects.toEqual(failing('point-unsafe'))
    expect(await readdir(store)).toEqual([])
  })

  it('never writes through a symlink, which makes way', async () => {
    const from = await makePoint(await temporaryStore(), { 'disks/vda.qcow2': emptyImage() })
    const outside = join(await temporaryStore(), 'outside')
    await mkdir(outside, { recursive: true })
    const sent = {
      'domain.xml': () => oneFile(begin, data, endFile, end),
      disks: () => exportPoint(from.dir)
    }
    for (const [name, stream] of Object.entries(sent)) {
      const store = await temporaryStore()
      await mkdir(join(store, '.incoming', POINT), { recursive: true })
      await symlink(name === 'disks' ? outside : join(outside, 'x'), join(store, '.incoming', POINT, name))
      await importPoint(store, POINT, stream())
      expect((await lstat(join(store, VM, POINT, name))).isSymbolicLink()).toBe(false)
    }
    expect(await readdir(outside)).toEqual([])
  })
})
