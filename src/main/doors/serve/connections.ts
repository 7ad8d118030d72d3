import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A browser opens six. */
const MOST_WAITING = 128
/** With those that are spared, since a browser may not have had its turn yet to ask on them, or to ask for more. */
const MOST_SPARED = 896
const SPARED_MS = 500
const LET_GO_MS = 50
/** Of all, also of those that have been let go and are not gone yet. */
const MOST_AT_ALL = 1024
/** For a request to come whole, from the first moment of its connection; looked at each second. */
export const REQUEST_MS = 5000
export const LOOK_MS = 1000
/** For a connection on which nothing moves. */
const QUIET_MS = 15_000
const LAST_WORDS_MS = 2000

/** What came last of a connection without a key; those that are of the least use go first. */
const USES = ['nothing', 'a file', 'a question'] as const
interface Waiting {
  readonly last: (typeof USES)[number]
  readonly at: number
}

/**
 * The connections of the door. Nothing that becomes of one is an error here. One that has not shown a key may be anybody's:
 * there are so many and no more, and the one that comes is let in while another goes: one on which nothing good was asked,
 * else one that had a file of the page, the longest ago. Each is spared for a moment, as far as there is room. So who holds
 * connections, or makes new ones without end, keeps nobody out, and breaks no page that loads. Those of windows are not
 * counted.
 */
export class Connections {
  /** Without a key, those of which something came last at the end. */
  private readonly waiting = new Map<Socket, Waiting>()
  private lettingGo: NodeJS.Timeout | undefined
  private readonly windows = new Set<Socket>()

  constructor(server: Server) {
    server.maxConnections = MOST_AT_ALL
    server.setTimeout(QUIET_MS)
    server.on('connection', (socket) => this.opened(socket))
    server.on('clientError', (error: NodeJS.ErrnoException, stream) => this.misread(error, stream as Socket))
    server.on('connect', (_request, stream) => refuse(stream, '405 Method Not Allowed'))
  }

  /** False, and the end of it, where an earlier request is not answered yet: browsers wait. */
  asks(socket: Socket): boolean {
    const waiting = this.waiting.get(socket)
    if (waiting === undefined || waiting.last === 'a question') {
      socket.destroy()
      return false
    }
    this.came(socket, 'a question')
    return true
  }

  answered(socket: Socket, hadFile: boolean): void {
    if (this.waiting.has(socket)) this.came(socket, hadFile ? 'a file' : 'nothing')
  }

  /** It has shown a key. */
  isWindow(socket: Socket): void {
    this.waiting.delete(socket)
    this.windows.add(socket)
  }

  end(): void {
    clearTimeout(this.lettingGo)
    for (const socket of [...this.waiting.keys(), ...this.windows]) socket.destroy()
  }

  /** The listener comes first and stays: Node takes its own off before an upgrade. */
  private opened(socket: Socket): void {
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.waiting.delete(socket)
      this.windows.delete(socket)
    })
    this.came(socket, 'nothing')
    if (this.waiting.size > MOST_SPARED) this.letGo(MOST_SPARED, Infinity)
    this.letGoSoon()
  }

  private came(socket: Socket, last: Waiting['last']): void {
    this.waiting.delete(socket)
    this.waiting.set(socket, { last, at: performance.now() })
  }

  private letGoSoon(): void {
    if (this.waiting.size <= MOST_WAITING) return
    this.lettingGo ??= setTimeout(() => {
      this.lettingGo = undefined
      this.letGo(MOST_WAITING, performance.now() - SPARED_MS)
      this.letGoSoon()
    }, LET_GO_MS)
  }

  /** @param before of those only on which nothing came since; none of more use goes before one of less that is spared */
  private letGo(most: number, before: number): void {
    for (const use of USES)
      for (const [socket, { last, at }] of this.waiting) {
        if (this.waiting.size <= most) return
        if (last !== use) continue
        if (at > before) return
        this.waiting.delete(socket)
        socket.destroy()
      }
  }

  /** What is no HTTP, too long, or not there in time. Words in the middle of an answer would be part of it. */
  private misread({ code }: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || code === 'ECONNRESET' || this.waiting.get(socket)?.last === 'a question') socket.destroy()
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
