import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Keeps V8's young generation as small as it begins. What is streamed from host to host is garbage as soon as it has
 * passed; by default V8 answers a long stream with an ever larger young generation (64 MiB a half) and so collects ever
 * more rarely. Small, it collects often and cheaply, and a point of any size passes through the same memory.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Has V8 collect what is garbage as soon as that is a quarter of what is held. By default it waits until there is as much of it
 * as is held, or several times that: a host that answers at great length, again and again, then keeps the process two or three
 * times as large as what is known of all hosts.
 */
export function collectGarbageEarly(): void {
  setFlagsFromString('--heap-growing-percent=25')
}

const COLLECTED_EACH_BYTES = 2 << 20
let uncollectedBytes = 0
let collect: ((how: { readonly type: 'minor' }) => void) | undefined

/**
 * So many bytes have come from hosts, which are garbage as soon as they are read: has V8 collect them every 2 MiB. By itself it lets
 * tens of megabytes of such buffers lie, since they are not in the young generation by whose size it goes, and what the allocator
 * took for them once is not given back.
 */
export function cameFromHosts(bytes: number): void {
  uncollectedBytes += bytes
  if (uncollectedBytes < COLLECTED_EACH_BYTES) return
  uncollectedBytes = 0
  collect ??= collector()
  collect({ type: 'minor' })
}

/** V8 has it for contexts that begin while it is asked for. */
function collector(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  setFlagsFromString('--no-expose-gc')
  return typeof found === 'function' ? (found as NonNullable<typeof collect>) : () => undefined
}
