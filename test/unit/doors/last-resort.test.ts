import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { goOnWhateverHappens } from '../../../src/main/doors/last-resort.ts'
import { StillpointError } from '../../../src/shared/failure.ts'

const program = (): NodeJS.Process => new EventEmitter() as unknown as NodeJS.Process

describe('the last resort', () => {
  it('writes down what was thrown and what was rejected, with its stack', () => {
    const [report, its] = [vi.fn(), program()]
    goOnWhateverHappens(report, its)
    its.emit('uncaughtException', new Error('thrown'), 'uncaughtException')
    its.emit('unhandledRejection', new StillpointError({ kind: 'usage', message: 'rejected' }), Promise.resolve())
    its.emit('uncaughtException', Object.assign(new Error('pipe'), { code: 'EPIPE' }), 'uncaughtException')
    expect(report.mock.calls).toMatchObject([
      [{ kind: 'bug', message: expect.stringMatching(/thrown\n {4}at /) as string }],
      [{ kind: 'bug', message: expect.stringContaining('rejected') as string }],
      [{ kind: 'bug', message: expect.stringContaining('pipe') as string }]
    ])
  })

  it('does not throw itself, whatever is thrown and whatever comes of writing it down', () => {
    const its = program()
    goOnWhateverHappens(() => {
      throw new Error('full')
    }, its)
    const odd = [
      undefined,
      null,
      1,
      'text',
      {},
      Object.create(null),
      new Proxy({}, { getPrototypeOf: () => its.abort() })
    ]
    for (const thrown of odd)
      expect(() => its.emit('uncaughtException', thrown as Error, 'uncaughtException')).not.toThrow()
  })

  it('writes ten a minute, and then how many it did not write', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const [report, its] = [vi.fn(), program()]
    goOnWhateverHappens(report, its)
    const throws = (): unknown => its.emit('uncaughtException', new Error('again'), 'uncaughtException')
    for (let n = 0; n < 1000; n++) throws()
    expect(report).toHaveBeenCalledTimes(10)
    vi.advanceTimersByTime(61_000)
    throws()
    expect(report).toHaveBeenCalledTimes(11)
    expect(report.mock.lastCall).toMatchObject([{ message: expect.stringContaining('990 more') as string }])
    vi.useRealTimers()
  })

  it('is gone when it is no longer wanted', () => {
    const its = program()
    goOnWhateverHappens(vi.fn(), its)()
    expect([its.listenerCount('uncaughtException'), its.listenerCount('unhandledRejection')]).toEqual([0, 0])
  })
})
