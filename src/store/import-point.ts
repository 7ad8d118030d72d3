import { createHash, type Hash } from 'node:crypto'
import { lstat, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { StillpointError, fail, isFailure } from '../shared/failure.ts'
import type { PointId } from '../shared/model/ids.ts'
import { formatBytes } from '../shared/format.ts'
import { sizeBytesOf, type Manifest, type PointFile } from '../shared/model/point.ts'
import { safeText, shorten } from '../shared/safe-text.ts'
import { throwIfCancelled, type OnBytes } from './cancel.ts'
import type { FileOptions } from './copy-file.ts'
import { makeDirs, makeFoldersIn, removeFile, removeIfEmpty, removeTree, syncDir } from './durable.ts'
import { failForRoom, isCode, makeReadable, openToChange, readExactly, writeSparse } from './file-io.ts'
import { reserveAtStart, spaceAt, whileSpaceLasts } from './free-space.ts'
import {
  FRAME,
  FrameReader,
  MAX_DATA_BYTES,
  MAX_ERROR_BYTES,
  MAX_HOLE_BYTES,
  badStream,
  type FrameHeader
} from './frames.ts'
import { INCOMING_NAME, MANIFEST_NAME, OWNER_NAME, incomingDir, pointDir, vmDir } from './layout.ts'
import { MAX_MANIFEST_BYTES, badFormat, checkPlace, parentsOf, parseManifest, readManifestBytes } from './manifest.ts'
import { entriesOf, lstatOrNone, unlistedFiles } from './point-files.ts'
import { commitBytes, committedDirs } from './point-store.ts'

/**
 * Takes a point from a stream of `exportPoint`, whoever sent it. It becomes a point of the store only when all of it is here,
 * has the hashes that its manifest says, and is on disk. What has arrived when the stream is cut stays for the next try
 * (`importState`); a file that turns out to be another is dropped.
 */
export async function importPoint(
  store: string,
  pointId: PointId,
  stream: AsyncIterable<Uint8Array>,
  { incoming = IN_THIS_PROCESS, maxSilenceMs, ...options }: ImportOptions = {}
): Promise<Manifest> {
  const reader = new FrameReader(stream, options.signal, maxSilenceMs)
  try {
    await reader.readMagic()
    const announced = await receiveManifest(reader, pointId)
    const place = pointDir(store, announced.manifest.vm.uuid, pointId)
    checkPlace(announced.manifest, place)
    const prepared = await incoming.alone(() => prepare(store, place, announced, incoming))
    if (prepared === 'there') return announced.manifest
    try {
      await receiveInto(reader, store, place, { ...announced, ...prepared }, { ...options, incoming })
      return announced.manifest
    } finally {
      await prepared.held.release()
    }
  } finally {
    reader.close()
  }
}

async function receiveInto(
  reader: FrameReader,
  store: string,
  place: string,
  { dir, requireSame, manifest, bytes, diskBytes }: Announced & Folder,
  { incoming, ...options }: FileOptions & { readonly incoming: Incoming }
): Promise<void> {
  try {
    const room = [{ path: dir, name: store, forWhat: 'a point' }]
    await whileSpaceLasts(room, options.signal, (signal) => {
      reader.heed(signal)
      return receiveFiles(reader, { dir, requireSame }, manifest, { ...options, signal })
    }).catch((error: unknown) => failForRoom(error, dir, 'a point', diskBytes))
    throwIfCancelled(options.signal, 'receiving a point')
    await incoming.alone(async () => {
      await requireSame()
      await moveIn(store, dir, place, manifest, bytes)
    })
  } catch (error) {
    // Room that others need more: what is here would be no use without the rest.
    if (isFailure(error, 'no-room')) await dropIncoming(store, manifest.id)
    throw error
  }
}

/** Who else receives it. */
export interface Receiver {
  readonly by: string
  readonly since: string
}

/** How imports get out of one another's way, and out of that of others who use the store. */
export interface Incoming {
  /** Does it while nobody else moves or removes points of the store. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>
  /** @throws `no-room` if so many bytes do not fit there */
  readonly admit: (dir: string, diskBytes: number) => Promise<void>
  /** Takes the folder of a point that is received, so that nobody else writes there. */
  readonly hold: (dir: string) => Promise<{ release(): Promise<void> } | Receiver>
}

interface ImportOptions extends FileOptions {
  readonly incoming?: Incoming
  /** How long the sender may say nothing. */
  readonly maxSilenceMs?: number
}

const held = new Map<string, Receiver>()

/** For a store that only this process writes to. */
const IN_THIS_PROCESS: Incoming = {
  alone: (work) => work(),
  async admit(dir, diskBytes) {
    const { freeBytes, totalBytes } = await spaceAt(dir)
    if (diskBytes > freeBytes - reserveAtStart(totalBytes))
      fail({ kind: 'no-room', path: dir, forWhat: 'a point', neededBytes: diskBytes, freeBytes })
  },
  hold(dir) {
    const other = held.get(dir)
    if (other !== undefined) return Promise.resolve(other)
    held.set(dir, { by: 'another import', since: new Date().toISOString() })
    return Promise.resolve({ release: () => Promise.resolve(void held.delete(dir)) })
  }
}

interface Announced {
  readonly manifest: Manifest
  readonly bytes: Uint8Array
  /** As the sender says: good for a look at the room there is, no more. */
  readonly diskBytes: number
}

async function receiveManifest(reader: FrameReader, pointId: PointId): Promise<Announced> {
  const header = await nextFrame(reader)
  if (header.kind !== FRAME.manifest) return badStream('it does not begin with a manifest')
  const bytes = await reader.readPayload(header.length, MAX_MANIFEST_BYTES)
  return { manifest: parseManifest(bytes, pointId), bytes, diskBytes: header.offset }
}

/** True if the very same point is in its place. Any other thing there is refused. */
async function isThere(place: string, point: PointId, bytes: Uint8Array): Promise<boolean> {
  if ((await lstatOrNone(place)) === undefined) return false
  const exists = { kind: 'point-exists', point, where: place } as const
  const there = await readManifestBytes(place).catch((error: unknown) => fail(exists, error))
  return Buffer.from(there.bytes).equals(bytes) || fail(exists)
}

type Prepared = (Folder & { readonly held: { release(): Promise<void> } }) | 'there'

/** The folder that the point is received in, for us alone. @throws `point-arriving` while somebody else receives it */
async function prepare(
  store: string,
  place: string,
  { manifest, bytes, diskBytes }: Announced,
  incoming: Incoming
): Promise<Prepared> {
  const pointId = manifest.id
  for (const folder of [dirname(place), dirname(incomingDir(store, pointId))]) await refuseUnlessFolder(folder, pointId)
  if (await isThere(place, pointId, bytes)) return 'there'
  // A point is asked for by its id alone.
  const [other] = (await committedDirs(store, pointId)).filter((dir) => dir !== place)
  if (other !== undefined) fail({ kind: 'point-exists', point: pointId, where: other })
  const dir = incomingDir(store, pointId)
  await makeDirs(dir)
  const { requireSame } = await folderAt(dir, pointId)
  for (const name of [OWNER_NAME, `${OWNER_NAME}.new`]) await removeUnlessFile(join(dir, name))
  const held = await incoming.hold(dir)
  if ('by' in held) return fail({ kind: 'point-arriving', point: pointId, ...held })
  try {
    await rm(join(dir, MANIFEST_NAME), { force: true, recursive: true }) // killed between the commit and the move
    await removeOddities(dir, manifest)
    await removeStrays(dir, manifest)
    await refuseBeyondAllRoom(dir, manifest)
    await incoming.admit(dir, diskBytes)
    return { dir, requireSame, held }
  } catch (error) {
    await held.release()
    throw error
  }
}

/** Of zeros that a VM has written, or that are in its RAM: twice a disk of 8 TiB that is full of them. */
const MOST_LEFT_OUT_BYTES = 16 * 1024 ** 4

/**
 * What is left out takes no room and is hashed all the same, two GiB a second, and it costs its sender nothing: more of it than could be
 * here, and than any VM has, is refused by what the manifest says. `diskBytes` is only its sender's word.
 */
async function refuseBeyondAllRoom(dir: string, manifest: Manifest): Promise<void> {
  const { totalBytes } = await spaceAt(dir)
  const bytes = sizeBytesOf(manifest)
  if (bytes > totalBytes + MOST_LEFT_OUT_BYTES)
    badFormat(
      manifest.id,
      `it says that it has ${formatBytes(bytes)}, and there is a file system of ${formatBytes(totalBytes)} here: almost all of it would be zeros, which would be hashed for hours`
    )
}

/** Where a point is received. A sender takes its time, and whoever may write to the store could put a symlink there meanwhile. */
interface Folder {
  readonly dir: string
  /** @throws `point-unsafe` if it is another by now */
  readonly requireSame: () => Promise<void>
}

/** Before anything is made in it, and behind it: whoever may write to the store could have put a symlink there. */
async function refuseUnlessFolder(path: string, point: PointId): Promise<void> {
  const found = await lstatOrNone(path)
  if (found !== undefined && !found.isDirectory()) notAFolder(path, point)
}

const notAFolder = (file: string, point: PointId): never =>
  fail({ kind: 'point-unsafe', point, file, detail: 'it is not a directory' })

async function folderAt(dir: string, point: PointId, paths = [dirname(dir), dir]): Promise<Folder> {
  const identity = async (): Promise<string> => {
    const found: string[] = []
    for (const path of paths) {
      const stats = await lstatOrNone(path)
      if (stats?.isDirectory() !== true) return notAFolder(path, point)
      found.push(`${stats.dev}:${stats.ino}`)
    }
    return found.join(' ')
  }
  const before = await identity()
  const requireSame = async (): Promise<void> => {
    if ((await identity()) !== before)
      fail({ kind: 'point-unsafe', point, file: dir, detail: 'it was exchanged while the point was received' })
  }
  return { dir, requireSame }
}

async function receiveFiles(
  reader: FrameReader,
  folder: Folder,
  manifest: Manifest,
  options: FileOptions
): Promise<void> {
  const totalBytes = manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0)
  let before = 0
  for (const [index, file] of manifest.files.entries()) {
    const base = before
    const onProgress: OnBytes = (done) => options.onProgress?.(base + done, totalBytes)
    await receiveFile(reader, { ...folder, index, file, onProgress, signal: options.signal })
    before += file.sizeBytes
  }
  if ((await nextFrame(reader)).kind !== FRAME.end) badStream('it goes on behind the last file')
}

interface Receiving extends Folder {
  readonly index: number
  readonly file: PointFile
  readonly onProgress: OnBytes
  readonly signal: AbortSignal | undefined
}

async function receiveFile(reader: FrameReader, receiving: Receiving): Promise<void> {
  const { dir, requireSame, index, file } = receiving
  const begin = await nextFrame(reader)
  if (begin.kind !== FRAME.begin || begin.file !== index)
    return badStream(`${file.path} does not begin where it should`)
  await requireSame()
  const path = join(dir, file.path)
  const handle = await openIncoming(dir, file, begin.offset)
  try {
    const sha256 = await receiveData(reader, handle, begin.offset, receiving)
    await handle.truncate(file.sizeBytes)
    await handle.datasync()
    if (sha256 !== file.sha256)
      await refuse(handle, path, `${file.path} is not what the manifest says: the SHA-256 is another`)
    await requireOurs(handle, path, file)
  } finally {
    await handle.close()
  }
}

/** What was written is what has the name, and has no other by which somebody could still change it. */
async function requireOurs(handle: FileHandle, path: string, file: PointFile): Promise<void> {
  if (!(await hasName(handle, path))) badStream(`${file.path} was exchanged while it was received`)
  if ((await handle.stat()).nlink > 1) await refuse(handle, path, `${file.path} has another name as well (a hard link)`)
}

async function hasName(handle: FileHandle, path: string): Promise<boolean> {
  const [open, named] = [await handle.stat(), await lstatOrNone(path)]
  return named?.ino === open.ino && named.dev === open.dev
}

/** What came would only fail again the next time. */
async function refuse(handle: FileHandle, path: string, detail: string): Promise<never> {
  if (await hasName(handle, path)) await removeFile(path)
  return badStream(detail)
}

/** New, or with what is there of it cut to what the sender counts on. Never more than was said to be there. */
async function openIncoming(dir: string, { path, sizeBytes }: PointFile, from: number): Promise<FileHandle> {
  const full = join(dir, path)
  await makeFolders(dir, path)
  const stats = await lstatOrNone(full)
  if (stats !== undefined && !stats.isFile())
    fail({ kind: 'bad-output', what: full, detail: 'it is not a regular file' })
  if (from > Math.min(stats?.size ?? 0, sizeBytes)) badStream(`${path} begins behind what is here of it`)
  if (stats !== undefined && from === 0) await removeFile(full)
  if (stats === undefined || from === 0) return makeReadable(full)
  const handle = await openToChange(full)
  try {
    if ((await handle.stat()).nlink > 1) await refuse(handle, full, `${path} has another name as well (a hard link)`)
    await handle.truncate(from)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** One below the other, each looked at before anything is made in it: none of them is somebody's symlink. */
async function makeFolders(dir: string, path: string): Promise<void> {
  for (const folder of parentsOf(path)) {
    const at = join(dir, folder)
    await makeFoldersIn(dirname(at), basename(at))
    if (!(await lstat(at)).isDirectory()) fail({ kind: 'bad-output', what: at, detail: 'it is not a directory' })
  }
}

const ZEROS = new Uint8Array(MAX_DATA_BYTES)

/** Where a file is: how far it is hashed, which is how far it goes. */
class Progressing {
  readonly #hash: Hash = createHash('sha256')
  readonly #receiving: Receiving
  at = 0

  constructor(receiving: Receiving) {
    this.#receiving = receiving
  }

  take(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.at += bytes.byteLength
    this.#receiving.onProgress(this.at, this.#receiving.file.sizeBytes)
  }

  /** Holes count as zeros. Lets others have a turn, as a hole can be long. */
  async takeZerosTo(offset: number): Promise<void> {
    while (this.at < offset) {
      throwIfCancelled(this.#receiving.signal, 'receiving a point')
      this.take(ZEROS.subarray(0, offset - this.at))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  digest(): string {
    return this.#hash.digest('hex')
  }
}

/** Writes one block at a time, in order, so that after a cut all bytes up to the file's size are good. Receiving goes on meanwhile. */
async function receiveData(
  reader: FrameReader,
  handle: FileHandle,
  from: number,
  receiving: Receiving
): Promise<string> {
  const progressing = new Progressing(receiving)
  await rehash(handle, from, progressing, receiving)
  const buffers = [new Uint8Array(MAX_DATA_BYTES), new Uint8Array(MAX_DATA_BYTES)]
  let written: Promise<void> = Promise.resolve()
  try {
    for (let turn = 0; ; turn++) {
      const header = await nextFrame(reader)
      if (header.kind === FRAME.endFile) {
        await written
        return await finish(header, progressing, receiving)
      }
      checkData(header, progressing.at, receiving)
      const bytes = (buffers[turn % 2] ?? ZEROS).subarray(0, header.length)
      await reader.fill(bytes)
      await written
      written = writeSparse(handle, bytes, header.offset)
      written.catch(() => undefined) // met at the next turn
      await progressing.takeZerosTo(header.offset)
      progressing.take(bytes)
    }
  } finally {
    await written.catch(() => undefined) // the file is closed next
  }
}

function checkData(
  { kind, file, offset, length }: FrameHeader,
  at: number,
  { index, file: expected }: Receiving
): void {
  if (kind !== FRAME.data || file !== index)
    badStream(`a frame of kind ${kind} of file ${file} within ${expected.path}`)
  if (length === 0 || length > MAX_DATA_BYTES) badStream(`a frame of ${length} bytes`)
  if (offset < at || offset + length > expected.sizeBytes) badStream(`data of ${expected.path} out of place`)
  if (offset - at > MAX_HOLE_BYTES) badStream(`${offset - at} bytes of ${expected.path} are left out at once`)
}

async function finish(
  { file, offset }: FrameHeader,
  progressing: Progressing,
  { index, file: expected }: Receiving
): Promise<string> {
  if (file !== index || offset !== expected.sizeBytes)
    badStream(`${expected.path} ends at ${offset} of ${expected.sizeBytes} bytes`)
  if (offset - progressing.at > MAX_HOLE_BYTES)
    badStream(`${offset - progressing.at} bytes of ${expected.path} are left out at once`)
  await progressing.takeZerosTo(offset)
  return progressing.digest()
}

/** The beginning that an earlier try left: it is believed no more than what comes now. */
async function rehash(
  handle: FileHandle,
  to: number,
  progressing: Progressing,
  { signal, file }: Receiving
): Promise<void> {
  const buffer = new Uint8Array(MAX_DATA_BYTES)
  while (progressing.at < to) {
    throwIfCancelled(signal, 'receiving a point')
    const bytes = buffer.subarray(0, to - progressing.at)
    await readExactly(handle, bytes, progressing.at, file.path)
    progressing.take(bytes)
  }
}

/** The next frame, unless the sender says that it stops. */
async function nextFrame(reader: FrameReader): Promise<FrameHeader> {
  const header = await reader.readHeader()
  if (header.kind !== FRAME.error) return header
  throw senderFailure(await reader.readPayload(header.length, MAX_ERROR_BYTES))
}

const text = z.string().max(4096).transform(safeText)
/** What a sender may say in its own words; everything else is only quoted. */
const SenderFailure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('io'), path: text, code: text, detail: text }),
  z.object({ kind: z.enum(['point-damaged', 'point-unsafe']), point: text, file: text, detail: text }),
  z.object({ kind: z.literal('point-format'), point: text, detail: text }),
  z.object({ kind: z.literal('not-found'), what: z.literal('point'), name: text }),
  z.object({ kind: z.literal('cancelled'), what: text })
])

function senderFailure(payload: Uint8Array): StillpointError {
  const said = new TextDecoder().decode(payload)
  try {
    return new StillpointError(SenderFailure.parse(JSON.parse(said)))
  } catch {
    const detail = `the sender stopped: ${safeText(shorten(said, 300))}`
    return new StillpointError({ kind: 'bad-output', what: 'point stream', detail })
  }
}

async function moveIn(store: string, dir: string, place: string, manifest: Manifest, bytes: Uint8Array): Promise<void> {
  await removeStrays(dir, manifest)
  await commitBytes(dir, place, manifest, bytes).catch(async (error: unknown) => {
    if (isFailure(error, 'point-unsafe', 'point-damaged')) await dropIncoming(store, manifest.id)
    throw error
  })
  const ofVm = await folderOfVm(store, manifest)
  await rename(dir, place).catch((error: unknown) => {
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
    return fail({ kind: 'point-exists', point: manifest.id, where: place }, error)
  })
  await ofVm.requireSame()
  for (const changed of [store, dirname(place), dirname(dir)]) await syncDir(changed)
  await removeIfEmpty(dirname(dir))
}

async function folderOfVm(store: string, { id, vm }: Manifest): Promise<Folder> {
  const dir = vmDir(store, vm.uuid)
  await makeFoldersIn(store, basename(dir))
  return folderAt(dir, id, [dir])
}

/**
 * Links, folders in the place of files and the other way round would be in the way of this point for good. What waits to become a
 * point has nothing that anybody would miss.
 */
async function removeOddities(dir: string, { files }: Manifest): Promise<void> {
  const paths = files.map(({ path }) => path)
  for (const folder of new Set(paths.flatMap(parentsOf))) {
    const found = await lstatOrNone(join(dir, folder))
    if (found !== undefined && !found.isDirectory()) await removeFile(join(dir, folder))
  }
  for (const path of paths) await removeUnlessFile(join(dir, path))
}

async function removeUnlessFile(path: string): Promise<void> {
  const found = await lstatOrNone(path)
  if (found !== undefined && !found.isFile()) await rm(path, { recursive: true, force: true })
}

/** Left by another try, for another manifest of that id. */
async function removeStrays(dir: string, manifest: Manifest): Promise<void> {
  for (const path of (await unlistedFiles(dir, manifest)).reverse()) {
    const stray = join(dir, path)
    if ((await lstat(stray)).isDirectory()) await removeTree(stray)
    else await removeFile(stray)
  }
}

const NOT_OF_IT = [MANIFEST_NAME, OWNER_NAME]

/**
 * How many bytes of each file an import that was cut has left behind: `have` for the next export. What has another name as well
 * is not gone on with, as it would be changed under that.
 */
export async function importState(store: string, pointId: PointId): Promise<Record<string, number>> {
  const dir = incomingDir(store, pointId)
  const have: Record<string, number> = {}
  if ((await lstatOrNone(dir))?.isDirectory() !== true) return have
  for await (const path of entriesOf(dir)) {
    const stats = await lstatOrNone(join(dir, path))
    if (
      stats?.isFile() === true &&
      stats.nlink <= 1 &&
      stats.size > 0 &&
      !NOT_OF_IT.some((name) => path.startsWith(name))
    )
      have[path] = stats.size
  }
  return have
}

/** Forgets what unfinished imports have left: of one point, or of all. Only while none is under way. */
export async function dropIncoming(store: string, pointId?: PointId): Promise<void> {
  const root = join(store, INCOMING_NAME)
  if ((await lstatOrNone(root))?.isDirectory() !== true) return
  const names = pointId === undefined ? await readdir(root) : [pointId]
  for (const name of names) {
    const dir = join(root, name)
    if ((await lstatOrNone(dir))?.isDirectory() === true) await removeTree(dir)
  }
  await removeIfEmpty(root)
}
