import type { Duplex, Readable } from 'node:stream'
import type { Client } from 'ssh2'
import { StillpointError } from '../../../shared/failure.ts'
import { cameFromHosts } from '../steady-memory.ts'

/** What ssh2 gives a channel, and tops up at half of it (`MAX_WINDOW` in its Channel.js). */
const WINDOW_BYTES = 2 << 20
/** A packet of less than this carries more of itself than of us; with one of 0 bytes ssh2 sends without end. */
const LEAST_PACKET_BYTES = 1024
/** So much is on its way before more is sent: the window that the host gives may be of any size. */
const MOST_ON_ITS_WAY = 4 << 20
/** Answers that a host asks for and does not take. One in order asks for one now and then, to see whether we are there. */
const MOST_UNTAKEN = 10_000
/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED of RFC 4254. */
const PROHIBITED = 1

/** What ssh2 holds of a channel. */
interface Channel extends Readable {
  readonly stderr: Readable
  readonly incoming: { window: number; state: string }
  readonly outgoing: { readonly id: number; readonly state: string; readonly packetSize: number }
}

type Handler = (protocol: Protocol, ...rest: never[]) => void
type Handlers = Record<
  | 'CHANNEL_DATA'
  | 'CHANNEL_EXTENDED_DATA'
  | 'CHANNEL_OPEN_CONFIRMATION'
  | 'CHANNEL_OPEN'
  | 'CHANNEL_REQUEST'
  | 'GLOBAL_REQUEST',
  Handler
>

interface Protocol {
  readonly _handlers: Handlers
  /** There while keys are exchanged: what is sent then waits in a queue. */
  readonly _kexinit: unknown
  /** Gone once it can send no more. */
  readonly _destruct: unknown
  requestFailure(): void
  channelOpenFail(id: number, reason: number, text: string): void
  channelWindowAdjust(id: number, bytes: number): void
}

/** What is no part of ssh2's interface. Its version is pinned, and test/hostile/sshd.test.ts sees whether this holds. */
interface Inside {
  readonly _protocol: Protocol
  readonly _chanMgr: { get(id: number): unknown }
}

const STDERR = 1

/**
 * Holds a host to what it was allowed to send, which ssh2 does not, and us to what the host has taken. A host that does not
 * keep to it loses the connection: it is thrown in ssh2's reading, which makes an `error` of the client of it.
 */
export class FlowControl {
  readonly #host: string
  readonly #client: Client
  readonly #socket: Duplex
  readonly #inside: Inside
  readonly #waiting = new Set<() => void>()
  #isClosed = false
  #untaken = 0
  #fault: string | undefined

  /** Right after `connect`, before a byte has come. */
  constructor(host: string, client: Client, socket: Duplex) {
    this.#host = host
    this.#client = client
    this.#socket = socket
    this.#inside = client as unknown as Inside
    this.#replaceHandlers(this.#inside._protocol._handlers)
    this.#wakeWhenThereIsRoom()
  }

  /** Why the connection was ended from here. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** Once most of what was sent has left this computer; at once where the connection is lost. */
  async room(): Promise<void> {
    while (!this.#isClosed && this.#isFull()) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  /** ssh2 destroys no socket that it has ended, though what it has still to send may never be taken. */
  cut(): void {
    this.#socket.destroy()
  }

  #isFull(): boolean {
    return this.#inside._protocol._kexinit !== undefined || this.#socket.writableLength > MOST_ON_ITS_WAY
  }

  #wakeWhenThereIsRoom(): void {
    const wake = (): void => {
      const waiting = [...this.#waiting]
      this.#waiting.clear()
      waiting.forEach((resolve) => resolve())
    }
    this.#socket.on('drain', wake)
    this.#client.on('handshake', wake).once('close', () => {
      this.#isClosed = true
      wake()
    })
  }

  #replaceHandlers(handlers: Handlers): void {
    const { CHANNEL_OPEN_CONFIRMATION: confirmed, CHANNEL_REQUEST: requested } = handlers
    Object.assign(handlers, {
      CHANNEL_OPEN_CONFIRMATION: (protocol: Protocol, info: { recipient: number; packetSize: number }) => {
        if (info.packetSize < LEAST_PACKET_BYTES)
          this.#refuse('wants what is sent to it in packets too small to hold it')
        confirmed(protocol, info as never)
        const channel = this.#channel(info.recipient)
        if (channel) this.#refillAsItIsRead(channel)
      },
      CHANNEL_DATA: (_: Protocol, id: number, data: Buffer) => {
        const channel = this.#channel(id)
        if (channel) this.#take(channel, channel, data)
      },
      CHANNEL_EXTENDED_DATA: (_: Protocol, id: number, data: Buffer, type: number) => {
        const channel = this.#channel(id)
        if (channel && type === STDERR) this.#take(channel, channel.stderr, data)
      },
      // Nothing is forwarded to us, and nobody here asks for the host's other keys.
      CHANNEL_OPEN: (protocol: Protocol, { sender }: { sender: number }) => {
        this.#answer(() => protocol.channelOpenFail(sender, PROHIBITED, ''))
      },
      GLOBAL_REQUEST: (protocol: Protocol, _: string, wantsReply: boolean) => {
        if (wantsReply) this.#answer(() => protocol.requestFailure())
      },
      // How a program ended wants no answer, and in what we have closed none may be given.
      CHANNEL_REQUEST: (protocol: Protocol, id: number, type: string, wantsReply: boolean, data: unknown) => {
        const channel = this.#channel(id)
        const isAnswered = wantsReply && channel !== undefined && maySendIn(channel)
        const take = (): void => requested(protocol, ...([id, type, isAnswered, data] as never[]))
        if (isAnswered) this.#answer(take)
        else take()
      }
    })
  }

  /**
   * A host that does not read would have all answers lie here. They are counted anew once the first of those counted has
   * left this computer, not once nothing is on its way: while much goes up a slow line, something always is.
   */
  #answer(answer: () => void): void {
    this.#untaken += 1
    if (this.#untaken > MOST_UNTAKEN) this.#refuse('asks for answers without end and takes none')
    answer()
    if (this.#untaken === 1 && this.#socket.writable) this.#socket.write('', () => (this.#untaken = 0))
  }

  #channel(id: number): Channel | undefined {
    const channel = this.#inside._chanMgr.get(id)
    return typeof channel === 'object' && channel !== null ? (channel as Channel) : undefined
  }

  #take(channel: Channel, stream: Readable, data: Buffer): void {
    const { incoming } = channel
    if (incoming.state !== 'open') this.#refuse('goes on sending after it said that this was all')
    if (data.length > incoming.window) this.#refuse('sends more than it was allowed to')
    incoming.window -= data.length
    cameFromHosts(data.length)
    stream.push(data)
    this.#refill(channel)
  }

  /** Both share one window: while one of them is not read, the other one brings no more for it. */
  #refill(channel: Channel): void {
    const { incoming, outgoing } = channel
    const { _protocol: protocol } = this.#inside
    if (isFull(channel) || isFull(channel.stderr) || incoming.window > WINDOW_BYTES / 2) return
    if (!maySendIn(channel) || protocol._destruct === undefined) return
    protocol.channelWindowAdjust(outgoing.id, WINDOW_BYTES - incoming.window)
    incoming.window = WINDOW_BYTES
  }

  /** A stream asks for more just before it gives away what it has. */
  #refillAsItIsRead(channel: Channel): void {
    const more = (): void => queueMicrotask(() => this.#refill(channel))
    channel._read = more
    channel.stderr._read = more
  }

  #refuse(does: string): never {
    this.#fault ??= `${this.#host} ${does}, which no SSH server in order does: the connection was ended from here.`
    throw new StillpointError({ kind: 'connection-lost', host: this.#host, during: 'the login', reason: this.#fault })
  }
}

/** Whoever has closed a channel says nothing more in it: the host may have let it go, or given its number to another one. */
const maySendIn = ({ outgoing: { state } }: Channel): boolean => state === 'open' || state === 'eof'

const isFull = (stream: Readable): boolean => stream.readableLength >= stream.readableHighWaterMark
