import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveValue } from '../../../src/main/core/live/live-value.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

describe('a live value', () => {
  it('says nothing until there is something to say', () => {
    const heard = vi.fn()
    new LiveValue<number>().listen(heard)
    expect(heard).not.toHaveBeenCalled()
  })

  it('tells whoever comes late the last value at once, and no one who has stopped listening', () => {
    const value = new LiveValue<number>(0, 1)
    const heard = vi.fn()
    const stop = value.listen(heard)
    value.set(2)
    stop()
    value.set(3)
    expect(heard.mock.calls).toEqual([[1], [2]])
  })

  it('tells of a thousand changes in a second a few times, the first at once and the last in the end', () => {
    const value = new LiveValue<number>(200)
    const heard = vi.fn()
    value.listen(heard)
    for (let n = 1; n <= 1000; n++) {
      value.set(n)
      vi.advanceTimersByTime(1)
    }
    vi.advanceTimersByTime(200)
    expect(heard.mock.calls.length).toBeLessThanOrEqual(7)
    expect(heard).toHaveBeenNthCalledWith(1, 1)
    expect(heard).toHaveBeenLastCalledWith(1000)
  })
})
