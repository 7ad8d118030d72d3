import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A browser opens six. */
const MOST_WAITING = 128
/** Of all, also of those that have been let go and are not gone yet. */
const MOST_AT_ALL = 1024
/** For a request to come whole, from the first moment of its connection; looked at each second. */
export const REQUEST_MS = 5000
export const LOOK_MS = 1000
/** For a connection on which nothing moves. */
const QUIET_MS = 15_000
const LAST_WORDS_MS = 2000

/**
 * The connections of the door. Nothing that becomes of one is an error here. One that has not shown a key may be anybody's:
 * there are so many and no more, and the one that comes is let in while one that has asked nothing, or the oldest, goes. So
 * who holds connections keeps nobody out. Those of windows are not counted.
 */
export class Connections {
  /** Without a key, oldest first: how many of its requests are being answered. */
  private readonly waiting = new Map<Socket, number>()
  private readonly windows = new Set<Socket>()

  constructor(server: Server) {
    server.maxConnections = MOST_AT_ALL
    server.setTimeout(QUIET_MS)
    server.on('connection', (socket) => this.came(socket))
    server.on('clientError', (error: NodeJS.ErrnoException, stream) => this.misread(error, stream as Socket))
    server.on('connect', (_request, stream) => refuse(stream, '405 Method Not Allowed'))
  }

  /** False, and the end of it, where an earlier request is not answered yet: browsers wait. */
  asks(socket: Socket): boolean {
    const asked = this.waiting.get(socket)
    if (asked === undefined || asked > 0) {
      socket.destroy()
      return false
    }
    this.waiting.set(socket, 1)
    return true
  }

  answered(socket: Socket): void {
    if (this.waiting.has(socket)) this.waiting.set(socket, 0)
  }

  /** It has shown a key. */
  isWindow(socket: Socket): void {
    this.waiting.delete(socket)
    this.windows.add(socket)
  }

  end(): void {
    for (const socket of [...this.waiting.keys(), ...this.windows]) socket.destroy()
  }

  /** The listener comes first and stays: Node takes its own off before an upgrade. */
  private came(socket: Socket): void {
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.waiting.delete(socket)
      this.windows.delete(socket)
    })
    if (this.waiting.size >= MOST_WAITING) this.makeRoom()
    this.waiting.set(socket, 0)
  }

  private makeRoom(): void {
    const all = [...this.waiting]
    const [leaving] = all.find(([, asked]) => asked === 0) ?? all[0] ?? []
    if (leaving === undefined) return
    this.waiting.delete(leaving)
    leaving.destroy()
  }

  /** What is no HTTP, too long, or not there in time. Words in the middle of an answer would be part of it. */
  private misread({ code }: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || code === 'ECONNRESET' || this.waiting.get(socket) !== 0) socket.destroy()
    else refuse(socket, MISREAD[code ?? ''] ?? '400 Bad Request')
  }
}

const MISREAD: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout'
}

/** Says no on a bare socket, and lets go of it, whatever the other side does. */
export function refuse(stream: Duplex, status = '403 Forbidden'): void {
  const socket = stream as Socket
  socket.on('error', () => undefined)
  socket.setTimeout(LAST_WORDS_MS, () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}
