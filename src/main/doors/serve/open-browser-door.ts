import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Contract, HandlersOf } from '../../../shared/contract-shape.ts'
import { fail } from '../../../shared/failure.ts'
import { ENDED, KEY_PATH, SUBPROTOCOL, type DoorProof } from '../../../shared/frames.ts'
import { answererOf, type BugReport } from '../answer.ts'
import { openPushes } from '../pushes.ts'
import { talkTo } from './client.ts'
import { Connections, LOOK_MS, refuse, REQUEST_MS } from './connections.ts'
import { authority, bearerOf, isOwnPage, isTypedElsewhere, mayRead, ownOrigin, tabProofOf } from './gate.ts'
import { Keys } from './keys.ts'
import { answerJson, answerNo, answerWhere, isPage, PageFiles } from './page-files.ts'

const LARGEST_QUESTION_BYTES = 1 << 20
const MOST_WINDOWS = 16
/** For windows to hear that it ends. */
const GOODBYE_MS = 1000

export interface BrowserDoorOptions {
  /** 0: any that is free. */
  readonly port: number
  /** The built window. */
  readonly rendererRoot: string
  readonly report: BugReport
  /** Called when the last window has gone, and when the first has come. */
  readonly onWindows?: (count: number) => void
}

export interface BrowserDoor {
  readonly port: number
  /** Where it is, without a key. */
  readonly origin: string
  /** A new address with a key in it that is good for one window, once; who is told when one has opened by it. */
  address(onUsed?: () => void): string
  /** Says goodbye to its windows. */
  close(): Promise<void>
}

/** Offers the window on loopback, to whoever was given an address. @throws `io` if the port is taken */
export async function openBrowserDoor<C extends Contract>(
  contract: C,
  handlers: HandlersOf<C>,
  options: BrowserDoorOptions
): Promise<BrowserDoor> {
  const keys = new Keys()
  const server = createServer({
    maxHeaderSize: 16_384,
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: LOOK_MS,
    joinDuplicateHeaders: true // two Hosts are none
  })
  const connections = new Connections(server)
  const port = await listen(server, options.port)
  const files = new PageFiles(options.rendererRoot, `'self' ws://${authority(port)}`)
  server.on('request', (request, response) => {
    if (!connections.asks(request.socket)) return
    response
      .on('close', () => connections.answered(request.socket, response.statusCode === 200))
      .on('error', () => request.socket.destroy())
    answerRequest({ request, response, port, files, keys }).catch(() => request.socket.destroy())
  })
  const answer = answererOf(contract, handlers, options.report)
  const pushes = openPushes(contract, handlers, options.report)
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_QUESTION_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL
  })
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const takesMore = server.listening && sockets.clients.size < MOST_WINDOWS
    const shown = !takesMore || request.url !== '/core' ? undefined : tabProofOf(request.headers, port)
    const proof = shown && keys.proofFor(shown)
    if (proof === undefined) {
      refuse(stream)
      return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      connections.isWindow(request.socket)
      socket.on('error', () => socket.terminate()) // a frame too large, or not of the protocol
      socket.on('close', () => options.onWindows?.(sockets.clients.size))
      options.onWindows?.(sockets.clients.size)
      socket.send(JSON.stringify({ proof } satisfies DoorProof))
      talkTo(socket, answer, pushes)
    })
  })
  return {
    port,
    origin: ownOrigin(port),
    address: (onUsed = () => undefined) => `${ownOrigin(port)}/#${keys.forAddress(onUsed)}`,
    close: async () => {
      pushes.stop()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await Promise.all([...sockets.clients].map(sayGoodbye))
      connections.end()
      await closed
    }
  }
}

/** Until it was heard, or there has been time enough to. */
function sayGoodbye(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const impatience = setTimeout(() => socket.terminate(), GOODBYE_MS)
    socket.once('close', () => {
      clearTimeout(impatience)
      resolve()
    })
    socket.close(ENDED)
  })
}

interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly port: number
  readonly files: PageFiles
  readonly keys: Keys
}

async function answerRequest({ request, response, port, files, keys }: Asked): Promise<void> {
  const { headers, method, url = '/' } = request
  if (hasBody(headers)) answerNo(response, 403)
  else if (url === KEY_PATH && method === 'POST') giveChallenge({ request, response, port, keys })
  else if (method === 'GET' && isPage(url) && isTypedElsewhere(headers, port)) answerWhere(response, port)
  else if (!mayRead(headers, port, isPage(url))) answerNo(response, 403)
  else if (method !== 'GET') answerNo(response, 405)
  else await files.answer(url, response)
}

/** Nothing here takes one; it would be read to no end. */
const hasBody = (headers: IncomingMessage['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

/** For whoever names a key of ours. Our page is told when that is not good any more, nobody else anything. */
function giveChallenge({ request, response, port, keys }: Omit<Asked, 'files'>): void {
  const name = bearerOf(request.headers)
  if (!isOwnPage(request.headers, port)) {
    answerNo(response, 403)
    return
  }
  const challenge = name === undefined ? undefined : keys.challenge(name)
  if (challenge === undefined) answerJson(response, 403, {})
  else answerJson(response, 200, { challenge })
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(portFailure(port, error))
    })
    server.listen({ host: '127.0.0.1', port }, () => resolve((server.address() as AddressInfo).port))
  })
}

function portFailure(port: number, error: NodeJS.ErrnoException): Error {
  try {
    return fail({ kind: 'io', path: authority(port), code: error.code ?? 'EIO', detail: error.message }, error)
  } catch (failure) {
    return failure as Error
  }
}
