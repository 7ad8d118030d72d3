import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { goOnWhateverHappens } from '../../../src/main/doors/last-resort.ts'
import { StillpointError } from '../../../src/shared/failure.ts'

/** As Node does it. */
const emit = (its: EventEmitter, name: string, ...given: unknown[]): boolean => its.emit(name, ...given)
type Program = EventEmitter & Pick<NodeJS.Process, 'on' | 'off'>
const program = (): Program => new EventEmitter() as unknown as Program

describe('the last resort', () => {
  it('writes down what was thrown and what was rejected, with its stack', () => {
    const [report, its] = [vi.fn(), program()]
    goOnWhateverHappens(report, its)
    emit(its, 'uncaughtException', new Error('thrown'), 'uncaughtException')
    emit(its, 'unhandledRejection', new StillpointError({ kind: 'usage', message: 'rejected' }), Promise.resolve())
    emit(its, 'uncaughtException', Object.assign(new Error('pipe'), { code: 'EPIPE' }), 'uncaughtException')
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
      new Proxy(
        {},
        {
          getPrototypeOf: () => {
            throw new Error('odd')
          }
        }
      )
    ]
    for (const thrown of odd) expect(() => emit(its, 'uncaughtException', thrown, 'uncaughtException')).not.toThrow()
  })

  it('writes ten a minute, and then how many it did not write', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const [report, its] = [vi.fn(), program()]
    goOnWhateverHappens(report, its)
    const throws = (): unknown => emit(its, 'uncaughtException', new Error('again'), 'uncaughtException')
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
