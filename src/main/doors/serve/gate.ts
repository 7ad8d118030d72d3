import type { IncomingHttpHeaders } from 'node:http'
import { proofProtocol, readTabProof, SUBPROTOCOL, type TabProof } from '../../../shared/frames.ts'

/**
 * Who may. Browsers say who asks (`Sec-Fetch-*`, `Origin`); what says nothing of it is an old browser or no browser, for
 * which Host, and for all but the page's files the key, have to do. What is missing otherwise counts as wrong.
 */
type Headers = Readonly<IncomingHttpHeaders>

/** What another page may put into itself, or keep behind itself. */
const WITHIN_ANOTHER = ['iframe', 'frame', 'object', 'embed', 'fencedframe', 'serviceworker']

/** As browsers say it: they leave out the port of the Web, 80. */
export const authority = (port: number): string => new URL(`http://127.0.0.1:${port}`).host
export const ownOrigin = (port: number): string => `http://${authority(port)}`

/**
 * The page and its files. Whoever came by another name (DNS rebinding) is refused, and so is any other page, one of another
 * port of this computer too: but for a person who follows a link or our file, which opens the page, without a key in it.
 */
export function mayRead(headers: Headers, port: number, isPage: boolean): boolean {
  if (headers.host !== authority(port)) return false
  if (headers.origin !== undefined && headers.origin !== ownOrigin(port)) return false
  if (headers['sec-purpose'] !== undefined || headers['purpose'] !== undefined) return false // nobody has come yet
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': target } = headers
  if (WITHIN_ANOTHER.includes(String(target))) return false
  if (site === undefined || site === 'same-origin' || site === 'none') return true
  return isPage && mode === 'navigate' && target === 'document'
}

/**
 * A person who typed another name of this computer, or comes through a tunnel: the browser says that no page asks, none of
 * that name either. So a name that leads here (DNS rebinding) is told nothing.
 */
export const isTypedElsewhere = (headers: Headers, port: number): boolean =>
  headers.host !== authority(port) &&
  headers.origin === undefined &&
  headers['sec-purpose'] === undefined &&
  headers['sec-fetch-site'] === 'none' &&
  headers['sec-fetch-mode'] === 'navigate' &&
  headers['sec-fetch-dest'] === 'document'

/** Our own page, and nobody in its place. */
export const isOwnPage = (headers: Headers, port: number): boolean =>
  headers.host === authority(port) &&
  headers.origin === ownOrigin(port) &&
  (headers['sec-fetch-site'] ?? 'same-origin') === 'same-origin'

/** The name of the key that a page asks for. No page of another origin can send it without asking first, which is refused. */
export const bearerOf = ({ authorization = '' }: Headers): string | undefined =>
  /^Bearer ([\w-]{43})$/.exec(authorization)?.[1]

/** The WebSocket: exactly our own page, with what may be the proof of a tab. Undefined: it is not. */
export function tabProofOf(headers: Headers, port: number): TabProof | undefined {
  if (!isOwnPage(headers, port)) return undefined
  const [ours, second = '', ...more] = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (ours !== SUBPROTOCOL || more.length > 0 || !second.startsWith(proofProtocol(''))) return undefined
  return readTabProof(second.slice(proofProtocol('').length))
}
