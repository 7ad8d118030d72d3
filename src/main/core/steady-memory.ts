import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8's young generation as small as it begins. What is streamed from host to host is garbage as soon as it has
 * passed; by default V8 answers a long stream with an ever larger young generation (64 MiB a half) and so collects ever
 * more rarely. Small, it collects often and cheaply, and a point of any size passes through the same memory.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
