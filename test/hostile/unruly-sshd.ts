import { generateKeyPairSync } from 'node:crypto'
import type { Socket } from 'node:net'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'

/**
 * An SSH server that does not keep to the protocol, in a process of its own: what it keeps in memory is not the other side's.
 * It lets everybody in, answers all programs with 0, which `id -u` says of root, and does its worst to `cat`. Forked with the name of an attack.
 */
const ATTACKS = {
  /** Sends on without asking whether it may. */
  output: ({ pour, protocol, id }: Prey) => pour(() => protocol.channelData(id, PLENTY)),
  errors: ({ pour, protocol, id }: Prey) => pour(() => protocol.channelExtData(id, PLENTY, 1)),
  /** Sends output only as it may, and gets leave for more by errors, which are read. */
  leave: ({ channel, protocol, id, counts }: Prey) => {
    const go = (): void => {
      while (channel.outgoing.window >= 2 * PIECE.length) {
        protocol.channelData(id, PIECE)
        protocol.channelExtData(id, PIECE, 1)
        channel.outgoing.window -= 2 * PIECE.length
        counts.output += PIECE.length
        counts.errors += PIECE.length
      }
      setTimeout(go, 5)
    }
    go()
  },
  /** Says that this was all, and more. */
  afterwards: ({ protocol, id }: Prey) => {
    protocol.channelEOF(id)
    protocol.channelExtData(id, PIECE, 1)
    protocol.channelData(id, PIECE)
  },
  /** Asks for answers, and takes none. */
  requests: ({ pour, request }: Prey) => {
    pour(() => {
      for (let n = 0; n < 1000; n++) request('x@y', Buffer.alloc(0))
    })
  },
  /** Says thousands of times how programs ended, which wants no answer; then that this was all. */
  ends: ({ channel, channelRequest }: Prey) => {
    for (let n = 0; n < MANY; n++) channelRequest('exit-status', false, Buffer.alloc(4))
    channel.write('all\n')
  },
  /** Asks thousands of times whether we are there, and takes each answer. */
  asks: ({ protocol, channel, channelRequest, counts }: Prey) => {
    const ask = (): void => {
      for (let n = 0; n < SOME; n++) channelRequest('keepalive@openssh.com', true)
    }
    protocol._handlers['CHANNEL_FAILURE'] = () => {
      counts.answers += 1
      if (counts.answers === MANY) channel.write('all\n')
      else if (counts.answers % SOME === 0) ask()
    }
    ask()
  },
  /**
   * Sends all that it may. Once that is closed, it asks for an answer, never says that it has closed it too, and counts what
   * is said there all the same.
   */
  closed: ({ protocol, channel, id, channelRequest, counts }: Prey) => {
    const { _handlers: handlers } = protocol
    const { CHANNEL_CLOSE: close, CHANNEL_WINDOW_ADJUST: adjust } = handlers
    const isOurs = (recipient: number): boolean => recipient === channel.incoming.id
    handlers['CHANNEL_WINDOW_ADJUST'] = (from, recipient, bytes) => {
      if (counts.closed > 0 && isOurs(recipient)) counts.late.push('leave for more')
      else adjust?.(from, recipient, bytes)
    }
    handlers['CHANNEL_FAILURE'] = () => counts.late.push('an answer')
    handlers['CHANNEL_CLOSE'] = (from, recipient) => {
      if (!isOurs(recipient)) return close?.(from, recipient)
      counts.closed += 1
      channelRequest('keepalive@openssh.com', true)
      return undefined
    }
    const go = (): void => {
      if (counts.closed > 0) return
      while (channel.outgoing.window >= PIECE.length) {
        protocol.channelData(id, PIECE)
        channel.outgoing.window -= PIECE.length
        counts.output += PIECE.length
      }
      setTimeout(go, 5)
    }
    go()
  },
  /** Wants to open what only a client that forwards lets it open, and shows keys to be looked into. */
  opens: ({ protocol, request, counts, client }: Prey) => {
    const count = (): void => void (counts.refused += 1)
    Object.assign(protocol._handlers, {
      CHANNEL_OPEN_FAILURE: count,
      CHANNEL_OPEN_CONFIRMATION: () => (counts.opened += 1),
      REQUEST_FAILURE: count,
      REQUEST_SUCCESS: () => (counts.opened += 1)
    })
    client.on('request', () => (counts.opened += 1))
    for (let n = 0; n < 1000; n++) {
      protocol.x11(n, 2 << 20, 32_768, { originAddr: '127.0.0.1', originPort: 1 })
      protocol.openssh_authAgent(n, 2 << 20, 32_768)
      const address = { boundAddr: 'localhost', boundPort: 1, remoteAddr: '127.0.0.1', remotePort: 2 }
      protocol.forwardedTcpip(n, 2 << 20, 32_768, address)
      request('hostkeys-00@openssh.com', HOST_KEY)
    }
  },
  /** Takes nothing of what it has given leave for. */
  deaf: ({ protocol, id, socket }: Prey) => {
    protocol.channelWindowAdjust(id, 2 ** 32 - 1 - (2 << 20))
    socket.pause()
  },
  /** Takes packets of no bytes at all. */
  nothing: () => undefined,
  /** Speaks only compressed. */
  zlib: () => undefined
} satisfies Record<string, (prey: Prey) => void>

export type Attack = keyof typeof ATTACKS

/** What came of it so far, as far as the server knows. */
export interface Counts {
  output: number
  errors: number
  refused: number
  opened: number
  /** To what was asked in a channel. */
  answers: number
  /** Channels that the client has closed, and what it said there behind that. */
  closed: number
  late: string[]
  /** Connections that have ended. */
  ended: number
}

interface ServerProtocol {
  readonly _handlers: Record<string, (protocol: unknown, recipient: number, ...rest: unknown[]) => unknown>
  readonly _packetRW: { write: { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } }
  readonly _cipher: { encrypt(packet: Buffer): void }
  channelOpenConfirm: (remote: number, local: number, window: number, packetSize: number) => void
  channelData(id: number, data: Buffer): void
  channelExtData(id: number, data: Buffer, type: number): void
  channelEOF(id: number): void
  channelWindowAdjust(id: number, bytes: number): void
  x11(id: number, window: number, packetSize: number, from: object): void
  openssh_authAgent(id: number, window: number, packetSize: number): void
  forwardedTcpip(id: number, window: number, packetSize: number, from: object): void
}

type Victim = ServerChannel & {
  readonly incoming: { readonly id: number }
  readonly outgoing: { id: number; window: number }
}

interface Prey {
  readonly client: Connection
  readonly protocol: ServerProtocol
  readonly socket: Socket
  readonly channel: Victim
  readonly id: number
  readonly counts: Counts
  /** As fast as the network takes it. */
  readonly pour: (send: () => void) => void
  readonly request: (name: string, data: Buffer) => void
  readonly channelRequest: (name: string, wantsReply: boolean, data?: Buffer) => void
}

/** More than a client lets lie, and as many as it is asked for at once. */
const MANY = 11_000
const SOME = 500
const PLENTY = Buffer.alloc(32_000, 120)
const PIECE = Buffer.alloc(16_000, 120)

const GLOBAL_REQUEST = 80
const CHANNEL_REQUEST = 98

const keyPair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' }
})
const parsed = ssh2.utils.parseKey(keyPair.privateKey)
if (parsed instanceof Error) throw parsed
const withLength = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
const HOST_KEY = withLength(parsed.getPublicSSH())

function serve(attack: Attack): void {
  const counts: Counts = { output: 0, errors: 0, refused: 0, opened: 0, answers: 0, closed: 0, late: [], ended: 0 }
  const algorithms = attack === 'zlib' ? { compress: ['zlib', 'zlib@openssh.com'] as never } : {}
  const server = new ssh2.Server({ hostKeys: [keyPair.privateKey], ident: 'OpenSSH_9.6', algorithms }, (client) => {
    client
      .on('error', () => undefined)
      .once('close', () => (counts.ended += 1))
      .on('authentication', (login) => (login.method === 'none' ? login.reject(['publickey']) : login.accept()))
      .on('session', (accept) => {
        const { _protocol: protocol } = client as unknown as { _protocol: ServerProtocol }
        if (attack === 'nothing') {
          const confirm = protocol.channelOpenConfirm.bind(protocol)
          protocol.channelOpenConfirm = (remote, local, window) => confirm(remote, local, window, 0)
        }
        accept().on('exec', (run) => answer(attack, client, run() as Victim, counts))
      })
  })
  process.on('message', () => process.send?.(counts))
  process.on('disconnect', () => process.exit())
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port))
}

/** At once, before anything has come. */
const WITHOUT_A_FRAME: ReadonlySet<Attack> = new Set(['requests', 'ends', 'asks'])

function answer(attack: Attack, client: Connection, channel: Victim, counts: Counts): void {
  if (WITHOUT_A_FRAME.has(attack)) ATTACKS[attack](preyOf(client, channel, counts))
  let head = ''
  const listen = (data: Buffer): void => {
    head += data.toString('latin1')
    if (!head.includes('\n')) return
    channel.off('data', listen)
    const script = Buffer.from(head.split('\n')[0] ?? '', 'base64').toString()
    const marker = /[0-9a-f]{32}/.exec(script)?.[0] ?? ''
    channel.stderr.write(`\n${marker}\n`)
    channel.write(`\n${marker} 1 4242 found\n`)
    if (!script.includes("set -- 'cat'")) {
      channel.write('0\n')
      channel.exit(0)
      channel.end()
    } else ATTACKS[attack](preyOf(client, channel, counts))
  }
  channel.on('data', listen)
}

function preyOf(client: Connection, channel: Victim, counts: Counts): Prey {
  const { _protocol: protocol, _sock: socket } = client as unknown as { _protocol: ServerProtocol; _sock: Socket }
  const pour = (send: () => void): void => {
    if (socket.destroyed) return
    send()
    counts.output += PLENTY.length
    if (socket.writableLength > 1 << 20) socket.once('drain', () => pour(send))
    else setImmediate(() => pour(send))
  }
  const send = (...parts: readonly Uint8Array[]): void => {
    const { write } = protocol._packetRW
    const payload = Buffer.concat(parts)
    const packet = write.alloc(payload.length)
    packet.set(payload, write.allocStart)
    protocol._cipher.encrypt(write.finalize(packet))
  }
  const request = (name: string, data: Buffer): void =>
    send(Buffer.from([GLOBAL_REQUEST]), withLength(Buffer.from(name)), Buffer.from([1]), data)
  const { id } = channel.outgoing
  const channelRequest = (name: string, wantsReply: boolean, data: Buffer = Buffer.alloc(0)): void => {
    const head = Buffer.from([CHANNEL_REQUEST, 0, 0, 0, 0])
    head.writeUInt32BE(id, 1)
    send(head, withLength(Buffer.from(name)), Buffer.from([wantsReply ? 1 : 0]), data)
  }
  return { client, protocol, socket, channel, id, counts, pour, request, channelRequest }
}

serve(process.argv[2] as Attack)
