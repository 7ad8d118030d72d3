import { describe, expect, it } from 'vitest'
import { eachInTurns } from '../../src/main/core/live/in-turns.ts'
import { inSlices } from '../../src/libvirt/in-slices.ts'
import { CharactersInTurns } from '../../src/shared/turns.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('hosts that are heard at once')

const HOSTS = 10
const PIECES = 5

/** Takes one piece after the other, and says so each time. */
type Way = (took: () => void) => Promise<unknown>

/** Each of them does all that it may between two turns of the others. */
const WAYS: Readonly<Record<string, Way>> = {
  'reports that are taken': (took) =>
    eachInTurns(
      Array.from({ length: PIECES }, () => 'x'.repeat(200_000)),
      took
    ),
  'lines that are read and written': async (took) => {
    const turns = new CharactersInTurns()
    for (let n = 0; n < PIECES; n += 1) {
      took()
      await turns.taken(200_000)
    }
  },
  'looks that are read': (took) => inSlices(slices(took), 'a look')
}

function* slices(took: () => void): Generator<undefined, undefined> {
  for (let n = 0; n < PIECES; n += 1) {
    took()
    const began = performance.now()
    while (performance.now() - began < 11);
    yield
  }
  return undefined
}

/** Who took something between two turns of the event loop, in each of which something was taken. */
async function tookBetweenTurns(way: Way): Promise<readonly ReadonlySet<number>[]> {
  const turns: Set<number>[] = [new Set()]
  let isOver = false
  const turn = (): void => {
    turns.push(new Set())
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const hosts = Array.from({ length: HOSTS }, (_, host) => way(() => turns.at(-1)?.add(host)))
  await Promise.all(hosts)
  isOver = true
  return turns.filter(({ size }) => size > 0)
}

describe('many hosts that are heard at once', () => {
  it.each(Object.keys(WAYS))('have each a turn of its own, so that nobody waits for all of them: %s', async (what) => {
    await tally.tried(async () => {
      // What each does first, it does where it is called.
      const [first, ...later] = await tookBetweenTurns(WAYS[what] ?? expect.fail('no such way'))
      expect(first?.size).toBe(HOSTS)
      expect(later.length).toBeGreaterThan(HOSTS)
      expect(Math.max(...later.map(({ size }) => size))).toBeLessThanOrEqual(2)
    })
  })
})
