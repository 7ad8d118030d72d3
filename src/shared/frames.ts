import * as z from 'zod'
import type { Result } from './result.ts'

/** What a window sends through the browser door, one JSON text each. */
export const AskFrame = z.strictObject({
  id: z.number().int().nonnegative(),
  channel: z.string().max(100),
  question: z.array(z.unknown()).max(4)
})
export type AskFrame = z.infer<typeof AskFrame>

/** What the core sends back. */
export type CoreFrame =
  { readonly id: number; readonly reply: Result<unknown> } | { readonly push: string; readonly value: unknown }

/** Where a page asks for the key of its tab, with the one from its address. */
export const KEY_PATH = '/key'

/** The WebSocket subprotocol; the tab's key follows as a second one, since a browser's page can set no header. */
export const SUBPROTOCOL = 'stillpoint.v1'
export const tokenProtocol = (token: string): string => `token.${token}`
