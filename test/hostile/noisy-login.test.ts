import { describe, expect, it } from 'vitest'
import { hasGone } from '../../src/main/core/engine-on-host/host-engine.ts'
import { Frame, MAX_NOISE_BYTES, TooNoisy } from '../../src/main/core/ssh/framing.ts'
import { loginFailure } from '../../src/main/core/ssh/login-failure.ts'
import { StillpointError } from '../../src/shared/failure.ts'
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

const dead = (printed: string): unknown =>
  loginFailure({ host: 'kvm1', user: 'me', through: 'login', exitCode: 1, printed })
const goneAsWell = (stderr: string): unknown =>
  hasGone(new StillpointError({ kind: 'command-failed', command: 'node', exitCode: 1, stderr }))

/** Beginnings of what is looked for, all in one line, whose end does not come. */
const BEGINNINGS: readonly (readonly [string, (said: string) => unknown])[] = [
  ['base64 ', dead],
  ['not found ', dead],
  ['/bin/sh ', dead],
  ['not currently ', dead],
  ['Cannot find module ', goneAsWell]
]

describe('why a login or an engine ended', () => {
  it.each(BEGINNINGS)('is found at twice the cost in twice as much: %s', async (beginning, look) => {
    await tally.tried(() => {
      const looking = (bytes: number) => () => look(beginning.repeat(bytes / beginning.length))
      expect(growthOf(looking, 64 << 10)).toBeLessThan(3)
    })
  })

  it.each(BEGINNINGS)('holds nobody up, however much was printed: %s', async (beginning, look) => {
    await tally.tried(async () => {
      const said = beginning.repeat((2 * MAX_NOISE_BYTES) / beginning.length)
      expect(await longestPieceMs(() => () => look(said))).toBeLessThan(50)
    })
  })
})
