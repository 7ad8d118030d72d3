import { describe, expect, it, vi } from 'vitest'
import { onClose, onQuit, type CloseAnswer, type CloseQuestion } from '../../../src/main/desktop/close-decision.ts'
import { Leaving, type LeavingPorts } from '../../../src/main/desktop/leaving.ts'
import { jobOf } from './jobs.ts'

const asked = (decision: CloseAnswer | CloseQuestion): CloseQuestion => {
  if (typeof decision === 'string') throw new Error(`decided: ${decision}`)
  return decision
}
const labels = ({ buttons }: CloseQuestion): string[] => buttons.map(({ label }) => label)

describe('closing the window', () => {
  it('asks what it means until that has been said, and remembers the answer', () => {
    const question = asked(onClose('ask', true, []))
    expect(labels(question)).toEqual(['Keep running in the tray', 'Quit', 'Cancel'])
    expect(question.remember).toBe(true)
  })

  it('asks once as well where there is no tray, and offers nothing that would lose the window', () => {
    const question = asked(onClose('ask', false, []))
    expect(labels(question)).toEqual(['Quit', 'Cancel'])
    expect(question.remember).toBe(true)
  })

  it('does as it was said', () => {
    expect(onClose('tray', true, [])).toBe('hide')
    expect(onClose('quit', true, [])).toBe('quit')
    expect(onClose('quit', false, [])).toBe('quit')
  })

  it('asks again where the tray that was chosen is not there, and keeps that choice', () => {
    const question = asked(onClose('tray', false, []))
    expect(labels(question)).toEqual(['Quit', 'Cancel'])
    expect(question.remember).toBe(false)
  })

  it('says where a backup goes on, and that a copy ends', () => {
    const backup = jobOf(1)
    expect(asked(onClose('ask', true, [backup])).detail).toMatch(/\n\nThe backup of web1 goes on on alpha\.$/)
    expect(asked(onQuit([backup])).detail).toBe('The backup of web1 goes on on alpha.')
    expect(asked(onQuit([backup, jobOf(2)])).detail).toBe('2 jobs go on on their hosts.')
    expect(asked(onClose('quit', true, [backup, jobOf(3, { kind: 'copy' })])).detail).toBe(
      'The backup of web1 goes on on alpha. The copy of web3 would end here.'
    )
  })
})

describe('leaving', () => {
  function leavingWith(changes: Partial<LeavingPorts> = {}) {
    const ports = {
      choice: () => 'ask' as const,
      running: (): ReturnType<LeavingPorts['running']> => [],
      hasTray: () => Promise.resolve(true),
      ask: vi.fn<LeavingPorts['ask']>(() => Promise.resolve('stay')),
      remember: vi.fn<LeavingPorts['remember']>(),
      hide: vi.fn<() => void>(),
      quit: vi.fn<() => void>(),
      ...changes
    }
    const leaving = new Leaving(ports)
    const prevented = (how: 'closing' | 'quitting'): boolean => {
      const preventDefault = vi.fn()
      leaving[how]({ preventDefault })
      return preventDefault.mock.calls.length > 0
    }
    return { ...ports, leaving, prevented, settled: () => new Promise(setImmediate) }
  }
  const answering = (answer: CloseAnswer) => vi.fn<LeavingPorts['ask']>(() => Promise.resolve(answer))

  it('holds the window until it is decided, and asks only once at a time', async () => {
    const app = leavingWith()
    expect([app.prevented('closing'), app.prevented('closing')]).toEqual([true, true])
    await app.settled()
    expect(app.ask).toHaveBeenCalledOnce()
    for (const deed of [app.hide, app.quit, app.remember]) expect(deed).not.toHaveBeenCalled()
    app.prevented('closing')
    await app.settled()
    expect(app.ask).toHaveBeenCalledTimes(2)
  })

  it('hides the window and remembers the tray', async () => {
    const app = leavingWith({ ask: answering('hide') })
    app.prevented('closing')
    await app.settled()
    expect(app.hide).toHaveBeenCalledOnce()
    expect(app.remember).toHaveBeenCalledExactlyOnceWith('tray')
    expect(app.quit).not.toHaveBeenCalled()
  })

  it('quits, remembers that, and then stands in the way of nothing', async () => {
    const app = leavingWith({ ask: answering('quit'), running: () => [jobOf(1)] })
    app.prevented('closing')
    await app.settled()
    expect(app.remember).toHaveBeenCalledExactlyOnceWith('quit')
    expect(app.quit).toHaveBeenCalledOnce()
    expect([app.prevented('closing'), app.prevented('quitting')]).toEqual([false, false])
  })

  it('lets the app quit at once when nothing runs, and the window with it', () => {
    const app = leavingWith()
    expect([app.prevented('quitting'), app.prevented('closing')]).toEqual([false, false])
  })

  it('asks before quitting while something runs', async () => {
    const app = leavingWith({ running: () => [jobOf(1)] })
    expect(app.prevented('quitting')).toBe(true)
    await app.settled()
    expect(app.ask).toHaveBeenCalledOnce()
    expect(app.quit).not.toHaveBeenCalled()
  })

  it('never holds up the end of the session', () => {
    const app = leavingWith({ running: () => [jobOf(1)] })
    app.leaving.agree()
    expect([app.prevented('closing'), app.prevented('quitting')]).toEqual([false, false])
  })
})
