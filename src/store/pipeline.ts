import { throwIfCancelled } from './cancel.ts'

/** A stretch of a file that is being made or read, at most `BLOCK_BYTES` long. */
export interface Block {
  readonly offset: number
  readonly length: number
  /** Puts the stretch's bytes into the buffer, which holds whatever the last block left in it. */
  fill(buffer: Uint8Array): Promise<void> | void
}

export interface Sink {
  write?(bytes: Uint8Array, offset: number): Promise<void>
  /** Sees every block in order, while it and others are read and written. */
  take(bytes: Uint8Array): void
}

export const BLOCK_BYTES = 2 * 1024 * 1024
/** Bounds memory. Three blocks read ahead and three being written kept both cores busy; more did not help. */
const LANES = 6
const AHEAD = 3

interface Lane {
  readonly buffer: Uint8Array
  written: Promise<void>
}

interface Filling {
  readonly block: Block
  readonly lane: Lane
  readonly filled: Promise<void>
}

/**
 * Reads blocks ahead, shows them to `take` in order and writes them, all at the same time: file work runs in libuv's
 * threads, what `take` does (hashing) in this one. Ends, also when it fails, with nothing under way any more.
 */
export async function pipeBlocks(blocks: Iterable<Block>, sink: Sink, signal: AbortSignal | undefined): Promise<void> {
  const lanes = newLanes()
  const queue: Filling[] = []
  const starts = startEach(blocks, lanes)
  try {
    for (;;) {
      while (queue.length < AHEAD) {
        const next = starts.next()
        if (next.done === true) break
        queue.push(next.value)
      }
      const first = queue[0]
      if (first === undefined) break
      throwIfCancelled(signal, 'copying')
      await first.filled
      queue.shift()
      pass(first, sink)
    }
    await Promise.all(lanes.map((lane) => lane.written))
  } finally {
    await Promise.allSettled([...queue.map((filling) => filling.filled), ...lanes.map((lane) => lane.written)])
  }
}

const WASM_PAGE_BYTES = 65_536

/** WebAssembly's memory begins at a page, as writing past the page cache needs it; Node's own buffers do not. */
function newLanes(): Lane[] {
  const { buffer } = new WebAssembly.Memory({ initial: (LANES * BLOCK_BYTES) / WASM_PAGE_BYTES })
  return Array.from({ length: LANES }, (_, lane) => ({
    buffer: new Uint8Array(buffer, lane * BLOCK_BYTES, BLOCK_BYTES),
    written: Promise.resolve()
  }))
}

function* startEach(blocks: Iterable<Block>, lanes: readonly Lane[]): Generator<Filling, undefined> {
  let turn = 0
  for (const block of blocks) {
    const lane = lanes[turn++ % LANES] as Lane
    const filled = lane.written.then(() => block.fill(lane.buffer.subarray(0, block.length)))
    heardLater(filled)
    yield { block, lane, filled }
  }
  return undefined
}

function pass({ block, lane }: Filling, sink: Sink): void {
  const bytes = lane.buffer.subarray(0, block.length)
  if (sink.write) {
    lane.written = sink.write(bytes, block.offset)
    heardLater(lane.written)
  }
  sink.take(bytes)
}

/** Its failure is met where the promise is awaited, which may be after it happened. */
const heardLater = (promise: Promise<void>): void => void promise.catch(() => undefined)
