import type { Result } from './result.ts'

/** Electron's IPC as its door needs it. The desktop supplies it, and lets only our own page through. */
export interface IpcPort {
  handle(channel: string, answer: (question: readonly unknown[]) => Promise<Result<unknown>>): void
  /** To every window of ours that is open: a value as JSON, since one text is copied at once. Undefined where it is undefined. */
  send(channel: string, json: string | undefined): void
}
