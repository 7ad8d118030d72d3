import { describe, expect, it } from 'vitest'
import { PauseController, type PauseDecision } from '../../src/engine/capture/pause-controller.ts'

const busy = (iteration: number) => ({ remainingBytes: 500e6, bytesPerSecond: 1e9, iteration })

function decisions(budgetMs: number, passes: number): PauseDecision[] {
  const controller = new PauseController(budgetMs)
  return Array.from({ length: passes }, (_, pass) => controller.decide(busy(pass + 1)))
}

describe('the pause controller', () => {
  it('starts at 10 ms, or at the budget where that is smaller', () => {
    expect(new PauseController(300).firstPauseMs).toBe(10)
    expect(new PauseController(4).firstPauseMs).toBe(4)
  })

  it('leaves the first allowance alone while the first pass goes on, however long that takes', () => {
    const controller = new PauseController(300)
    const looks = Array.from({ length: 500 }, () => controller.decide(busy(1)))
    expect(looks.every(({ kind }) => kind === 'wait')).toBe(true)
  })

  it('raises step by step, never above the budget, and then says that the VM is too busy', () => {
    const made = decisions(300, 60)
    const allowed = made.flatMap((decision) => (decision.kind === 'allow' ? [decision.pauseMs] : []))
    expect(allowed).toEqual([20, 40, 80, 160, 300])
    expect(made.at(-1)).toEqual({ kind: 'too-busy', estimatedPauseMs: 500 })
    expect(made.findIndex(({ kind }) => kind === 'too-busy')).toBeGreaterThan(
      made.findLastIndex(({ kind }) => kind === 'allow')
    )
  })

  it('counts a pass that does not end as many, so that a guest that never converges is noticed', () => {
    const controller = new PauseController(20)
    const made = Array.from({ length: 400 }, () => controller.decide(busy(2)))
    expect(made.some(({ kind }) => kind === 'too-busy')).toBe(true)
  })
})
