import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Connections } from '../../../src/main/doors/serve/connections.ts'

/** The server of the door without a port: connections come when they are told to. */
class Door extends EventEmitter {
  readonly setTimeout = vi.fn()
  readonly connections = new Connections(this as unknown as Server)

  opened(): Socket {
    const socket = new Socket()
    this.emit('connection', socket)
    return socket
  }

  flood(count: number): Socket[] {
    return Array.from({ length: count }, () => this.opened())
  }

  /** A browser asks, and gets the whole of it. */
  loads(socket: Socket): boolean {
    const answers = this.connections.asks(socket)
    if (answers) this.connections.answered(socket, true)
    return answers
  }
}

let door: Door
beforeEach(() => {
  vi.useFakeTimers()
  door = new Door()
})
afterEach(() => {
  door.connections.end()
  vi.useRealTimers()
})

const open = (sockets: readonly Socket[]): number => sockets.filter(({ destroyed }) => !destroyed).length

describe('a flood of connections', () => {
  it('leaves one the time to ask that has just come', () => {
    const own = door.opened()
    door.flood(800)
    vi.advanceTimersByTime(400)
    expect(door.loads(own)).toBe(true)
  })

  it.each([
    ['say nothing', () => undefined],
    ['are refused', (socket: Socket) => door.connections.asks(socket) && door.connections.answered(socket, false)],
    ['begin to ask and wait', (socket: Socket) => door.connections.asks(socket)]
  ])('breaks no page that loads file by file, where they %s', (_what, say) => {
    const own = Array.from({ length: 6 }, () => door.opened())
    for (let file = 0; file < 50; file++) {
      expect(own.map((socket) => door.loads(socket))).toEqual(own.map(() => true))
      door.flood(80).forEach(say)
      vi.advanceTimersByTime(100)
    }
  })

  it('leaves so many and no more, at once and in the end', () => {
    const held = door.flood(5000)
    expect(open(held)).toBe(896)
    vi.advanceTimersByTime(1000)
    expect(open(held)).toBe(128)
    expect(held.at(-1)?.destroyed).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets go of what was of no use first, then of what was of use the longest ago, and of a question last', () => {
    const [asking, late, early] = door.flood(3)
    if (asking === undefined || late === undefined || early === undefined) throw new Error('three')
    door.connections.asks(asking)
    door.loads(early)
    door.loads(late)
    vi.advanceTimersByTime(1000)
    const alive = (): boolean[] => [asking, late, early].map(({ destroyed }) => !destroyed)
    door.flood(200)
    vi.advanceTimersByTime(1000)
    expect(alive()).toEqual([true, true, true])
    for (const socket of door.flood(126)) door.loads(socket)
    vi.advanceTimersByTime(1000)
    expect(alive()).toEqual([true, true, false])
    for (const socket of door.flood(100)) door.connections.asks(socket)
    vi.advanceTimersByTime(1000)
    expect(alive()).toEqual([true, false, false])
  })
})
