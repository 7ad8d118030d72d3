import { describe, expect, it } from 'vitest'
import { Frame, MAX_NOISE_BYTES, TooNoisy } from '../../src/main/core/ssh/framing.ts'
import { growthOf, longestPieceMs } from './cpu-time.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('a login that prints without end')

const MARKER = 'm'.repeat(32)

/** What a login prints before anything runs, a packet at a time. */
const NOISE: Readonly<Record<string, string>> = {
  'single characters': 'x',
  'line ends': '\n',
  'beginnings of the marker': `\n${MARKER.slice(1)}`,
  'the marker within a line': ` ${MARKER}`,
  'characters of several bytes': 'ü'
}

const printing = (packet: string, bytes: number): (() => Frame) => {
  const chunk = Buffer.from(packet)
  return () => {
    const frame = new Frame(MARKER, () => undefined)
    for (let sent = 0; sent + chunk.length <= bytes; sent += chunk.length) void frame.take(chunk)
    return frame
  }
}

describe('a login that prints before anything runs', () => {
  it.each(Object.keys(NOISE))('makes twice the work where it prints twice as much: %s', async (what) => {
    await tally.tried(() => {
      expect(growthOf((bytes) => printing(NOISE[what] ?? '', bytes), MAX_NOISE_BYTES / 4)).toBeLessThan(3)
    })
  })

  it.each(Object.keys(NOISE))('holds nobody up with a read of 64 KiB near the limit: %s', async (what) => {
    await tally.tried(async () => {
      const packet = Buffer.from(NOISE[what] ?? '')
      const piece = await longestPieceMs(() => {
        const frame = printing(NOISE[what] ?? '', MAX_NOISE_BYTES - (64 << 10))()
        return () => {
          for (let sent = 0; sent + packet.length <= 64 << 10; sent += packet.length) void frame.take(packet)
        }
      })
      expect(piece).toBeLessThan(50)
    })
  })

  it.each(Object.keys(NOISE))('is heard to the end of its noise, and what follows is passed on: %s', async (what) => {
    await tally.tried(() => {
      const passed: Buffer[] = []
      const packet = NOISE[what] ?? ''
      const frame = new Frame(MARKER, (chunk) => void passed.push(Buffer.from(chunk)))
      const noise = packet.repeat(1000)
      for (const byte of Buffer.from(`${noise}\n${MARKER} 1 2 found\ncontent`)) void frame.take(Buffer.from([byte]))
      expect([frame.noise, Buffer.concat(passed).toString()]).toEqual([noise, 'content'])
    })
  })

  it('is left once it has printed too much, whether the marker has begun or not', async () => {
    for (const begin of ['', `\n${MARKER}`])
      await tally.tried(() => {
        const frame = new Frame(MARKER, () => undefined)
        void frame.take(Buffer.from(begin))
        const print = (): void => {
          for (let sent = begin.length; sent <= MAX_NOISE_BYTES; sent += 1) void frame.take(Buffer.from('x'))
        }
        expect(print).toThrow(TooNoisy)
      })
  })
})
