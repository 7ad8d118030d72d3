import { describe, expect, it } from 'vitest'
import { charactersIn } from '../../../src/shared/json-length.ts'

const MOST = 1000

/** How many of its values are looked at. */
function lookedAt(values: object): number {
  let count = 0
  const watched = new Proxy(values, {
    get: (target, key) => {
      if (typeof key === 'string' && key !== 'length') count += 1
      return Reflect.get(target, key) as unknown
    }
  })
  expect(charactersIn(watched, MOST)).toBeGreaterThan(MOST)
  return count
}

const many = Array.from({ length: 50_000 }, (_, n) => n)

describe('how long the JSON of a value is', () => {
  it.each([
    ['a list', many],
    ['an object', Object.fromEntries(many.map((n) => [`key ${n}`, n]))]
  ])('is counted no further than is asked for: %s', (_, values) => {
    expect(lookedAt(values)).toBeLessThan(MOST)
  })

  it.each([
    ['a list', [1, 'two', [3, null], { four: true }]],
    ['a list of many', many],
    ['an object', { one: 1, two: ['2', { three: '3' }], four: {} }],
    ['a text', 'x'.repeat(100)]
  ])('is hardly more than there is: %s', (_, value) => {
    const { length } = JSON.stringify(value)
    const counted = charactersIn(value, Infinity)
    expect(counted).toBeGreaterThanOrEqual(length - 1)
    expect(counted).toBeLessThan(length * 5 + 20)
  })
})
