import { fail } from '../shared/failure.ts'
import { throwIfCancelled } from './cancel.ts'

/**
 * The wire form of a point: the magic, then frames of a header (kind, file, offset, length) and a payload.
 *
 *     manifest   payload: manifest.json as it is. offset: bytes of disk that what follows will take, at most
 *     begin      file, offset: its data starts here, as the receiver has what is before
 *     data       file, offset, payload. Offsets only grow; what is left out is zero, and at most `MAX_HOLE_BYTES` at a time
 *     end-file   file, offset: its size
 *     end        the point is complete
 *     error      payload: why the sender stops, a failure as JSON
 */
export const FRAME = { manifest: 1, begin: 2, data: 3, endFile: 4, end: 5, error: 6 } as const
export type FrameKind = (typeof FRAME)[keyof typeof FRAME]

export const MAGIC = new TextEncoder().encode('STILLPOINT-1\n')
/** Kind 1, file 2, offset 8, length 4. */
export const FRAME_HEADER_BYTES = 15
export const MAX_DATA_BYTES = 512 * 1024
export const MAX_ERROR_BYTES = 65_536
/**
 * A receiver hashes what is left out, and is idle while a sender reads it: data that is zero says now and then that it goes on,
 * and no few bytes keep anybody at work for days.
 */
export const MAX_HOLE_BYTES = 256 * 1024 ** 2
/** A sender says nothing while it reads a hole, and while its disk is slow. One that says nothing for so long has gone. */
export const MAX_SILENCE_MS = 15 * 60_000

export interface FrameHeader {
  readonly kind: FrameKind
  readonly file: number
  readonly offset: number
  readonly length: number
}

/** Writes the header into the first bytes of `frame`. */
export function putHeader(frame: Uint8Array, { kind, file, offset, length }: FrameHeader): void {
  const view = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES)
  view.setUint8(0, kind)
  view.setUint16(1, file)
  view.setBigUint64(3, BigInt(offset))
  view.setUint32(11, length)
}

export function makeFrame(
  kind: FrameKind,
  file: number,
  offset: number,
  payload: Uint8Array = new Uint8Array(0)
): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength)
  putHeader(frame, { kind, file, offset, length: payload.byteLength })
  frame.set(payload, FRAME_HEADER_BYTES)
  return frame
}

/** Kinds that have no payload. */
const BARE: readonly FrameKind[] = [FRAME.begin, FRAME.endFile, FRAME.end]

/** Cuts a byte stream, however it is chunked, into what is asked for. */
export class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>
  #signal: AbortSignal | undefined
  readonly #maxSilenceMs: number
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  #chunk: Uint8Array = new Uint8Array(0)

  constructor(stream: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined, maxSilenceMs = MAX_SILENCE_MS) {
    this.#source = stream[Symbol.asyncIterator]()
    this.#signal = signal
    this.#maxSilenceMs = maxSilenceMs
  }

  /** Ends with this one from now on. */
  heed(signal: AbortSignal): void {
    this.#signal = signal
  }

  async readMagic(): Promise<void> {
    const magic = new Uint8Array(MAGIC.byteLength)
    await this.fill(magic)
    if (!magic.every((byte, index) => byte === MAGIC[index])) badStream('it does not begin as a point does')
  }

  async readHeader(): Promise<FrameHeader> {
    await this.fill(this.#header)
    const view = new DataView(this.#header.buffer)
    const kind = Object.values(FRAME).find((known) => known === view.getUint8(0))
    const offset = view.getBigUint64(3)
    if (kind === undefined) return badStream(`a frame of kind ${view.getUint8(0)}`)
    const length = view.getUint32(11)
    if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return badStream('an offset beyond all files')
    if (length > 0 && BARE.includes(kind)) return badStream(`a frame of kind ${kind} with ${length} bytes`)
    return { kind, file: view.getUint16(1), offset: Number(offset), length }
  }

  /** A payload of its own; `max` is what this kind of frame may have. */
  async readPayload(length: number, max: number): Promise<Uint8Array> {
    if (length > max) badStream(`a frame of ${length} bytes`)
    const payload = new Uint8Array(length)
    await this.fill(payload)
    return payload
  }

  async fill(target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.byteLength;) {
      if (this.#chunk.byteLength === 0) this.#chunk = await this.#next()
      const part = this.#chunk.subarray(0, target.byteLength - done)
      target.set(part, done)
      done += part.byteLength
      this.#chunk = this.#chunk.subarray(part.byteLength)
    }
  }

  /**
   * The frames behind what was read, as they come, up to the end of the point, of which `beforeEnd` hears first. Behind that a source
   * has no say: it can only have failed before.
   */
  async *rest(beforeEnd: () => Promise<void>): AsyncGenerator<Uint8Array> {
    const frames = new PassingFrames()
    for (let chunk = this.#chunk; ;) {
      const end = frames.endIn(chunk)
      if (end !== undefined) {
        await beforeEnd()
        yield chunk.subarray(0, end)
        return
      }
      if (chunk.byteLength > 0) yield chunk
      const next = await this.#source.next()
      if (next.done === true) return
      chunk = next.value
    }
  }

  /** Lets go of the source, which may be in the middle of something: nobody waits for it. */
  close(): void {
    this.#source.return?.().catch(() => undefined)
  }

  async #next(): Promise<Uint8Array> {
    throwIfCancelled(this.#signal, 'receiving a point')
    const next = await orGivenUp(this.#source.next(), this.#signal, this.#maxSilenceMs)
    return next.done === true ? badStream('it ends in the middle') : next.value
  }
}

/** Frames of which only the headers are looked at, however they are chunked. */
class PassingFrames {
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES)
  #headerBytes = 0
  #payloadBytes = 0

  /** Where in the chunk the point ends. Undefined: not in this one. */
  endIn(chunk: Uint8Array): number | undefined {
    for (let at = 0; at < chunk.byteLength;) {
      const passed = Math.min(this.#payloadBytes, chunk.byteLength - at)
      this.#payloadBytes -= passed
      const part = chunk.subarray(at + passed, at + passed + FRAME_HEADER_BYTES - this.#headerBytes)
      this.#header.set(part, this.#headerBytes)
      this.#headerBytes += part.byteLength
      at += passed + part.byteLength
      if (this.#headerBytes < FRAME_HEADER_BYTES) continue
      if (this.#header[0] === FRAME.end) return at
      this.#headerBytes = 0
      this.#payloadBytes = this.#header.readUInt32BE(FRAME_HEADER_BYTES - 4)
    }
    return undefined
  }
}

/** A source that says nothing must not hold up a cancel, nor anybody for ever. */
async function orGivenUp<T>(promise: Promise<T>, signal: AbortSignal | undefined, maxSilenceMs: number): Promise<T> {
  const givenUp = Promise.withResolvers<never>()
  const giveUp = (failing: () => void) => (): void => {
    try {
      failing()
    } catch (error) {
      givenUp.reject(error)
    }
  }
  const onAbort = giveUp(() => throwIfCancelled(signal, 'receiving a point'))
  const onSilence = giveUp(() => fail({ kind: 'timeout', what: 'The next part of the point', afterMs: maxSilenceMs }))
  signal?.addEventListener('abort', onAbort, { once: true })
  const silence = setTimeout(onSilence, maxSilenceMs)
  try {
    return await Promise.race([promise, givenUp.promise])
  } finally {
    clearTimeout(silence)
    signal?.removeEventListener('abort', onAbort)
  }
}

export const badStream = (detail: string): never => fail({ kind: 'bad-output', what: 'point stream', detail })
