import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { SUBPROTOCOL, tokenProtocol } from '../../../shared/frames.ts'

/** 256 bits, anew at each launch. In a URL's fragment it never reaches a server or a log. */
export const newToken = (): string => randomBytes(32).toString('base64url')

type Headers = Pick<IncomingHttpHeaders, 'host' | 'origin' | 'sec-websocket-protocol'>

/** The page itself: whoever came by another name (DNS rebinding) is refused. */
export const mayRead = (headers: Headers, port: number): boolean => headers.host === authority(port)

/** The WebSocket: exactly our own page, with the token. What is missing counts as wrong. */
export function mayTalk(headers: Headers, port: number, token: string): boolean {
  if (!mayRead(headers, port) || headers.origin !== `http://${authority(port)}`) return false
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
  return offered[0] === SUBPROTOCOL && offered.length === 2 && isSame(offered[1] ?? '', tokenProtocol(token))
}

export const authority = (port: number): string => `127.0.0.1:${port}`

function isSame(shown: string, expected: string): boolean {
  const [a, b] = [Buffer.from(shown), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
