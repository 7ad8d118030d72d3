import { createHmac, randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import { KEY_PATH, MAC_OF, proofProtocol, SUBPROTOCOL, tabProofText, type CoreFrame } from '../../src/shared/frames.ts'

/** What a tab does with its keys, reckoned here once more: what the page has of it is tested against the same door. */
export const macOf = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('base64url')
export const nameOf = (key: string): string => macOf(key, MAC_OF.name)
export const keyIn = (address: string): string => new URL(address).hash.slice(1)
export const newNonce = (): string => randomBytes(32).toString('base64url')

/** @param headers in place of those of our own page */
export const askChallenge = (
  origin: string,
  name: string,
  headers: Readonly<Record<string, string>> = { origin }
): Promise<Response> =>
  fetch(`${origin}${KEY_PATH}`, { method: 'POST', headers: { authorization: `Bearer ${name}`, ...headers } })

/** Whose name is shown, and what it is proved with. */
interface Proving {
  readonly named: string
  readonly own: string
  readonly nonce: string
}
/** A key of a tab's own. */
export const provingOwn = (key: string): Proving => ({ named: key, own: key, nonce: newNonce() })
/** The key of an address, with a nonce of the tab. */
export const provingAddress = (address: string, nonce = newNonce()): Proving => ({
  named: keyIn(address),
  own: macOf(keyIn(address), MAC_OF.tabKey(nonce)),
  nonce
})

/** The second protocol of a WebSocket. @throws if the key is refused */
export async function provedBy(origin: string, { named, own, nonce }: Proving): Promise<Proved> {
  const answer = await askChallenge(origin, nameOf(named))
  if (!answer.ok) throw new Error(`the key is refused with ${answer.status}`)
  const { challenge } = (await answer.json()) as { challenge: string }
  const mac = macOf(own, MAC_OF.byTab(challenge, nonce))
  return {
    protocol: proofProtocol(tabProofText({ name: nameOf(named), challenge, nonce, mac })),
    expected: macOf(own, MAC_OF.byDoor(challenge, nonce))
  }
}
interface Proved {
  readonly protocol: string
  /** Of the door. */
  readonly expected: string
}

/** A window of our own page that both sides have proved their key for. @throws if either has not */
export async function openWindow(
  origin: string,
  proving: Proving,
  hear: (frame: CoreFrame) => void = () => undefined
): Promise<WebSocket> {
  const { protocol, expected } = await provedBy(origin, proving)
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/core`, [SUBPROTOCOL, protocol], { origin })
  const first = await new Promise<string>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('message', (proof: Buffer) => {
      resolve(proof.toString())
      socket.on('message', (data: Buffer) => hear(JSON.parse(data.toString()) as CoreFrame))
    })
  })
  if (first !== JSON.stringify({ proof: expected })) throw new Error('the door does not know the key')
  return socket
}

/** The tab's own key, of which a window has been open that is closed again: its address is used. @throws if that is refused */
export async function tabKeyOf(address: string): Promise<string> {
  const proving = provingAddress(address)
  const socket = await openWindow(new URL(address).origin, proving)
  socket.terminate()
  return proving.own
}
