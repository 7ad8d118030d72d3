import { execFileSync } from 'node:child_process'
import { link, lstat, mkdir, readFile, readdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StillpointError, failureOf, type Failure } from '../../src/shared/failure.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { spaceAt } from '../../src/store/free-space.ts'
import { FRAME, MAGIC, MAX_DATA_BYTES, MAX_HOLE_BYTES, makeFrame, type FrameKind } from '../../src/store/frames.ts'
import { MAX_MANIFEST_BYTES, MAX_POINT_BYTES, parseManifest } from '../../src/store/manifest.ts'
import { listPoints } from '../../src/store/point-store.ts'
import { exportPoint, importPoint, importState } from '../../src/store/point-stream.ts'
import {
  POINT,
  VM,
  emptyImage,
  makePoint,
  manifestOf,
  sha256,
  temporaryStore,
  writeFiles
} from '../unit/store-points.ts'
import { bestMsOf, timed, triedUntil } from './cpu-time.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('point stream')

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

async function* chunks(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part)
}

const FIRST = Buffer.from('<domain/>\n')
const SECOND = Buffer.from('second file')
const TWO = { 'domain.xml': FIRST, second: SECOND }

const announcing = (manifest: unknown, room = 0): Uint8Array => makeFrame(FRAME.manifest, 0, room, encode(manifest))
const start = [MAGIC, announcing(manifestOf(TWO))]
const firstFile = [
  makeFrame(FRAME.begin, 0, 0),
  makeFrame(FRAME.data, 0, 0, FIRST),
  makeFrame(FRAME.endFile, 0, FIRST.byteLength)
]
const secondFile = [
  makeFrame(FRAME.begin, 1, 0),
  makeFrame(FRAME.data, 1, 0, SECOND),
  makeFrame(FRAME.endFile, 1, SECOND.byteLength)
]
const end = makeFrame(FRAME.end, 0, 0)
const good = [...start, ...firstFile, ...secondFile, end]

/** What came of it: the kind of the failure, whose words can be shown as they are; or `taken`. */
async function importing(store: string, stream: AsyncIterable<Uint8Array>, options: object = {}): Promise<string> {
  try {
    await importPoint(store, POINT, stream, options)
    return 'taken'
  } catch (error) {
    expect(error).toBeInstanceOf(StillpointError)
    const { failure } = error as StillpointError
    const said = Object.values(describeFailure(failure)).join('')
    // eslint-disable-next-line no-control-regex -- what no terminal should get
    expect(said).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/)
    expect((await listPoints(store)).points).toEqual([])
    return failure.kind
  }
}

/** A header as it stands on the wire, with figures that `makeFrame` would not take. */
function header(kind: number, file: number, offset: bigint | number, length: number): Uint8Array {
  const bytes = Buffer.alloc(15)
  bytes.writeUInt8(kind, 0)
  bytes.writeUInt16BE(file, 1)
  bytes.writeBigUInt64BE(BigInt(offset), 3)
  bytes.writeUInt32BE(length, 11)
  return bytes
}

describe('names in a point that is sent', () => {
  const DEVICES = ['CON', 'prn', 'Aux', 'NUL', 'nul', 'COM0', 'com1', 'COM9', 'lpt1', 'LPT9']
  const names: readonly (readonly string[])[] = [
    ...DEVICES.flatMap((name) => [[name], [`${name}.txt`], [`disks/${name}.qcow2`], [`${name}/x`], [`${name}.a.b`]]),
    ...['a.', 'a..', 'disks./x', 'a/b./c', 'vda.qcow2.'].map((name) => [name]),
    ['a', 'A'],
    ['disks/vda.qcow2', 'disks/VDA.qcow2'],
    ['disks/a', 'Disks/b'],
    ['a', 'A/b'],
    ['a/b', 'A'],
    ['a/b/c', 'a/B/d'],
    ['x/a/b', 'x/A'],
    ['Domain.xml', 'domain.XML'],
    ['MEMORY.save', 'memory.save'],
    ['manifest.json'],
    ['Manifest.json'],
    ['MANIFEST.JSON'],
    ['manifest.json.new'],
    ['manifest.JSON.new'],
    ['manifest.json/x'],
    ['manifest.json.new/x'],
    ['Manifest.json/x'],
    ['.owner.json'],
    ['.OWNER.json'],
    ['.owner.json.new'],
    ['.stillpoint-store.json'],
    // The same word in two ways of writing it, and signs that lower case or a file system makes others of.
    ['caf\u00e9'],
    ['cafe\u0301'],
    ['caf\u00e9', 'cafe\u0301'],
    ['\u212aernel', 'kernel'],
    ['stra\u00dfe', 'strasse'],
    ['\u0130', 'i'],
    ['\u0131', 'I'],
    ['\ufb01le', 'file'],
    ['\uff21', 'A'],
    ['\u2160'],
    ['a\u200b'],
    ['a\u202eb'],
    ['a\u2044b'],
    ['a\u2215b'],
    ['\uff0e\uff0e/x'],
    ['\u2024\u2024/x'],
    ['\u{1f4be}'],
    ['\ud800'],
    ['COM\u00b9'],
    ['lpt\u00b2.txt'],
    ...[' ', 'a ', ' a', 'a\t', 'a\n', 'a\r', 'a\u0000', 'a\u0000/b', 'a\u001b[2J', 'a\u009b'].map((name) => [name]),
    ...['a:b', 'a::$DATA', 'C:x', 'C:/x', '\\\\?\\x', '\\\\host\\x', 'a\\b', '..\\x'].map((name) => [name]),
    ...['a*', 'a?', 'a|b', 'a<b', 'a>b', 'a"b', "a'b", '$(x)', '`x`', 'a;b', 'a%b', '%2e%2e/x', '~', '~/x'].map(
      (name) => [name]
    ),
    ...['', '.', '..', '/', '/x', '//x', 'a/', 'a//b', './x', 'a/./b', 'a/../b', '../x', '...', '.x'].map((name) => [
      name
    ]),
    ['a'.repeat(201)],
    ['1/2/3/4/5/6/7/8'],
    ['a', 'a/b'],
    ['a', 'a'],
    ['a/b/c', 'a/b']
  ]

  it.each(names.map((paths) => [paths]))('are refused if they cannot be kept everywhere: %j', (paths) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      const files = paths.map((path) => ({ path, sizeBytes: 0, sha256: sha256(new Uint8Array(0)) }))
      const frames = files.flatMap((_, n) => [makeFrame(FRAME.begin, n, 0), makeFrame(FRAME.endFile, n, 0)])
      const manifest = announcing({ ...manifestOf({}), files })
      expect(await importing(store, chunks(MAGIC, manifest, ...frames, end))).toBe('point-format')
      await expect(readdir(store)).rejects.toThrow(/ENOENT/)
    })
  )

  const ours = ['domain.xml', 'memory.xml', 'running.xml', 'host.json', 'RESTORE.md', 'memory.save', 'nvram.fd']
  const disks = ['vda', 'hdb', 'sdzz', 'fda', 'xvda1', 'ubd0'].map((target) => `disks/${target}.qcow2`)
  const others = ['tpm/tpm2/tpm2-00.permall', 'tpm/tpm1.2/tpm-00.permall', 'boot/kernel-0', 'boot/medium-3']
  const contentOf = (path: string): Uint8Array => (path.endsWith('/vda.qcow2') ? emptyImage() : new Uint8Array(0))
  it('are all those that our own backups give', async () => {
    const files = Object.fromEntries([...ours, ...disks, ...others].map((path) => [path, contentOf(path)]))
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const { dir } = await makePoint(from, files)
    expect(await importing(to, exportPoint(dir))).toBe('taken')
  })
})

describe('sizes that a point claims', () => {
  const size = (sizeBytes: unknown): object => ({ path: 'a', sizeBytes, sha256: '0'.repeat(64) })
  const literal = (figure: string): Uint8Array => {
    const text = JSON.stringify({ ...manifestOf({}), files: [size(7777)] }).replace('7777', figure)
    return makeFrame(FRAME.manifest, 0, 0, new TextEncoder().encode(text))
  }
  const figures = [
    ...[MAX_POINT_BYTES + 1, 2 ** 48, 2 ** 50, 2 ** 52, 2 ** 53 - 1].map(String),
    ...[
      '9007199254740992',
      '9007199254740993',
      '18446744073709551616',
      '1e15',
      '1e16',
      '1e308',
      '1e999',
      '-1',
      '-1e999'
    ],
    ...[
      '0.5',
      '1.0000001',
      'NaN',
      'Infinity',
      'null',
      'true',
      '"1"',
      '""',
      '[1]',
      '{}',
      '0x10',
      '01',
      '1_000',
      '+1',
      ''
    ]
  ]
  it.each(figures)('are refused before anything is written: %s', (figure) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      const stream = chunks(MAGIC, literal(figure), makeFrame(FRAME.begin, 0, 0), makeFrame(FRAME.endFile, 0, 0), end)
      expect(await importing(store, stream)).toBe('point-format')
      await expect(readdir(store)).rejects.toThrow(/ENOENT/)
    })
  )

  it.each([
    [2, MAX_POINT_BYTES / 2 + 1],
    [3, MAX_POINT_BYTES / 2],
    [1024, MAX_POINT_BYTES / 1023],
    [1024, 2 ** 53 - 1]
  ])('are refused for their sum: %d files of %d bytes', (count, each) =>
    tally.tried(async () => {
      const files = Array.from({ length: count }, (_, n) => ({ ...size(Math.floor(each)), path: `f${n}` }))
      const stream = chunks(MAGIC, announcing({ ...manifestOf({}), files }), makeFrame(FRAME.begin, 0, 0))
      expect(await importing(await temporaryStore(), stream)).toBe('point-format')
    })
  )

  it.each([1025, 5000])('are refused for %d files', (count) =>
    tally.tried(async () => {
      const files = Array.from({ length: count }, (_, n) => ({ ...size(0), path: `f${n}` }))
      const stream = chunks(MAGIC, announcing({ ...manifestOf({}), files }))
      expect(await importing(await temporaryStore(), stream)).toBe('point-format')
    })
  )

  const HUGE = 2 ** 44
  const huge = announcing({ ...manifestOf({}), files: [{ path: 'a', sizeBytes: HUGE, sha256: '0'.repeat(64) }] })
  const byte = (offset: number): Uint8Array => makeFrame(FRAME.data, 0, offset, new Uint8Array([1]))
  const holes: Record<string, Uint8Array[]> = {
    'all of it, at its end': [makeFrame(FRAME.endFile, 0, HUGE)],
    'all but the last byte': [byte(HUGE - 1), makeFrame(FRAME.endFile, 0, HUGE)],
    'just too much at its beginning': [byte(MAX_HOLE_BYTES + 1)],
    'all behind the first byte': [byte(0), makeFrame(FRAME.endFile, 0, HUGE)],
    'two GiB behind the first byte': [byte(0), byte(2 ** 31)],
    'four GiB behind the first byte': [byte(0), byte(2 ** 32 + 1)],
    'all but the middle': [byte(HUGE / 2), makeFrame(FRAME.endFile, 0, HUGE)]
  }
  it.each(Object.entries(holes))('cost nothing to claim and so nothing to refuse: a hole of %s', (_, frames) =>
    tally.tried(async () => {
      let hashed = 0
      const onProgress = (done: number): void => void (hashed = done)
      const stream = chunks(MAGIC, huge, makeFrame(FRAME.begin, 0, 0), ...frames, end)
      expect(await importing(await temporaryStore(), stream, { onProgress })).toBe('bad-output')
      expect(hashed).toBeLessThanOrEqual(1)
    })
  )

  it('may be those of a long hole if its sender says now and then that it goes on, and can be cancelled', () =>
    tally.tried(async () => {
      const stop = new AbortController()
      let frames = 0
      async function* patient(): AsyncGenerator<Uint8Array> {
        yield* chunks(MAGIC, huge, makeFrame(FRAME.begin, 0, 0))
        for (let at = 2 ** 26; ; at += 2 ** 26, frames++) yield await Promise.resolve(byte(at))
      }
      const onProgress = (done: number): void => (done > 2 ** 28 ? stop.abort() : undefined)
      const store = await temporaryStore()
      expect(await importing(store, patient(), { signal: stop.signal, onProgress })).toBe('cancelled')
      expect(frames).toBeLessThan(8)
    }))

  it.each([1, 2 ** 30, 2 ** 45])(
    'are refused where far more would be left out than the file system there could have: %d bytes too many',
    (more) =>
      tally.tried(async () => {
        let hashed = 0
        const store = await temporaryStore()
        await mkdir(store, { recursive: true })
        const { totalBytes } = await spaceAt(store)
        const files = [{ path: 'a', sizeBytes: totalBytes + 2 ** 44 + more, sha256: '0'.repeat(64) }]
        const frames = Array.from({ length: 100 }, (_, n) => byte(n * MAX_HOLE_BYTES))
        const begin = makeFrame(FRAME.begin, 0, 0)
        const stream = chunks(MAGIC, announcing({ ...manifestOf({}), files }), begin, ...frames, end)
        expect(await importing(store, stream, { onProgress: (done: number): void => void (hashed = done) })).toBe(
          'point-format'
        )
        expect(hashed).toBe(0)
      })
  )

  it('are said now and then by our own sender', async () => {
    const [from, to] = [await temporaryStore(), await temporaryStore()]
    const bytes = MAX_HOLE_BYTES + 2 ** 26 + 5
    const zeros = execFileSync('sh', ['-c', `head -c ${bytes} /dev/zero | sha256sum`], { encoding: 'utf8' }).slice(
      0,
      64
    )
    const { dir, manifest } = await makePoint(from, { a: new Uint8Array(0) })
    await truncate(join(dir, 'a'), bytes)
    const files = [{ path: 'a', sizeBytes: bytes, sha256: zeros }]
    await writeFile(join(dir, 'manifest.json'), encode({ ...manifest, files }))
    expect(await importing(to, exportPoint(dir))).toBe('taken')
    const { size: arrived, blocks } = await stat(join(to, VM, POINT, 'a'))
    expect([arrived, blocks * 512 < 2 ** 20]).toEqual([bytes, true])
  })

  it.each([2 ** 50, 2 ** 52, 2 ** 53 - 1])('are held against the room there is: %d bytes of disk', (room) =>
    tally.tried(async () => {
      const stream = chunks(MAGIC, announcing(manifestOf(TWO), room), ...firstFile, ...secondFile, end)
      expect(await importing(await temporaryStore(), stream)).toBe('no-room')
    })
  )
})

describe('frames', () => {
  it('are taken in their order', async () => {
    expect(await importing(await temporaryStore(), chunks(...good))).toBe('taken')
  })

  const KINDS = [0, 1, 2, 3, 4, 5, 7, 128, 255]
  const places = [
    ['behind the magic', [MAGIC], FRAME.manifest],
    ['behind the manifest', start, FRAME.begin],
    ['at the beginning of a file', [...start, ...firstFile.slice(0, 1)], FRAME.data],
    ['within a file', [...start, ...firstFile.slice(0, 2)], FRAME.endFile],
    ['between files', [...start, ...firstFile], FRAME.begin],
    ['behind the last file', [...start, ...firstFile, ...secondFile], FRAME.end]
  ] as const
  const misplaced = places.flatMap(([where, before, right]) =>
    KINDS.filter((kind) => kind !== right).flatMap((kind) => [
      { kind, length: 0, where, before },
      { kind, length: 1, where, before }
    ])
  )
  it.each(misplaced)('are refused in another place: kind $kind with $length bytes $where', ({ kind, length, before }) =>
    tally.tried(async () => {
      const file = before.length > 5 ? 1 : 0
      const stream = chunks(
        ...before,
        header(kind, file, 0, length),
        new Uint8Array(length),
        ...good.slice(before.length)
      )
      expect(await importing(await temporaryStore(), stream)).toBe('bad-output')
    })
  )

  const bare: readonly FrameKind[] = [FRAME.begin, FRAME.endFile, FRAME.end]
  const loaded = good.flatMap((frame, n) => (bare.includes(frame[0] as FrameKind) && n > 1 ? [n] : []))
  const lengths = [1, 15, 65_536, 2 ** 31, 2 ** 32 - 1]
  it.each(loaded.flatMap((n) => lengths.map((length) => [n, length] as const)))(
    'have bytes only where bytes belong: frame %d with %d',
    (n, length) =>
      tally.tried(async () => {
        const heavy = Buffer.from(good[n] ?? [])
        heavy.writeUInt32BE(length, 11)
        const filled = new Uint8Array(Math.min(length, 65_536))
        const stream = chunks(...good.slice(0, n), heavy, filled, ...good.slice(n + 1))
        expect(await importing(await temporaryStore(), stream)).toBe('bad-output')
      })
  )

  const offsets = [1, 5, 9, 10, 11, 512, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]
  const shifted = [2, 3, 4, 5, 6, 7].flatMap((n) => offsets.map((offset) => ({ n, offset })))
  const isRight = ({ n, offset }: { n: number; offset: number | bigint }): boolean =>
    (n === 4 && offset === FIRST.byteLength) || (n === 7 && offset === SECOND.byteLength)
  it.each(shifted.filter((shift) => !isRight(shift)))('have their place: frame $n at $offset', ({ n, offset }) =>
    tally.tried(async () => {
      const moved = Buffer.from(good[n] ?? [])
      moved.writeBigUInt64BE(BigInt(offset), 3)
      const stream = chunks(...good.slice(0, n), moved, ...good.slice(n + 1))
      expect(await importing(await temporaryStore(), stream)).toBe('bad-output')
    })
  )

  const strangers = [2, 3, 4, 5, 6, 7].flatMap((n) => [0, 1, 2, 255, 256, 65_535].map((file) => ({ n, file })))
  it.each(strangers.filter(({ n, file }) => file !== (n < 5 ? 0 : 1)))(
    'are of the file that is being sent: frame $n of file $file',
    ({ n, file }) =>
      tally.tried(async () => {
        const other = Buffer.from(good[n] ?? [])
        other.writeUInt16BE(file, 1)
        const stream = chunks(...good.slice(0, n), other, ...good.slice(n + 1))
        expect(await importing(await temporaryStore(), stream)).toBe('bad-output')
      })
  )

  it.each([0, 9, 11, MAX_DATA_BYTES + 1, 2 ** 31, 2 ** 32 - 1])('of data have %d bytes for no other', (length) =>
    tally.tried(async () => {
      const data = Buffer.concat([header(FRAME.data, 0, 0, length), FIRST])
      const stream = chunks(...start, firstFile[0] as Uint8Array, data, ...good.slice(4))
      expect(await importing(await temporaryStore(), stream)).toBe('bad-output')
    })
  )

  const swaps = good
    .slice(2)
    .flatMap((_, n) => [
      ['left out', n + 2, good.filter((_frame, at) => at !== n + 2)] as const,
      ['sent twice', n + 2, good.flatMap((frame, at) => (at === n + 2 ? [frame, frame] : [frame]))] as const,
      ['sent too early', n + 2, swapped(n + 1)] as const
    ])
  // One that is sent twice at the end is behind it: nobody reads it.
  const wrong = swaps.filter(([how, at]) => !(how === 'sent twice' && at === good.length - 1))
  it.each(wrong)('are not %s: frame %d', (_how, _at, frames) =>
    tally.tried(async () => {
      expect(await importing(await temporaryStore(), chunks(...frames))).toBe('bad-output')
    })
  )

  function swapped(n: number): Uint8Array[] {
    const frames = [...good]
    ;[frames[n], frames[n + 1]] = [frames[n + 1] as Uint8Array, frames[n] as Uint8Array]
    return frames
  }
})

describe('a sender that stops', () => {
  const whole = Buffer.concat(good)
  const borders = good.reduce<number[]>((ends, frame) => [...ends, (ends.at(-1) ?? 0) + frame.byteLength], [])
  const cuts = [...new Set(borders.flatMap((at) => [at - 1, at, at + 1, at + 8]))].filter((at) => at < whole.byteLength)

  it.each(cuts)('is refused after %d bytes, and what was right is gone on with', (cut) =>
    tally.tried(async () => {
      const [from, store] = [await temporaryStore(), await temporaryStore()]
      expect(await importing(store, chunks(whole.subarray(0, cut)))).toBe('bad-output')
      const { dir } = await makePoint(from, TWO)
      expect(await importing(store, exportPoint(dir, { have: await importState(store, POINT) }))).toBe('taken')
      for (const [path, content] of Object.entries(TWO))
        expect(await readFile(join(store, VM, POINT, path))).toEqual(content)
    })
  )

  it.each(cuts)('and says nothing after %d bytes is not waited for without end', (cut) =>
    tally.tried(async () => {
      async function* silent(): AsyncGenerator<Uint8Array> {
        yield await Promise.resolve(whole.subarray(0, cut))
        await new Promise<never>(() => undefined)
      }
      expect(await importing(await temporaryStore(), silent(), { maxSilenceMs: 1 })).toBe('timeout')
    })
  )

  const forged: unknown[] = [
    { kind: 'host-key-changed', host: 'good', address: 'x', keyType: 'x', fingerprint: 'x', knownIn: 'x' },
    { kind: 'identity-unusable', file: '/root/.ssh/id', reason: 'run this' },
    { kind: 'auth-failed', host: 'good', user: 'root', tried: 'x' },
    { kind: 'no-root', host: 'good', user: 'x', sudoersLine: 'ALL ALL=(ALL) NOPASSWD: ALL' },
    { kind: 'connection-lost', host: 'good', during: 'x' },
    { kind: 'preflight' },
    { kind: 'preflight', problems: [{ text: 1, fix: null }] },
    { kind: 'ambiguous' },
    { kind: 'state-not-savable', devices: 'x' },
    { kind: 'no-room', path: '/', neededBytes: -1 },
    { kind: 'store-changed', store: '/', detail: 'x' },
    { kind: 'left-behind', left: [{ path: '/', because: 'x', fix: ['rm -rf /'] }] },
    { kind: 'io' },
    { kind: 'io', path: 1, code: {}, detail: [] },
    { kind: 'io', path: 'x'.repeat(5000), code: 'x', detail: 'x' },
    { kind: 'cancelled' },
    { kind: 'constructor' },
    { kind: '__proto__' },
    { kind: 'toString' },
    {},
    [],
    null,
    1,
    'x',
    { kind: 'bug', reference: '\u001b[2J\u009b31m\u202e\u200b', message: '\r\n' }
  ]
  const bytes: Uint8Array[] = [
    ...forged.map(encode),
    new Uint8Array(0),
    new Uint8Array([0xff, 0xfe, 0x80]),
    new Uint8Array(65_536).fill(91),
    new TextEncoder().encode('{"kind":"io","kind":"io"'),
    new TextEncoder().encode('\ufeff{}'),
    new TextEncoder().encode('\u001b]0;title\u0007\u001b[2J')
  ]
  it.each(bytes.map((payload, n) => [n, payload] as const))('is quoted, and gives no orders: %d', (_, payload) =>
    tally.tried(async () => {
      const said = makeFrame(FRAME.error, 0, 0, payload)
      for (const before of [1, 2, 3, 4, 5, 8])
        expect(await importing(await temporaryStore(), chunks(...good.slice(0, before), said))).toBe('bad-output')
    })
  )

  it('cannot say much', () =>
    tally.tried(async () => {
      const stream = chunks(MAGIC, header(FRAME.error, 0, 0, 65_537), new Uint8Array(65_537))
      expect(await importing(await temporaryStore(), stream)).toBe('bad-output')
    }))

  const told: Failure[] = [
    { kind: 'io', path: '\u001b[2J/srv', code: '\u009b', detail: '\u202etxt' },
    { kind: 'point-damaged', point: '\u001b', file: '\u200b', detail: '\r' },
    { kind: 'point-format', point: '\u001b', detail: '\u2066x' },
    { kind: 'not-found', what: 'point', name: '\u001b[31m' },
    { kind: 'cancelled', what: '\u0007' }
  ]
  it.each(told)('says what a sender may say, as text: $kind', (failure) =>
    tally.tried(async () => {
      const stream = chunks(MAGIC, makeFrame(FRAME.error, 0, 0, encode(failure)))
      expect(await importing(await temporaryStore(), stream)).toBe(failure.kind)
    })
  )
})

describe('what waits where a point is received', () => {
  const CONTENT = 'of somebody else'
  const waiting: Record<string, (path: string, outside: string) => Promise<unknown>> = {
    'a hard link': (path, outside) => link(outside, path),
    'a symlink': (path, outside) => symlink(outside, path),
    'a symlink to nothing': (path, outside) => symlink(`${outside}-not`, path),
    'a symlink to itself': (path) => symlink(path, path),
    'a folder': (path) => mkdir(path),
    'a folder with something in it': async (path) => writeFiles(path, { x: FIRST }),
    'a FIFO': (path) => Promise.resolve(execFileSync('mkfifo', [path])),
    'the beginning': (path) => writeFile(path, FIRST.subarray(0, 5)),
    'another beginning': (path) => writeFile(path, 'xxxxx'),
    'more than all': (path) => writeFile(path, Buffer.concat([FIRST, FIRST])),
    'a hole of 4 TiB': async (path) => {
      await writeFile(path, '')
      await truncate(path, 2 ** 42)
    }
  }
  const froms = [0, 1, 5, 10, 11]
  const cases = Object.keys(waiting).flatMap((what) => froms.map((from) => [what, from] as const))

  it.each(cases)('is not written through, nor followed: %s, gone on with at %d', (what, from) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      const outside = join(dirname(store), 'outside')
      await writeFiles(dirname(store), { outside: Buffer.from(CONTENT) })
      await mkdir(join(store, '.incoming', POINT), { recursive: true })
      await waiting[what]?.(join(store, '.incoming', POINT, 'domain.xml'), outside)
      const rest = FIRST.subarray(from)
      const data = rest.byteLength === 0 ? [] : [makeFrame(FRAME.data, 0, from, rest)]
      const file = [makeFrame(FRAME.begin, 0, from), ...data, makeFrame(FRAME.endFile, 0, FIRST.byteLength)]
      const came = await importing(store, chunks(...start, ...file, ...secondFile, end))
      expect(['taken', 'bad-output']).toContain(came)
      if (came === 'taken') {
        const arrived = join(store, VM, POINT, 'domain.xml')
        expect([await readFile(arrived), (await lstat(arrived)).nlink]).toEqual([FIRST, 1])
      }
      expect([await readFile(outside, 'utf8'), (await readdir(dirname(store))).sort()]).toEqual([
        CONTENT,
        ['outside', 'points']
      ])
    })
  )

  it.each(Object.keys(waiting))('is not counted on where it could be somebody’s: %s', (what) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      await writeFiles(dirname(store), { outside: Buffer.from(CONTENT) })
      await mkdir(join(store, '.incoming', POINT), { recursive: true })
      await waiting[what]?.(join(store, '.incoming', POINT, 'domain.xml'), join(dirname(store), 'outside'))
      const { 'domain.xml': have = 0 } = await importState(store, POINT)
      const ours = ['the beginning', 'another beginning', 'more than all', 'a hole of 4 TiB']
      expect(have > 0).toBe(ours.includes(what))
    })
  )

  const inFolder: Record<string, (path: string, outside: string) => Promise<unknown>> = {
    'a symlink to a folder': async (path, outside) => {
      await mkdir(outside)
      await symlink(outside, path)
    },
    'a symlink to nothing': (path, outside) => symlink(`${outside}-not`, path),
    'a file': (path) => writeFile(path, 'x'),
    'a FIFO': (path) => Promise.resolve(execFileSync('mkfifo', [path])),
    'a symlink out of the store': (path) => symlink('../../../..', path)
  }
  it.each(Object.keys(inFolder))('in place of a folder is not followed, and makes way: %s', (what) =>
    tally.tried(async () => {
      const [from, store] = [await temporaryStore(), await temporaryStore()]
      const { dir } = await makePoint(from, { 'tpm/tpm2/x': FIRST })
      await mkdir(join(store, '.incoming', POINT), { recursive: true })
      await inFolder[what]?.(join(store, '.incoming', POINT, 'tpm'), join(dirname(store), 'outside'))
      const around = (): string =>
        execFileSync('find', [dirname(store), '-not', '-path', `${store}*`], { encoding: 'utf8' })
      const before = around()
      expect(await importing(store, exportPoint(dir))).toBe('taken')
      expect(around()).toBe(before)
      expect(await readFile(join(store, VM, POINT, 'tpm/tpm2/x'))).toEqual(FIRST)
    })
  )

  const SMALL = ['.owner.json', '.owner.json.new', 'manifest.json', 'manifest.json.new', 'domain.xml']
  const odd: Record<string, (path: string, outside: string) => Promise<unknown>> = {
    'a folder': (path) => mkdir(path),
    'a folder with something in it': (path) => writeFiles(path, { x: FIRST }),
    'a folder with a name that no point has': (path) => writeFiles(path, { '.a b': FIRST }),
    'a symlink': (path, outside) => symlink(outside, path),
    'a FIFO': (path) => Promise.resolve(execFileSync('mkfifo', [path]))
  }
  const places = SMALL.flatMap((name) => Object.keys(odd).map((what) => [name, what] as const))
  it.each(places)('in place of the small file %s is in the way of no point: %s', (name, what) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      const outside = join(dirname(store), 'outside')
      await writeFile(outside, CONTENT).catch(() => writeFiles(dirname(store), { outside: Buffer.from(CONTENT) }))
      await mkdir(join(store, '.incoming', POINT), { recursive: true })
      await odd[what]?.(join(store, '.incoming', POINT, name), outside)
      expect(await importing(store, chunks(...good))).toBe('taken')
      expect(await readFile(outside, 'utf8')).toBe(CONTENT)
      expect((await readdir(join(store, VM, POINT))).sort()).toEqual(['domain.xml', 'manifest.json', 'second'])
    })
  )

  const ofStore = [VM, '.incoming'].flatMap((name) => Object.keys(inFolder).map((what) => [name, what] as const))
  it.each(ofStore)('in place of the folder %s of the store is refused before anything is made: %s', (name, what) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      await mkdir(store, { recursive: true })
      await inFolder[what]?.(join(store, name), join(dirname(store), 'outside'))
      const all = (): string => execFileSync('find', [dirname(store)], { encoding: 'utf8' })
      const before = all()
      for (let tries = 0; tries < 2; tries += 1) expect(await importing(store, chunks(...good))).toBe('point-unsafe')
      expect(all()).toBe(before)
      await rm(join(store, name))
      expect(await importing(store, chunks(...good))).toBe('taken')
    })
  )

  it('may be in a store that is itself behind a symlink', async () => {
    const store = await temporaryStore()
    await mkdir(join(dirname(store), 'elsewhere'), { recursive: true })
    await symlink(join(dirname(store), 'elsewhere'), store)
    expect(await importing(store, chunks(...good))).toBe('taken')
  })
})

describe('what is exchanged while a point is received', () => {
  type Act = (path: string, outside: string) => Promise<unknown>
  const acts: Record<string, Act> = {
    'for a symlink': async (path, outside) => {
      await rm(path)
      await symlink(outside, path)
    },
    'for a hard link': async (path, outside) => {
      await rm(path)
      await link(outside, path)
    },
    'for another file of the same size': async (path) => {
      await writeFile(`${path}-new`, Buffer.alloc(FIRST.byteLength, 1))
      await rename(`${path}-new`, path)
    },
    'for a FIFO': async (path) => {
      await rm(path)
      execFileSync('mkfifo', [path])
    },
    'for a folder': async (path) => {
      await rm(path)
      await mkdir(path)
    },
    'for nothing': (path) => rm(path),
    'for one that has another name too': (path, outside) => link(path, `${outside}-link`)
  }
  const moments = [3, 4]
  const cases = Object.keys(acts).flatMap((what) => moments.map((moment) => [what, moment] as const))

  it.each(cases)('is no part of it: the file %s, before frame %d', (what, moment) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      const outside = join(dirname(store), 'outside')
      await writeFiles(dirname(store), { outside: Buffer.from('of somebody') })
      async function* watched(): AsyncGenerator<Uint8Array> {
        for (const [n, frame] of good.entries()) {
          if (n === moment) await exchanged(join(store, '.incoming', POINT, 'domain.xml'))
          yield frame
        }
      }
      const exchanged = async (path: string): Promise<void> => {
        while ((await lstat(path).catch(() => undefined)) === undefined) await new Promise(setImmediate)
        await acts[what]?.(path, outside)
      }
      expect(['bad-output', 'point-unsafe', 'point-damaged']).toContain(await importing(store, watched()))
      expect(await readFile(outside, 'utf8')).toBe('of somebody')
    })
  )
})

describe('the folder that a point is received in', () => {
  type Act = (incoming: string, outside: string) => Promise<unknown>
  const swapped: Record<string, Act> = {
    'a symlink in its place': async (incoming, outside) => {
      await rename(join(incoming, POINT), `${outside}-old`)
      await symlink(outside, join(incoming, POINT))
    },
    'a folder of somebody in its place': async (incoming, outside) => {
      await rename(join(incoming, POINT), `${outside}-old`)
      await rename(outside, join(incoming, POINT))
      await symlink(join(incoming, POINT), outside) // to be looked at below
    },
    'nothing in its place': (incoming, outside) => rename(join(incoming, POINT), `${outside}-old`),
    'a file in its place': async (incoming, outside) => {
      await rename(join(incoming, POINT), `${outside}-old`)
      await writeFile(join(incoming, POINT), 'x')
    },
    'a symlink in place of what it lies in': async (incoming, outside) => {
      await rename(incoming, `${outside}-old`)
      await mkdir(`${outside}-other`)
      await symlink(outside, join(`${outside}-other`, POINT))
      await symlink(`${outside}-other`, incoming)
    },
    'a symlink to where it is now': async (incoming, outside) => {
      await rename(incoming, `${outside}-old`)
      await symlink(`${outside}-old`, incoming)
    }
  }
  const lying = [...good.slice(0, 3), makeFrame(FRAME.data, 0, 0, Buffer.alloc(FIRST.byteLength)), ...good.slice(4)]
  const streams = { right: good, wrong: lying }
  const moments = [
    [2, '', 'right'],
    [4, 'domain.xml', 'right'],
    [5, 'domain.xml', 'right'],
    [7, 'second', 'right'],
    [8, 'second', 'right'],
    [2, '', 'wrong'],
    [4, 'domain.xml', 'wrong']
  ] as const
  const cases = Object.keys(swapped).flatMap((what) => moments.map((moment) => [what, ...moment] as const))
  it.each(cases)(
    'is left for no other: %s before frame %d, with “%s” there, the rest of it %s',
    (what, moment, begun, how) =>
      tally.tried(async () => {
        const store = await temporaryStore()
        const outside = join(dirname(store), 'outside')
        await writeFiles(outside, { 'domain.xml': Buffer.from('theirs'), second: Buffer.from('too') })
        const incoming = join(store, '.incoming')
        async function* slow(): AsyncGenerator<Uint8Array> {
          for (const [n, frame] of streams[how].entries()) {
            if (n === moment) {
              const isThere = (): Promise<unknown> => lstat(join(incoming, POINT, begun)).catch(() => undefined)
              while ((await isThere()) === undefined) await new Promise(setImmediate)
              await swapped[what]?.(incoming, outside)
            }
            yield frame
          }
        }
        expect(['point-unsafe', 'bad-output', 'point-damaged']).toContain(await importing(store, slow()))
        const theirs = ['domain.xml', 'second'].map((name) => readFile(join(outside, name), 'utf8'))
        expect(await Promise.all(theirs)).toEqual(['theirs', 'too'])
        expect((await readdir(outside)).sort()).toEqual(['domain.xml', 'second'])
      })
  )
})

describe('a manifest that is sent', () => {
  const odd: Record<string, (manifest: Manifest) => object> = {
    'of another point': (manifest) => ({ ...manifest, id: '20261122T201744Z-000000' }),
    'of another format': (manifest) => ({ ...manifest, format: 'stillpoint-job' }),
    'of a newer version': (manifest) => ({ ...manifest, version: 2 }),
    'of version 0': (manifest) => ({ ...manifest, version: 0 }),
    'with a field that nobody knows': (manifest) => ({ ...manifest, extra: 1 }),
    'with a VM that is a path': (manifest) => ({ ...manifest, vm: { uuid: '../../etc', name: 'x' } }),
    'with a VM in capitals': (manifest) => ({ ...manifest, vm: { uuid: VM.toUpperCase(), name: 'x' } }),
    'with a VM without a name': (manifest) => ({ ...manifest, vm: { uuid: VM, name: '' } }),
    'with a disk that is not in it': (manifest) => ({ ...manifest, disks: [{ ...disk, file: 'disks/vdb.qcow2' }] }),
    'with one disk twice': (manifest) => ({ ...manifest, disks: [disk, disk] }),
    'with RAM that is not in it': (manifest) => ({ ...manifest, memory: { file: 'memory.save', ramBytes: 1 } }),
    'with RAM that leads out': (manifest) => ({ ...manifest, memory: { file: '../x', ramBytes: 1 } }),
    'with a TPM that is not in it': (manifest) => ({ ...manifest, tpm: { files: ['tpm/x'] } }),
    'with a hash in capitals': (manifest) => hashed(manifest, 'F'.repeat(64)),
    'with a short hash': (manifest) => hashed(manifest, 'f'.repeat(63)),
    'with an empty hash': (manifest) => hashed(manifest, '')
  }
  const disk = {
    target: 'vda',
    file: 'domain.xml',
    virtualSizeBytes: 1,
    originalSource: '/x',
    originalFormat: 'raw',
    originalType: 'file'
  }
  const hashed = (manifest: Manifest, hash: string): object => ({
    ...manifest,
    files: manifest.files.map((file) => ({ ...file, sha256: hash }))
  })

  it.each(Object.entries(odd))('is refused: %s', (_, change) =>
    tally.tried(async () => {
      const store = await temporaryStore()
      const stream = chunks(MAGIC, announcing(change(manifestOf(TWO))), ...good.slice(2))
      expect(await importing(store, stream)).toBe('point-format')
      await expect(readdir(store)).rejects.toThrow(/ENOENT/)
    })
  )

  it.each([0, 1, 2, 4_194_305, 2 ** 31, 2 ** 32 - 1])('is refused with %d bytes', (length) =>
    tally.tried(async () => {
      const stream = chunks(MAGIC, header(FRAME.manifest, 0, 0, length), new Uint8Array(16), ...good.slice(2))
      expect(['point-format', 'bad-output']).toContain(await importing(await temporaryStore(), stream))
    })
  )
})

/** As long as it may be, of as many of these as it has room for, or so many. */
function filled(before: string, each: (n: number) => string, after: string, most = Infinity): string {
  const texts: string[] = []
  let left = MAX_MANIFEST_BYTES - before.length - after.length
  for (let n = 0; texts.length < most; n += 1) {
    const text = each(n)
    left -= Buffer.byteLength(text) + 1
    if (left < 0) break
    texts.push(text)
  }
  return `${before}${texts.join(',')}${after}`
}

describe('a manifest that costs much for its length', () => {
  const key = (n: number): string => `"${n.toString(36)}":0`
  /** In which nothing else is wrong. */
  const sound = `${JSON.stringify(manifestOf({})).slice(0, -1)},`
  const spaces = ' '.repeat(MAX_MANIFEST_BYTES - 100)
  const dear: Record<string, string> = {
    'half a million names': filled('{', key, '}'),
    'as many names as may be': filled('{', key, '}', 14_000),
    'long names': filled(sound, (n) => `"${n}${'x'.repeat(280)}":0`, '}', 14_000),
    'long names of what is not shown': filled(sound, (n) => `"${n}${'\u200b'.repeat(90)}":0`, '}', 14_000),
    'names of a VM': filled('{"vm":{', key, '}}', 14_000),
    'files that are none': filled('{"files":[', () => '{}', ']}', 14_000),
    'files without end': filled('{"files":[', () => '{}', ']}'),
    'files that could be': filled(
      '{"files":[',
      (n) => JSON.stringify({ path: `f${n}`, sizeBytes: 0, sha256: '0'.repeat(64) }),
      ']}',
      4200
    ),
    numbers: filled('{"pauses":[', () => '7', ']}', 29_000),
    'numbers without end': filled('{"pauses":[', () => '7', ']}'),
    'lists in lists': `{"files":${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}}`,
    'spaces alone': `{${spaces}}`,
    'spaces behind a name': `{"a"${spaces}:0}`,
    'a text': `{"id":"${'x'.repeat(MAX_MANIFEST_BYTES - 100)}"}`,
    'a text of what is not shown': `{"id":"${'\u200b'.repeat((MAX_MANIFEST_BYTES - 100) / 3)}"}`,
    'a text of escapes': `{"id":"${String.raw`\u0001`.repeat((MAX_MANIFEST_BYTES - 100) / 6)}"}`,
    'empty texts': `[${'""'.repeat(2_000_000)}]`,
    'brackets that close': '}'.repeat(MAX_MANIFEST_BYTES)
  }

  it.each(Object.entries(dear))('is refused in words, and holds nobody up: %s', (_, text) =>
    tally.tried(async () => {
      const bytes = Buffer.from(text)
      expect(bytes.length).toBeLessThanOrEqual(MAX_MANIFEST_BYTES)
      const parse = (): unknown => {
        try {
          return parseManifest(bytes, POINT)
        } catch (error) {
          return failureOf(error)
        }
      }
      expect(parse()).toMatchObject({ kind: 'point-format' })
      expect(bestMsOf(triedUntil(50, () => timed(parse)))).toBeLessThan(50)
      const stream = chunks(MAGIC, makeFrame(FRAME.manifest, 0, 0, bytes), ...good.slice(2))
      expect(await importing(await temporaryStore(), stream)).toBe('point-format')
    })
  )
})
