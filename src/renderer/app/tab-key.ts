import { KEY_PATH, MAC_OF, tabProofText } from '../../shared/frames.ts'

const KEPT = 'stillpoint-token'
/** A door that answers does so at once. */
export const ANSWER_MS = 15_000
/** What our door says to a request that came too slowly. */
const TIMEOUT = 408

/** A key from an address, with the nonce that makes it one of this tab, until a window has opened; then the tab's own. */
type Kept = { readonly address: string; readonly nonce: string } | { readonly key: string }

/** What the tab shows once, and what only the door that knows its key can say to that. */
export interface Handshake {
  readonly shown: string
  readonly expected: string
  /** To be called when the door has said it. */
  readonly opened: () => void
}

/** Why there is no way: a key that opened a window is not known, or one that never did; or nobody answers. */
export type NoHandshake = 'ended' | 'refused' | 'silent'

/** The key of this tab, which it keeps for a reload. The key itself is never sent. */
export interface TabKey {
  /** Asks the door each time: it may be another one by now. */
  begin(): Promise<Handshake | NoHandshake>
  /** Stillpoint has ended, and all its keys with it. */
  forget(): void
}

/** Undefined: somebody opened the bare address. */
export function theTabKey(): TabKey | undefined {
  const kept = withAddress(readKept())
  if (kept.length === 0) return undefined
  return {
    begin: async () => {
      for (const each of kept)
        for (const key of await keysOf(each)) {
          const challenge = await challengeFor(await macOf(key.named, MAC_OF.name))
          if (challenge === 'silent') return challenge
          if (challenge !== 'refused') return handshake(key, challenge, kept)
        }
      return kept.some((each) => 'key' in each) ? 'ended' : 'refused'
    },
    forget: () => sessionStorage.removeItem(KEPT)
  }
}

/** Out of the address bar and the history at once, and kept at once: a reload finds it, whatever the door has heard of it. */
function withAddress(kept: readonly Kept[]): Kept[] {
  const address = location.hash.slice(1)
  if (isKey(address) && !kept.some((each) => 'address' in each && each.address === address))
    keep((kept = [{ address, nonce: newNonce() }, ...kept]))
  if (address !== '') history.replaceState(undefined, '', location.pathname)
  return [...kept]
}

const keep = (kept: readonly Kept[]): void => sessionStorage.setItem(KEPT, JSON.stringify(kept))

/** What another program wrote there, that had this port before, is left out. */
function readKept(): readonly Kept[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? '[]') as readonly Kept[]
    return kept.filter((each) => ('key' in each ? isKey(each.key) : isKey(each.address) && isKey(each.nonce)))
  } catch {
    return []
  }
}

const isKey = (text: string): boolean => /^[\w-]{43}$/.test(text)

interface Key {
  /** Whose name is shown. */
  readonly named: string
  /** With which it is proved. */
  readonly own: string
  /** Undefined: a new one each time. */
  readonly nonce: string | undefined
}

/** An address may have become the tab's own key without the tab having heard of it. */
async function keysOf(kept: Kept): Promise<readonly Key[]> {
  if ('key' in kept) return [{ named: kept.key, own: kept.key, nonce: undefined }]
  const own = await macOf(kept.address, MAC_OF.tabKey(kept.nonce))
  return [
    { named: kept.address, own, nonce: kept.nonce },
    { named: own, own, nonce: undefined }
  ]
}

async function handshake({ named, own, nonce = newNonce() }: Key, challenge: string, kept: Kept[]): Promise<Handshake> {
  const [name, mac, expected] = await Promise.all([
    macOf(named, MAC_OF.name),
    macOf(own, MAC_OF.byTab(challenge, nonce)),
    macOf(own, MAC_OF.byDoor(challenge, nonce))
  ])
  return {
    shown: tabProofText({ name, challenge, nonce, mac }),
    expected,
    opened: () => {
      kept.splice(0, kept.length, { key: own })
      keep(kept)
    }
  }
}

/** Our door says yes or no. Whoever answers otherwise is not it; what does not come whole may have been. */
async function challengeFor(name: string): Promise<string> {
  const headers = { authorization: `Bearer ${name}` }
  const signal = AbortSignal.timeout(ANSWER_MS)
  const answer = await fetch(KEY_PATH, { method: 'POST', headers, redirect: 'error', signal }).catch(() => undefined)
  if (answer === undefined || answer.status === TIMEOUT) return 'silent'
  if (!answer.ok) return 'refused'
  const said = (await answer.json().catch(() => undefined)) as { readonly challenge?: unknown } | null | undefined
  if (said === undefined) return 'silent'
  return typeof said?.challenge === 'string' && isKey(said.challenge) ? said.challenge : 'refused'
}

const newNonce = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)))

async function macOf(key: string, text: string): Promise<string> {
  const encoder = new TextEncoder()
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const secret = await crypto.subtle.importKey('raw', encoder.encode(key), hmac, false, ['sign'])
  return base64url(new Uint8Array(await crypto.subtle.sign('HMAC', secret, encoder.encode(text))))
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
