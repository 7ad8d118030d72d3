import type { Transport } from '../../shared/bridge.ts'
import { ENDED, proofProtocol, SUBPROTOCOL, type CoreFrame, type DoorProof } from '../../shared/frames.ts'
import { ANSWER_MS, type Handshake, type TabKey } from './tab-key.ts'

/** How the way to the core is: a window says when what it shows may be old. */
export type LinkState = 'up' | 'lost'

const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 4000

/** Why there is no way back: Stillpoint has ended, or the door does not take a key that never opened a window. */
export type LinkEnd = 'ended' | 'refused'

type Answer = (reply: unknown) => void

/**
 * The way to the core through the browser door. It comes back by itself; what was asked meanwhile fails as lost. Keys last one
 * launch: who has the port and does not prove the tab's key first is another program, to which nothing is said, ever.
 */
export class SocketTransport implements Transport {
  private readonly url: string
  private readonly key: TabKey
  private readonly onState: (state: LinkState) => void
  private readonly onEnd: (why: LinkEnd) => void
  private readonly listeners = new Map<string, Set<(value: unknown) => void>>()
  private readonly latest = new Map<string, unknown>()
  private readonly waiting = new Map<number, Answer>()
  private opened: Promise<WebSocket | undefined>
  private next = 0
  private retryMs = FIRST_RETRY_MS
  private hasEnded = false

  /** @param onEnd called once: there is no way back */
  constructor(url: string, key: TabKey, onState: (state: LinkState) => void, onEnd: (why: LinkEnd) => void) {
    this.url = url
    this.key = key
    this.onState = onState
    this.onEnd = onEnd
    this.opened = this.connect()
  }

  async ask(channel: string, question: readonly unknown[]): Promise<unknown> {
    const socket = await this.opened
    if (socket?.readyState !== WebSocket.OPEN) return LOST
    const id = this.next++
    return new Promise((resolve) => {
      this.waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, channel, question }))
    })
  }

  /** Hears the last value at once, if there is one. */
  listen(channel: string, listener: (value: unknown) => void): () => void {
    const listeners = this.listeners.get(channel) ?? new Set()
    this.listeners.set(channel, listeners.add(listener))
    if (this.latest.has(channel)) listener(this.latest.get(channel))
    return () => void listeners.delete(listener)
  }

  /** What it gives is proved, or no way to ask anything. */
  private async connect(): Promise<WebSocket | undefined> {
    const handshake = await this.key.begin()
    if (handshake === 'silent') this.lost()
    else if (handshake === 'ended' || handshake === 'refused') this.end(handshake)
    else return this.open(handshake)
    return undefined
  }

  private open({ shown, expected, opened }: Handshake): Promise<WebSocket> {
    const socket = new WebSocket(this.url, [SUBPROTOCOL, proofProtocol(shown)])
    const proof = JSON.stringify({ proof: expected } satisfies DoorProof)
    let isProved = false
    return new Promise((resolve) => {
      const impatience = setTimeout(() => socket.close(), ANSWER_MS)
      const prove = (): void => {
        isProved = true
        clearTimeout(impatience)
        opened()
        this.retryMs = FIRST_RETRY_MS
        this.onState('up')
        resolve(socket)
      }
      socket.addEventListener('message', ({ data }) => {
        if (this.hasEnded) return
        if (isProved) this.take(JSON.parse(String(data)) as CoreFrame)
        else if (data === proof) prove()
        else {
          socket.close()
          this.end('ended')
          resolve(socket)
        }
      })
      socket.addEventListener('close', ({ code }) => {
        clearTimeout(impatience)
        if (isProved && code === ENDED) this.end('ended')
        else if (!this.hasEnded) this.lost()
        resolve(socket)
      })
    })
  }

  private take(frame: CoreFrame): void {
    if ('push' in frame) {
      this.latest.set(frame.push, frame.value)
      this.listeners.get(frame.push)?.forEach((listener) => listener(frame.value))
      return
    }
    if ('proof' in frame) return
    this.waiting.get(frame.id)?.(frame.reply)
    this.waiting.delete(frame.id)
  }

  private lost(): void {
    this.onState('lost')
    this.answerLost()
    setTimeout(() => {
      this.opened = this.connect()
    }, this.retryMs)
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS)
  }

  private end(why: LinkEnd): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.key.forget()
    this.onState('lost')
    this.answerLost()
    this.onEnd(why)
  }

  private answerLost(): void {
    this.waiting.forEach((resolve) => resolve(LOST))
    this.waiting.clear()
  }
}

const LOST = { ok: false, failure: { kind: 'connection-lost', host: 'Stillpoint', during: 'talking to it' } }
