import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadline } from '../../src/main/core/ssh/deadline.ts'
import { retryDelayMs } from '../../src/main/core/ssh/link.ts'
import { Slots } from '../../src/main/core/ssh/slots.ts'
import { matchesPatternList } from '../../src/main/core/ssh/wildcard.ts'
import { matchesPattern } from '../../src/shared/glob.ts'

describe('patterns', () => {
  it.each([
    ['*', '', true],
    ['*', 'abc', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*.lan', 'kvm.lan', true],
    ['*.lan', 'kvmxlan', false],
    ['**a*', 'bab', true],
    ['', 'a', false],
    ['a.c', 'abc', false]
  ])('%s fits %s: %s', (pattern, text, fits) => {
    expect(matchesPattern(pattern, text)).toBe(fits)
  })

  it('rule out whatever else fits, if negated', () => {
    expect(matchesPatternList(['*', '!a*'], 'abc')).toBe(false)
    expect(matchesPatternList(['!a*'], 'b')).toBe(false)
    expect(matchesPatternList(['*', '!a*'], 'b')).toBe(true)
  })
})

describe('trying again', () => {
  it('waits twice as long each time, up to a minute, and never all at once', () => {
    expect([0, 1, 2, 10, 1000].map((attempt) => retryDelayMs(attempt, 0))).toEqual([500, 1000, 2000, 30_000, 30_000])
    expect([0, 1000].map((attempt) => retryDelayMs(attempt, 1))).toEqual([1000, 60_000])
  })
})

describe('slots', () => {
  it('let so many in, and the next when one goes', async () => {
    const slots = new Slots(2)
    const order: number[] = []
    const releases = await Promise.all([slots.take(), slots.take()])
    const third = slots.take().then((release) => (order.push(3), release)) // prettier-ignore
    await Promise.resolve()
    expect(order).toEqual([])
    releases[0]()
    releases[0]() // giving back twice gives back once
    ;(await third)()
    expect(slots.used).toBe(1)
  })

  it('can become fewer', async () => {
    const slots = new Slots(8)
    slots.lower(0)
    const first = await slots.take()
    const second = slots.take()
    first()
    ;(await second)()
    expect(slots.used).toBe(0)
  })
})

describe('a deadline', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())
  const never = new Promise<never>(() => undefined)

  it('stands still while a person is asked', async () => {
    const deadline = new Deadline(1000, () => new Error('late'))
    const reached = vi.fn()
    deadline.race(never).catch(reached)
    await vi.advanceTimersByTimeAsync(900)
    const answer = deadline.pausedWhile(() => new Promise((resolve) => setTimeout(() => resolve('yes'), 60_000)))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await answer).toBe('yes')
    await vi.advanceTimersByTimeAsync(99)
    expect(reached).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(2)
    expect(reached).toHaveBeenCalledWith(new Error('late'))
  })

  it('is nothing once disposed of', async () => {
    const deadline = new Deadline(1000, () => new Error('late'))
    deadline.dispose()
    await vi.advanceTimersByTimeAsync(2000)
    expect(await deadline.race(Promise.resolve(1))).toBe(1)
  })
})
