import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Contract, HandlersOf } from '../../../shared/contract-shape.ts'
import { fail } from '../../../shared/failure.ts'
import { SUBPROTOCOL } from '../../../shared/frames.ts'
import { readAsset } from '../../core/window-files/read-asset.ts'
import { answererOf, type BugReport } from '../answer.ts'
import { openPushes } from '../pushes.ts'
import { talkTo } from './client.ts'
import { authority, mayRead, mayTalk, newToken } from './gate.ts'

const LARGEST_QUESTION_BYTES = 1 << 20
const MOST_WINDOWS = 16

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
  /** With the token, for the person's own browser. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** Offers the window on loopback, to whoever was given the token. @throws `io` if the port is taken */
export async function openBrowserDoor<C extends Contract>(
  contract: C,
  handlers: HandlersOf<C>,
  options: BrowserDoorOptions
): Promise<BrowserDoor> {
  const token = newToken()
  const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 10_000 })
  const port = await listen(server, options.port)
  server.on('request', (request, response) => void serveFile(options.rendererRoot, port, request, response))
  const answer = answererOf(contract, handlers, options.report)
  const pushes = openPushes(contract, handlers, options.report)
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_QUESTION_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL
  })
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const isFull = sockets.clients.size >= MOST_WINDOWS
    if (isFull || request.url !== '/core' || !mayTalk(request.headers, port, token)) {
      refuse(stream)
      return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      socket.on('error', () => socket.terminate()) // a frame too large, or not of the protocol
      socket.on('close', () => options.onWindows?.(sockets.clients.size))
      options.onWindows?.(sockets.clients.size)
      talkTo(socket, answer, pushes)
    })
  })
  return {
    url: `http://${authority(port)}/#${token}`,
    port,
    close: () => {
      pushes.stop()
      sockets.clients.forEach((socket) => socket.terminate())
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    }
  }
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

async function serveFile(
  root: string,
  port: number,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  if (!mayRead(request.headers, port)) {
    end(response, 403)
    return
  }
  if (request.method !== 'GET') {
    end(response, 405)
    return
  }
  const { status, headers, body } = await readAsset(root, request.url ?? '/', `ws://${authority(port)}`)
  response.writeHead(status, headers).end(body)
}

const end = (response: ServerResponse, status: number): void => void response.writeHead(status).end()

const refuse = (stream: Duplex): void => void stream.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
