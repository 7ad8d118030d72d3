import * as z from 'zod'
import type { Result } from './result.ts'

/** What a window sends through the browser door, one JSON text each. */
export const AskFrame = z.strictObject({
  id: z.number().int().nonnegative(),
  channel: z.string().max(100),
  question: z.array(z.unknown()).max(4)
})
export type AskFrame = z.infer<typeof AskFrame>

/** What the core sends back. The proof of the door comes first, and once. */
export type CoreFrame =
  | { readonly id: number; readonly reply: Result<unknown> }
  | { readonly push: string; readonly value: unknown }
  | DoorProof

/** Where a page asks for a challenge, by the name of its key. */
export const KEY_PATH = '/key'

/** The WebSocket subprotocol; the tab's proof follows as a second one, since a browser's page can set no header. */
export const SUBPROTOCOL = 'stillpoint.v2'
export const proofProtocol = (proof: string): string => `proof.${proof}`

/** With which the door closes a window when Stillpoint ends: nobody is there any more to come back to. */
export const ENDED = 4001

/**
 * What tab and door reckon of a key, each with HMAC-SHA-256 in base64url. No key is ever sent: who has only heard what was
 * said, or was asked in the place of the door, cannot say any of it for the next challenge.
 */
export const MAC_OF = {
  /** By which a key is called. */
  name: 'name',
  /** The key of a tab, of the one in its address and the nonce of the tab's first proof. */
  tabKey: (nonce: string): string => `tab of ${nonce}`,
  byTab: (challenge: string, nonce: string): string => `tab ${challenge} ${nonce}`,
  byDoor: (challenge: string, nonce: string): string => `door ${challenge} ${nonce}`
} as const

export interface DoorProof {
  readonly proof: string
}

/** What a tab shows to open its window. */
export interface TabProof {
  /** Of the tab's key; before its first window, of the one in its address. */
  readonly name: string
  readonly challenge: string
  readonly nonce: string
  readonly mac: string
}

export const tabProofText = ({ name, challenge, nonce, mac }: TabProof): string =>
  [name, challenge, nonce, mac].join('.')

/** Undefined: it is none. */
export function readTabProof(text: string): TabProof | undefined {
  const [, name, challenge, nonce, mac] = /^([\w-]{43})\.([\w-]{43})\.([\w-]{43})\.([\w-]{43})$/.exec(text) ?? []
  if (name === undefined || challenge === undefined || nonce === undefined || mac === undefined) return undefined
  return { name, challenge, nonce, mac }
}
