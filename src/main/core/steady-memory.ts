import { setFlagsFromString } from 'node:v8'

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
