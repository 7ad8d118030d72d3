import type { Result } from './result.ts'

/** Electron's IPC as its door needs it. The desktop supplies it, and lets only our own page through. */
export interface IpcPort {
  handle(channel: string, answer: (question: readonly unknown[]) => Promise<Result<unknown>>): void
  /** To every window of ours that is open. */
  send(channel: string, value: unknown): void
}
