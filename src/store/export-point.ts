import { lstat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, failureOf } from '../shared/failure.ts'
import type { Manifest, PointFile } from '../shared/model/point.ts'
import { throwIfCancelled } from './cancel.ts'
import { dataRuns, openRegular, readExactly } from './file-io.ts'
import {
  FRAME,
  FRAME_HEADER_BYTES,
  MAGIC,
  MAX_DATA_BYTES,
  MAX_ERROR_BYTES,
  MAX_HOLE_BYTES,
  makeFrame,
  putHeader
} from './frames.ts'
import { readManifestBytes } from './manifest.ts'
import { readPoint } from './point-store.ts'

export interface ExportOptions {
  /** What the receiver's `importState` said: bytes by file. */
  readonly have?: Readonly<Record<string, number>>
  readonly signal?: AbortSignal
}

/**
 * A point as a stream for `importPoint`. Does not throw: what goes wrong is said in the stream, as its reader may be on another
 * machine. Each chunk is its reader's to keep.
 */
export async function* exportPoint(
  dir: string,
  { have = {}, signal }: ExportOptions = {}
): AsyncGenerator<Uint8Array, void> {
  yield MAGIC
  try {
    await readPoint(dir)
    const { manifest, bytes } = await readManifestBytes(dir)
    const from = (file: PointFile): number => startOf(file, have)
    yield makeFrame(FRAME.manifest, 0, await diskBytesOf(dir, manifest, from), bytes)
    for (const [index, file] of manifest.files.entries()) yield* fileFrames(dir, index, file, from(file), signal)
    yield makeFrame(FRAME.end, 0, 0)
  } catch (error) {
    yield makeFrame(FRAME.error, 0, 0, errorPayload(error))
  }
}

/** More than the file has cannot be its beginning. */
function startOf({ path, sizeBytes }: PointFile, have: Readonly<Record<string, number>>): number {
  const bytes = Object.hasOwn(have, path) ? (have[path] ?? 0) : 0
  return Number.isSafeInteger(bytes) && bytes > 0 && bytes <= sizeBytes ? bytes : 0
}

/** Disk that the receiver needs: holes take none. */
async function diskBytesOf(dir: string, manifest: Manifest, from: (file: PointFile) => number): Promise<number> {
  let sum = 0
  for (const file of manifest.files) {
    const { blocks } = await lstat(join(dir, file.path))
    sum += Math.min(file.sizeBytes - from(file), blocks * 512)
  }
  return sum
}

async function* fileFrames(
  dir: string,
  index: number,
  { path, sizeBytes }: PointFile,
  from: number,
  signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array, void> {
  const full = join(dir, path)
  const file = await openRegular(full, (detail) => fail({ kind: 'bad-output', what: full, detail }))
  try {
    yield makeFrame(FRAME.begin, index, from)
    yield* dataFrames(file, full, index, { from, to: sizeBytes }, signal)
    yield makeFrame(FRAME.endFile, index, sizeBytes)
  } finally {
    await file.close()
  }
}

/** One block is read while the one before it is being taken. */
async function* dataFrames(
  file: FileHandle,
  path: string,
  index: number,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array, void> {
  let ahead: Promise<Uint8Array> | undefined
  let said = from
  const read = (offset: number): Promise<Uint8Array> | undefined => {
    if (offset >= to) return undefined
    const reading = readFrame(file, path, offset, Math.min(MAX_DATA_BYTES, to - offset))
    reading.catch(() => undefined) // met below, where it is awaited
    return reading
  }
  try {
    ahead = read(from)
    for (let offset = from; ahead !== undefined; offset += MAX_DATA_BYTES) {
      throwIfCancelled(signal, 'sending a point')
      const frame = await ahead
      ahead = read(offset + MAX_DATA_BYTES)
      const length = frame.byteLength - FRAME_HEADER_BYTES
      const runs = dataRuns(frame.subarray(FRAME_HEADER_BYTES))
      // Half of what may be left out: the next frame of data may begin late in its block.
      const isLong = runs.length === 0 && offset + length - said >= MAX_HOLE_BYTES / 2
      yield* isLong ? [zeroAt(index, offset + length - 1)] : withoutHoles(frame, index, offset, runs)
      if (isLong || runs.length > 0) said = offset + length
    }
  } finally {
    await ahead?.catch(() => undefined) // the file is closed next
  }
}

/** Leaves room for the frame's header, so that nothing is copied. */
async function readFrame(file: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const frame = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + length)
  await readExactly(file, frame.subarray(FRAME_HEADER_BYTES), offset, path)
  return frame
}

/** Says that a long hole goes on. */
const zeroAt = (file: number, offset: number): Uint8Array => makeFrame(FRAME.data, file, offset, new Uint8Array(1))

function* withoutHoles(
  frame: Uint8Array,
  file: number,
  offset: number,
  runs: ReturnType<typeof dataRuns>
): Generator<Uint8Array> {
  const data = frame.subarray(FRAME_HEADER_BYTES)
  const [first] = runs
  if (runs.length === 1 && first !== undefined) {
    const [from, to] = first
    putHeader(frame.subarray(from), { kind: FRAME.data, file, offset: offset + from, length: to - from })
    yield frame.subarray(from, FRAME_HEADER_BYTES + to)
    return
  }
  for (const [from, to] of runs) yield makeFrame(FRAME.data, file, offset + from, data.subarray(from, to))
}

function errorPayload(error: unknown): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(failureOf(error)))
  if (payload.byteLength <= MAX_ERROR_BYTES) return payload
  return new TextEncoder().encode(JSON.stringify({ kind: 'bug', reference: '', message: 'a failure too long to send' }))
}
