import type { Transport } from '../../shared/bridge.ts'
import { SUBPROTOCOL, tokenProtocol, type CoreFrame } from '../../shared/frames.ts'
import type { TabKey } from './tab-key.ts'

/** How the way to the core is: a window says when what it shows may be old. */
export type LinkState = 'up' | 'lost'

const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 4000

type Answer = (reply: unknown) => void

/** The way to the core through the browser door. It comes back by itself; what was asked meanwhile fails as lost. */
export class SocketTransport implements Transport {
  private readonly url: string
  private readonly key: TabKey
  private readonly onState: (state: LinkState) => void
  private readonly onRefused: () => void
  private readonly listeners = new Map<string, Set<(value: unknown) => void>>()
  private readonly latest = new Map<string, unknown>()
  private readonly waiting = new Map<number, Answer>()
  private opened: Promise<WebSocket | undefined>
  private next = 0
  private retryMs = FIRST_RETRY_MS

  /** @param onRefused called once, when the door does not take the tab's key any more: there is no way back */
  constructor(url: string, key: TabKey, onState: (state: LinkState) => void, onRefused: () => void) {
    this.url = url
    this.key = key
    this.onState = onState
    this.onRefused = onRefused
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

  private async connect(): Promise<WebSocket | undefined> {
    const said = await this.key.get()
    if (said === 'refused' || said === 'silent') {
      if (said === 'refused') this.onRefused()
      else this.lost()
      return undefined
    }
    const socket = new WebSocket(this.url, [SUBPROTOCOL, tokenProtocol(said.key)])
    socket.addEventListener('open', () => {
      this.retryMs = FIRST_RETRY_MS
      this.onState('up')
    })
    socket.addEventListener('message', ({ data }) => this.take(JSON.parse(String(data)) as CoreFrame))
    socket.addEventListener('close', () => this.lost())
    return new Promise((resolve) => {
      socket.addEventListener('open', () => resolve(socket), { once: true })
      socket.addEventListener('close', () => resolve(socket), { once: true })
    })
  }

  private take(frame: CoreFrame): void {
    if ('push' in frame) {
      this.latest.set(frame.push, frame.value)
      this.listeners.get(frame.push)?.forEach((listener) => listener(frame.value))
      return
    }
    this.waiting.get(frame.id)?.(frame.reply)
    this.waiting.delete(frame.id)
  }

  private lost(): void {
    this.onState('lost')
    this.waiting.forEach((resolve) => resolve(LOST))
    this.waiting.clear()
    setTimeout(() => {
      this.opened = this.connect()
    }, this.retryMs)
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS)
  }
}

const LOST = { ok: false, failure: { kind: 'connection-lost', host: 'Stillpoint', during: 'talking to it' } }
