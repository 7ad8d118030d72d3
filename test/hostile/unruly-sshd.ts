import { generateKeyPairSync } from 'node:crypto'
import type { Socket } from 'node:net'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'

/**
 * An SSH server that does not keep to the protocol, in a process of its own: what it keeps in memory is not the other side's.
 * It lets everybody in, answers `id -u` as root, and does its worst to every other program. Forked with the name of an attack.
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
  /** Connections that have ended. */
  ended: number
}

interface ServerProtocol {
  readonly _handlers: object
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

type Victim = ServerChannel & { readonly outgoing: { id: number; window: number } }

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
}

const PLENTY = Buffer.alloc(32_000, 120)
const PIECE = Buffer.alloc(16_000, 120)

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
  const counts: Counts = { output: 0, errors: 0, refused: 0, opened: 0, ended: 0 }
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

function answer(attack: Attack, client: Connection, channel: Victim, counts: Counts): void {
  if (attack === 'requests') ATTACKS.requests(preyOf(client, channel, counts))
  let head = ''
  const listen = (data: Buffer): void => {
    head += data.toString('latin1')
    if (!head.includes('\n')) return
    channel.off('data', listen)
    const script = Buffer.from(head.split('\n')[0] ?? '', 'base64').toString()
    const marker = /[0-9a-f]{32}/.exec(script)?.[0] ?? ''
    channel.stderr.write(`\n${marker}\n`)
    channel.write(`\n${marker} 1 4242 found\n`)
    if (script.includes("set -- 'id'")) {
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
  const request = (name: string, data: Buffer): void => {
    const { write } = protocol._packetRW
    const payload = Buffer.concat([Buffer.from([80]), withLength(Buffer.from(name)), Buffer.from([1]), data])
    const packet = write.alloc(payload.length)
    packet.set(payload, write.allocStart)
    protocol._cipher.encrypt(write.finalize(packet))
  }
  return { client, protocol, socket, channel, id: channel.outgoing.id, counts, pour, request }
}

serve(process.argv[2] as Attack)
