import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { copyPoint } from '../../src/main/core/points/copy-point.ts'
import { joinPlaces, nearestFirst, type KnownPoint } from '../../src/main/core/points/point-places.ts'
import { preflight, startRestore } from '../../src/main/core/points/points.ts'
import type { Place } from '../../src/main/core/settings/settings-schema.ts'
import type { PointTexts } from '../../src/shared/engine-protocol.ts'
import { fail, StillpointError, type Failure } from '../../src/shared/failure.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { FRAME, MAGIC, makeFrame } from '../../src/store/frames.ts'
import { findPoint } from '../../src/store/point-store.ts'
import { exportPoint, importPoint, importState } from '../../src/store/point-stream.ts'
import { readPointTexts } from '../../src/store/point-texts.ts'
import { FILES, makePoint, manifestOf, POINT, temporaryStore } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('hosts that list a point and do not send it')

type Stream = AsyncGenerator<Uint8Array>
type Sending = (store: string, have: Record<string, number>) => Stream

async function* cutAfter(stream: Stream, frames: number): Stream {
  let count = 0
  for await (const chunk of stream) if (count++ < frames) yield chunk
}

/** From a store with the same manifest, whose first large file is another from its first byte on. */
async function* rubbishBehind(manifest: Manifest, bytes: number): Stream {
  yield MAGIC
  yield makeFrame(FRAME.manifest, 0, 0, Buffer.from(JSON.stringify(manifest)))
  yield makeFrame(FRAME.begin, 0, 0)
  yield await Promise.resolve(makeFrame(FRAME.data, 0, 0, new Uint8Array(bytes).fill(7)))
}

/** What a host shows of a point, beside the manifest that it has listed. */
const SHOWN: Readonly<Record<string, (texts: PointTexts) => PointTexts>> = {
  'nonsense in the place of its definition': (texts) => ({ ...texts, domain: 'nonsense' }),
  'a tamer definition': (texts) => ({ ...texts, domain: '<domain type="test"/>' }),
  'no definition': (texts) => ({ ...texts, domain: '' }),
  'another host': (texts) => ({ ...texts, host: '{"networks":[]}' }),
  'another definition of its RAM': (texts) => ({ ...texts, memory: '<domain type="test"/>' }),
  'none of its RAM': ({ memory: _, ...texts }) => texts,
  'another manifest': (texts) => ({ ...texts, manifest: JSON.stringify(manifestOf(FILES)) })
}

/** What a host sends that says to have the point. */
const SENT: Readonly<Record<string, Sending>> = {
  'nothing at all': (store) => cutAfter(exportPoint(store), 0),
  'no point': async function* () {
    yield await Promise.resolve(new Uint8Array(100_000).fill(9))
  },
  'its beginning': (store) => cutAfter(exportPoint(store), 4),
  'rubbish behind its manifest, and no end': () => rubbishBehind(manifestOf(FILES), 5),
  'rubbish behind its manifest': async function* () {
    yield* rubbishBehind(manifestOf(FILES), 10)
    yield makeFrame(FRAME.endFile, 0, 10)
  },
  'another point of its id, whole': async function* () {
    const other = await temporaryStore()
    const { dir } = await makePoint(other, { 'domain.xml': new Uint8Array(7) }, { warnings: ['another'] })
    yield* exportPoint(dir)
  },
  'its disks with other RAM': async function* () {
    const other = await temporaryStore()
    const { dir } = await makePoint(other, { ...FILES, 'memory.save': new Uint8Array(9) })
    yield* exportPoint(dir)
  },
  'its disks with RAM that it had not': async function* () {
    const other = await temporaryStore()
    const { dir } = await makePoint(other, FILES, { memory: { file: 'disks/vda.qcow2', ramBytes: 9 } })
    yield* exportPoint(dir)
  },
  'that it has it no more': async function* () {
    yield MAGIC
    const said = JSON.stringify({ kind: 'not-found', what: 'point', name: POINT })
    yield await Promise.resolve(makeFrame(FRAME.error, 0, 0, Buffer.from(said)))
  },
  'that somebody has cancelled it': async function* () {
    yield MAGIC
    const said = JSON.stringify({ kind: 'cancelled', what: 'sending a point' })
    yield await Promise.resolve(makeFrame(FRAME.error, 0, 0, Buffer.from(said)))
  },
  'an error of no kind': async function* () {
    yield MAGIC
    yield await Promise.resolve(makeFrame(FRAME.error, 0, 0, Buffer.from('{"kind":')))
  },
  'the end of its connection': async function* () {
    yield await Promise.resolve(MAGIC)
    fail({ kind: 'connection-lost', host: 'evil', during: 'export' })
  }
}

interface Played {
  readonly core: Core
  readonly asked: string[]
  readonly copies: { readonly from: string }[]
  /** The small files by which a target was asked what a restore would meet. */
  readonly looked: (PointTexts | undefined)[]
}

/** How the hosts are otherwise than they are by default. */
interface Otherwise {
  /** What `good` sends of the point in its store. */
  readonly good?: Sending
  /** The small files that one shows, where the point is in this store. */
  readonly shown?: Readonly<Partial<Record<string, (store: string) => Promise<PointTexts>>>>
}

const textsIn = (store: string): Promise<PointTexts> => readPointTexts(store, POINT)

/** Hosts on paper: `good` has the point in a store, `evil` sends what it likes, `third` receives into a store. */
function played(good: string, third: string, evil: Sending, otherwise: Otherwise = {}): Played {
  const { good: sending = (store, have) => exportPoint(store, { have }), shown = {} } = otherwise
  const asked: string[] = []
  const looked: (PointTexts | undefined)[] = []
  const copies: { from: string }[] = []
  const engine = (host: string): Promise<unknown> => {
    const exported = async function* ({ have = {} }: { have?: Record<string, number> }): Stream {
      asked.push(host)
      const { dir } = await findPoint([good], POINT)
      yield* host === 'good' ? sending(dir, have) : evil(dir, have)
    }
    const call = async (verb: string, question: Question, options?: { stream?: Stream }): Promise<unknown> => {
      if (verb === 'import-state') return { have: (await importState(third, POINT)) as unknown }
      if (verb === 'import' && options?.stream) return importPoint(third, POINT, options.stream)
      if (verb === 'preflight') {
        looked.push(question.files)
        return []
      }
      if (verb === 'submit') return {}
      if (host !== 'evil' || shown['evil'] !== undefined) return (shown[host] ?? textsIn)(good)
      return fail({ kind: 'point-unsafe', point: POINT, file: 'domain.xml', detail: '' })
    }
    return Promise.resolve({ exportPoint: exported, call })
  }
  const hosts = ['evil', 'good', 'third'].map((name) => ({ name, address: name }))
  const settings = { read: () => ({ hosts, places: [] }), update: () => undefined }
  const addCopy = (copy: { from: string }): Promise<void> => Promise.resolve(void copies.push(copy))
  const history = { addCopy, addBegun: () => Promise.resolve() }
  const connections = { engine, connected: () => Promise.resolve(undefined) }
  return { core: { settings, history, connections } as unknown as Core, asked, copies, looked }
}

type Receive = (stream: AsyncIterable<Uint8Array>) => Promise<unknown>

/** Another way in which a host takes what is sent to it, by its own engine. */
function receivesBy(core: Core, host: string, take: (stream: Stream, receive: Receive) => Promise<unknown>): void {
  type Call = (verb: string, question: object, options?: { stream?: AsyncIterable<Uint8Array> }) => Promise<unknown>
  const { connections } = core as unknown as { connections: { engine: (host: string) => Promise<{ call: Call }> } }
  const ask = connections.engine
  connections.engine = async (asked) => {
    const engine = await ask(asked)
    const call: Call = (verb, question, options) =>
      asked === host && verb === 'import' && options?.stream !== undefined
        ? take(options.stream as Stream, (stream) => engine.call(verb, question, { stream }))
        : engine.call(verb, question, options)
    return { ...engine, call }
  }
}

/** All that comes is on its way there before the host says anything, as over a fast line; a fault of it is the caller's. */
async function takesAll(stream: Stream, receive: Receive): Promise<unknown> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return receive(fromChunks(chunks))
}

async function* fromChunks(chunks: readonly Uint8Array[]): Stream {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}

interface Question {
  readonly files?: PointTexts
}

const on = (host: string): Place => ({ kind: 'host', host, dir: DEFAULT_STORE })
/** As lists join it: `evil` was asked first, and nobody is known not to answer. */
const listed = (manifest: Manifest): KnownPoint => {
  const [point] = joinPlaces(['evil', 'good'].map((host) => ({ manifest, place: on(host) })))
  return nearestFirst(point ?? fail({ kind: 'not-found', what: 'point', name: POINT }), () => true)
}

const to = { to: 'third', mode: 'boot', replace: false, diskDir: undefined } as const
const nothing: Sending = (store) => cutAfter(exportPoint(store), 0)
/** Few bytes, as they may come one by one. */
const SMALL = { 'domain.xml': FILES['domain.xml'] ?? new Uint8Array(1), 'nvram.fd': new Uint8Array(4096).fill(3) }
/** As the engine writes it: what a restore would meet is looked at in all of its small files. */
const LOOKED_AT = { ...FILES, 'host.json': new TextEncoder().encode('{}') }

const isWhole = async (store: string): Promise<void> => {
  const { dir } = await findPoint([store], POINT)
  for (const [path, bytes] of Object.entries(FILES))
    expect(Buffer.compare(await readFile(join(dir, path)), bytes), path).toBe(0)
}

const sent = Object.entries(SENT)

describe('a point that two hosts list', () => {
  it.each(sent)('comes from the other where the first sends %s, to this computer', async (_what, evil) => {
    await tally.tried(async () => {
      const [good, third, here] = [await temporaryStore(), await temporaryStore(), await temporaryStore()]
      const { manifest } = await makePoint(good)
      const { core, asked, copies } = played(good, third, evil)
      await copyPoint(core, listed(manifest), { kind: 'local', dir: here }, { onProgress: () => undefined })
      await isWhole(here)
      expect(asked.slice(0, 1)).toEqual(['evil'])
      expect(copies).toMatchObject([{ from: 'good' }])
    })
  })

  it.each(sent)('comes from the other where the first sends %s, to a third host', async (_what, evil) => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      const { manifest } = await makePoint(good)
      const { core, copies } = played(good, third, evil)
      await copyPoint(core, listed(manifest), on('third'), { onProgress: () => undefined })
      await isWhole(third)
      expect(copies).toMatchObject([{ from: 'good' }])
    })
  })

  it.each(sent)('is not asked of the other where its own host has it: %s', async (_what, evil) => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      const { manifest } = await makePoint(good, FILES, { host: { name: 'good', machineId: '' } })
      const { core, asked } = played(good, third, evil)
      await copyPoint(core, listed(manifest), on('third'), { onProgress: () => undefined })
      expect(asked).toEqual(['good'])
    })
  })

  it.each(sent)('is not there where none has it, and nothing else is: %s', async (_what, evil) => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      const { manifest } = await makePoint(good)
      const { core, copies } = played(good, third, evil)
      const point = { ...listed(manifest), places: [on('evil')] }
      await expect(copyPoint(core, point, on('third'), { onProgress: () => undefined })).rejects.toThrow()
      await expect(findPoint([third], POINT)).rejects.toThrow()
      expect(copies).toEqual([])
      expect((await readdir(third).catch(() => [])).filter((name) => name === manifest.vm.uuid)).toEqual([])
    })
  })

  it.each([1, 14, 15, 16, 1000, 1_000_000])(
    "has come where its source has sent its end: what that does then is nobody's affair (in pieces of %i bytes)",
    async (pieceBytes) => {
      await tally.tried(async () => {
        const [good, third, here] = [await temporaryStore(), await temporaryStore(), await temporaryStore()]
        const { manifest } = await makePoint(good, SMALL)
        const goingOn: Sending = async function* (store) {
          const frames: Uint8Array[] = []
          for await (const frame of exportPoint(store)) frames.push(frame)
          const sent = Buffer.concat([...frames, Buffer.from('and more')])
          for (let at = 0; at < sent.byteLength; at += pieceBytes) yield sent.subarray(at, at + pieceBytes)
          fail({ kind: 'connection-lost', host: 'evil', during: 'export' })
        }
        for (const to of [on('third'), { kind: 'local', dir: here } as const]) {
          const { core, copies } = played(good, third, goingOn)
          receivesBy(core, 'third', takesAll)
          const point = { ...listed(manifest), places: [on('evil')] }
          expect(await copyPoint(core, point, to, { onProgress: () => undefined })).toEqual(manifest)
          expect(copies).toMatchObject([{ from: 'evil' }])
        }
      })
    }
  )

  it('is written down with where it came from though its receiver is heard of no more', async () => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      const { manifest } = await makePoint(good)
      const { core, copies } = played(good, third, nothing)
      const known: number[] = []
      receivesBy(core, 'third', async (stream, receive) => {
        await receive(stream)
        known.push(copies.length)
        return fail({ kind: 'connection-lost', host: 'third', during: 'import' })
      })
      const point = { ...listed(manifest), places: [on('good')] }
      const copying = copyPoint(core, point, on('third'), { onProgress: () => undefined })
      await expect(copying).rejects.toThrow('connection-lost')
      await isWhole(third)
      expect(known).toEqual([1])
      expect(copies).toMatchObject([{ from: 'good', to: 'third' }])
    })
  })

  it.each([
    ['is', [], { hasOwnRam: true }],
    ['is not, as another sent it there,', [on('good')], { from: 'evil' }]
  ] as const)('has RAM that %s the own one of its host, whoever sends it', async (_, secondHand, copy) => {
    const [good, third] = [await temporaryStore(), await temporaryStore()]
    const { manifest } = await makePoint(good, FILES, { ...RAM, host: { name: 'good', machineId: '' } })
    const { core, copies } = played(good, third, (store) => exportPoint(store), { good: nothing })
    await copyPoint(core, { ...listed(manifest), secondHand }, on('third'), { onProgress: () => undefined })
    expect(copies).toMatchObject([{ from: 'evil', ...copy }])
    expect(copies.map((each) => 'hasOwnRam' in each)).toEqual(['hasOwnRam' in copy])
  })

  it('is written down with where it came from before anybody is told of its new place', async () => {
    const [good, here] = [await temporaryStore(), await temporaryStore()]
    const { manifest } = await makePoint(good)
    const { core, copies } = played(good, good, nothing)
    const known: number[] = []
    Object.assign(core.settings, { update: () => void known.push(copies.length) })
    await copyPoint(core, listed(manifest), { kind: 'local', dir: here }, { onProgress: () => undefined })
    expect(known).toEqual([1])
  })

  it('is written down with where it was to come from though it was there before, and nothing of it came', async () => {
    await tally.tried(async () => {
      const [good, here] = [await temporaryStore(), await temporaryStore()]
      const { manifest } = await makePoint(good)
      const { core, copies } = played(good, good, nothing)
      const copy = (): Promise<unknown> =>
        copyPoint(core, listed(manifest), { kind: 'local', dir: here }, { onProgress: () => undefined })
      await copy()
      copies.length = 0
      await copy()
      expect(copies).toMatchObject([{ from: 'good', to: here }])
    })
  })

  it('is looked at on the other where the first does not show it', async () => {
    await tally.tried(async () => {
      const good = await temporaryStore()
      const { manifest } = await makePoint(good, LOOKED_AT)
      const { core } = played(good, good, nothing)
      expect(await preflight(core, { ...to, point: listed(manifest) })).toMatchObject({ items: [] })
    })
  })

  it.each(Object.entries(SHOWN))('is looked at on the other where the first shows %s', async (_what, shown) => {
    await tally.tried(async () => {
      const good = await temporaryStore()
      const { manifest } = await makePoint(good, { ...LOOKED_AT, 'memory.xml': new TextEncoder().encode('<domain/>') })
      const { core, looked } = played(good, good, nothing, {
        shown: { evil: async (store) => shown(await textsIn(store)) }
      })
      await preflight(core, { ...to, point: listed(manifest) })
      expect(looked).toEqual([await textsIn(good)])
    })
  })

  it.each(Object.entries(SHOWN))('is not looked at where its only host shows %s', async (_what, shown) => {
    await tally.tried(async () => {
      const good = await temporaryStore()
      const { manifest } = await makePoint(good, { ...LOOKED_AT, 'memory.xml': new TextEncoder().encode('<domain/>') })
      const { core, looked } = played(good, good, nothing, {
        shown: { evil: async (store) => shown(await textsIn(store)) }
      })
      const point = { ...listed(manifest), places: [on('evil')] }
      await expect(preflight(core, { ...to, point })).rejects.toThrow('point-')
      expect(looked).toEqual([])
    })
  })
})

const RAM = { memory: { file: 'memory.save', ramBytes: 1 } } as const
const { 'memory.save': _, ...DISKS } = FILES
const WITH_RAM = manifestOf(FILES, RAM)
const WITHOUT_RAM = manifestOf(DISKS)

/** As lists join what each of them lists; a copy of which a check has found that it is damaged comes last. */
function listedBy(copies: readonly (readonly [Place, Manifest])[], damaged?: Place): KnownPoint {
  const verified = { at: '2026-11-22T20:17:44.123Z', good: false }
  const [point] = joinPlaces(
    copies.map(([place, manifest]) => ({
      place,
      manifest,
      ...(place === damaged && { marks: { pinned: false, verified } })
    }))
  )
  return nearestFirst(point ?? fail({ kind: 'not-found', what: 'point', name: POINT }), () => true)
}

describe('a point that one host lists without the RAM that another has', () => {
  it.each(sent)('comes from the one with RAM where the other sends %s', async (_what, evil) => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      await makePoint(good, FILES, RAM)
      const { core, asked, copies } = played(good, third, evil)
      const copiesOf = [[on('good'), WITH_RAM] as const, [on('evil'), WITHOUT_RAM] as const]
      const point = listedBy(copiesOf)
      expect(point.manifest).toEqual(WITHOUT_RAM)
      await copyPoint(core, point, on('third'), { onProgress: () => undefined })
      await isWhole(third)
      expect(asked.slice(0, 1)).toEqual(['evil'])
      expect(copies).toMatchObject([{ from: 'good' }])
    })
  })

  it('comes from the one with RAM where the copy of its own host is damaged', async () => {
    const [good, third] = [await temporaryStore(), await temporaryStore()]
    const host = { name: 'evil', machineId: '' }
    const { manifest } = await makePoint(good, FILES, { ...RAM, host })
    const { core, asked } = played(good, third, nothing)
    const own = on('evil')
    const copiesOf = [[own, { ...WITHOUT_RAM, host }] as const, [on('good'), manifest] as const]
    const point = listedBy(copiesOf, own)
    expect(point.manifest).not.toHaveProperty('memory')
    await copyPoint(core, point, on('third'), { onProgress: () => undefined })
    await isWhole(third)
    expect(asked).toEqual(['good'])
  })

  it('comes from this computer with its RAM, and is looked at there before', async () => {
    const [third, here] = [await temporaryStore(), await temporaryStore()]
    const host = { name: 'evil', machineId: '' }
    const { manifest } = await makePoint(here, LOOKED_AT, { ...RAM, host })
    const { core, asked } = played(here, third, nothing)
    const local = { kind: 'local', dir: here } as const
    const own = on('evil')
    const pruned = {
      ...manifestOf(LOOKED_AT, { host }),
      files: manifest.files.filter(({ path }) => !/^memory/.test(path))
    }
    const point = listedBy([[own, pruned] as const, [local, manifest] as const], own)
    expect(point.places).toEqual([local, own])
    expect(await preflight(core, { ...to, point })).toMatchObject({ items: [] })
    await copyPoint(core, point, on('third'), { onProgress: () => undefined })
    await isWhole(third)
    expect(asked).toEqual([])
  })

  it('is not looked at on this computer where another point of its id lies there now', async () => {
    const [third, here] = [await temporaryStore(), await temporaryStore()]
    await makePoint(here, LOOKED_AT, { warnings: ['another'] })
    const { core } = played(here, third, nothing)
    const point = listedBy([[{ kind: 'local', dir: here }, manifestOf(LOOKED_AT)]])
    await expect(preflight(core, { ...to, point })).rejects.toThrow('point-unsafe')
  })

  it.each(['memory.xml', 'memory.save'])('is two points where both have RAM, of which one has another %s', (path) => {
    const ours = { ...FILES, 'memory.xml': new Uint8Array(3) }
    const found = joinPlaces([
      { manifest: manifestOf({ ...ours, [path]: new Uint8Array(9) }, RAM), place: on('evil') },
      { manifest: manifestOf(ours, RAM), place: on('good') }
    ])
    expect(found.map(({ places }) => places)).toEqual([[on('evil')], [on('good')]])
  })
})

describe('RAM that a source does not send', () => {
  const sendingOf = (files: Record<string, Uint8Array>, change: Partial<Manifest> = {}): Sending =>
    async function* () {
      const { dir } = await makePoint(await temporaryStore(), files, change)
      yield* exportPoint(dir)
    }
  const withoutRam = sendingOf(DISKS)
  /** Warnings, and all that has arrived. */
  const copied = async (
    core: Core,
    ram?: 'needed' | 'unneeded',
    point = listed(WITH_RAM)
  ): Promise<{ manifest: Manifest; warnings: string[] }> => {
    const warnings: string[] = []
    const onWarning = (text: string): void => void warnings.push(text)
    const options = { onProgress: () => undefined, onWarning, ...(ram && { ram }) }
    return { manifest: await copyPoint(core, point, on('third'), options), warnings }
  }

  it.each([undefined, 'needed', 'unneeded'] as const)('comes from the next, wanted or not: %s', async (ram) => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      await makePoint(good, FILES, RAM)
      const { core, asked, copies } = played(good, third, withoutRam)
      expect(await copied(core, ram)).toEqual({ manifest: WITH_RAM, warnings: [] })
      await isWhole(third)
      expect(asked).toEqual(['evil', 'good'])
      expect(copies).toMatchObject([{ from: 'good' }])
    })
  })

  it('is said to be gone where no other has it, and what is there comes', async () => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      await makePoint(good, DISKS)
      const { core, copies } = played(good, third, nothing)
      const { manifest, warnings } = await copied(core)
      expect(manifest).toEqual(WITHOUT_RAM)
      expect(warnings).toEqual([expect.stringContaining('good sent the point without it')])
      expect(warnings.join()).toContain('it did not come from where it is listed with RAM: evil (')
      expect(copies).toMatchObject([{ from: 'good' }])
    })
  })

  it('is not booted without where the VM is to go on', async () => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      await makePoint(good, DISKS)
      const { core } = played(good, third, withoutRam)
      const order = { ...to, mode: undefined, point: listed(WITH_RAM) }
      await expect(startRestore(core, order, { onProgress: () => undefined })).rejects.toThrow('without its RAM')
      await expect(findPoint([third], POINT)).rejects.toThrow()
    })
  })

  /** Small files as of a point that has lost its RAM. */
  const lookedAtPruned = { ...DISKS, 'host.json': LOOKED_AT['host.json'] }
  const prunedTexts = async (): Promise<PointTexts> => {
    const store = await temporaryStore()
    await makePoint(store, lookedAtPruned)
    return textsIn(store)
  }
  const goingOn = { ...to, mode: undefined } as const
  const lookedAtWithRam = manifestOf(LOOKED_AT, RAM)

  it('is looked at on the next, as it would come from there', async () => {
    await tally.tried(async () => {
      const good = await temporaryStore()
      await makePoint(good, LOOKED_AT, RAM)
      const { core, looked } = played(good, good, withoutRam, { shown: { evil: prunedTexts } })
      await preflight(core, { ...goingOn, point: listed(lookedAtWithRam) })
      expect(looked).toEqual([await textsIn(good)])
    })
  })

  it('is said to be missing by the check as by the restore, and a boot is not refused for it', async () => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      await makePoint(good, LOOKED_AT, RAM)
      const { core, looked } = played(good, third, sendingOf(lookedAtPruned), { shown: { evil: prunedTexts } })
      const point = { ...listed(lookedAtWithRam), places: [on('evil')] }
      await expect(preflight(core, { ...goingOn, point })).rejects.toThrow('without its RAM')
      await expect(startRestore(core, { ...goingOn, point }, { onProgress: () => undefined })).rejects.toThrow(
        'without'
      )
      expect(looked).toEqual([])
      await preflight(core, { ...to, point })
      expect(looked).toEqual([await prunedTexts()])
    })
  })

  const lost = { kind: 'connection-lost', host: 'good', during: 'export' } as const
  /** What keeps a host from sending the rest: the next time it may. */
  const CUTS: readonly Failure[] = [
    lost,
    { kind: 'host-unreachable', host: 'good', reason: '' },
    { kind: 'timeout', what: 'The next part of the point', afterMs: 1 },
    { kind: 'command-failed', command: 'the engine on good (export)', exitCode: 137, stderr: '' },
    { kind: 'cancelled', what: 'sending a point' }
  ]
  /** All of its RAM, and not that it is all. */
  const cutBy = (failure: Failure): Sending =>
    async function* (store, have) {
      const frames: Uint8Array[] = []
      for await (const frame of exportPoint(store, { have })) frames.push(frame)
      yield* frames.slice(0, -2)
      fail(failure)
    }
  const host = { name: 'good', machineId: '' }
  const ofGood = manifestOf(FILES, { ...RAM, host })
  const ofGoodPruned = manifestOf(DISKS, { host })
  /** As lists join what the own host has, and another without its RAM. */
  const ofTwo = (isReachable = true): KnownPoint => {
    const [point] = joinPlaces([
      { manifest: ofGood, place: on('good') },
      { manifest: ofGoodPruned, place: on('evil') }
    ])
    const only = point ?? fail({ kind: 'not-found', what: 'point', name: POINT })
    return nearestFirst(only, (place) => isReachable || place.kind === 'local' || place.host !== 'good')
  }
  const cutBetween = async (failure: Failure): Promise<Played & { readonly third: string }> => {
    const [good, third] = [await temporaryStore(), await temporaryStore()]
    await makePoint(good, FILES, { ...RAM, host })
    return { ...played(good, third, sendingOf(DISKS, { host }), { good: cutBy(failure) }), third }
  }

  it.each(CUTS)('is not given up where its line is cut: $kind', async (failure) => {
    await tally.tried(async () => {
      const { core, third } = await cutBetween(failure)
      await expect(copied(core, undefined, ofTwo())).rejects.toThrow(failure.kind)
      await expect(findPoint([third], POINT)).rejects.toThrow()
      expect(Object.keys(await importState(third, POINT))).toContain('memory.save')
    })
  })

  it.each(CUTS)('is what is said of, not that another has it without: $kind', async (failure) => {
    await tally.tried(async () => {
      const [good, third] = [await temporaryStore(), await temporaryStore()]
      await makePoint(good, FILES, RAM)
      const { core } = played(good, third, withoutRam, { good: cutBy(failure) })
      await expect(copied(core, 'needed')).rejects.toThrow(failure.kind)
    })
  })

  it('is what the check says of too', async () => {
    const store = await temporaryStore()
    const shown = { evil: prunedTexts, good: () => Promise.reject(new StillpointError(lost)) }
    const { core } = played(store, store, withoutRam, { shown })
    await expect(preflight(core, { ...goingOn, point: listed(lookedAtWithRam) })).rejects.toThrow('connection-lost')
  })

  it('names the place that has the point without it, as its line was cut', async () => {
    const { core } = await cutBetween(lost)
    const warnings: string[] = []
    const options = { onProgress: () => undefined, onWarning: (text: string) => void warnings.push(text) }
    await expect(copyPoint(core, ofTwo(), on('third'), options)).rejects.toThrow('connection-lost')
    expect(warnings).toEqual([expect.stringContaining(`stillpoint copy evil/${POINT} --to third`)])
  })

  it.each(['not-found', 'point-damaged'] as const)('is given up where its place says of it: %s', async (kind) => {
    await tally.tried(async () => {
      const said = { kind, what: 'point', name: POINT, point: POINT, file: 'memory.save', detail: '' } as Failure
      const { core, copies } = await cutBetween(said)
      const { manifest, warnings } = await copied(core, undefined, ofTwo())
      expect(manifest).toEqual(ofGoodPruned)
      expect(warnings).toEqual([expect.stringMatching(/evil sent the point without it.*listed with RAM: good \(/)])
      expect(copies).toMatchObject([{ from: 'evil' }])
    })
  })

  it('is not waited for where its place is known not to answer, unless that sends it after all', async () => {
    const silent = await cutBetween({ kind: 'host-unreachable', host: 'good', reason: '' })
    const { manifest, warnings } = await copied(silent.core, undefined, ofTwo(false))
    expect(manifest).toEqual(ofGoodPruned)
    expect(warnings).toEqual([expect.stringContaining('good does not answer')])
    const back = await cutBetween(lost)
    await expect(copied(back.core, undefined, ofTwo(false))).rejects.toThrow('connection-lost')
  })

  it('is said to be missing where it is known to be on a host that does not answer: a boot helps', async () => {
    const { core } = await cutBetween({ kind: 'host-unreachable', host: 'good', reason: '' })
    await expect(copied(core, 'needed', ofTwo(false))).rejects.toThrow('--mode boot')
    await expect(copied(core, 'needed', ofTwo())).rejects.toThrow('host-unreachable')
  })

  it('keeps no boot back: its disks come from whoever has them', async () => {
    await tally.tried(async () => {
      const { core, copies } = await cutBetween(lost)
      await startRestore(core, { ...to, point: ofTwo() }, { onProgress: () => undefined })
      expect(copies).toMatchObject([{ from: 'evil' }])
    })
  })

  it('is warned of where it comes of a copy that alone has it', async () => {
    const [good, third] = [await temporaryStore(), await temporaryStore()]
    await makePoint(good, FILES, RAM)
    const { core } = played(good, third, nothing)
    const point = listedBy([
      [on('evil'), WITHOUT_RAM],
      [on('good'), WITH_RAM]
    ])
    const warnings: string[] = []
    const options = { onProgress: () => undefined, onWarning: (text: string) => void warnings.push(text) }
    expect((await copyPoint(core, point, on('third'), options)).memory).toEqual(RAM.memory)
    expect(warnings).toEqual([expect.stringContaining('RAM that good says to have')])
  })
})
