import { describe, expect, it } from 'vitest'
import { countOfCheck, countOfVitest, sumOf } from '../part.ts'

describe('what npm test counts', () => {
  it('is what vitest reports', () => {
    const report = { numPassedTests: 7, numFailedTests: 2, numPendingTests: 1, numTodoTests: 3 }
    expect(countOfVitest(1, report)).toEqual({ passed: 7, failed: 2, skipped: 4 })
    expect(countOfVitest(0, { ...report, numFailedTests: 0 })).toEqual({ passed: 7, failed: 0, skipped: 4 })
  })

  it('is a failure where a run ends without a report, or badly though all of its tests passed', () => {
    expect(countOfVitest(0, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(countOfVitest(1, { numPassedTests: 7 })).toEqual({ passed: 7, failed: 1, skipped: 0 })
  })

  it('is one for each check, and the sum of all', () => {
    expect(sumOf([countOfCheck(0), countOfCheck(2), { passed: 3, failed: 0, skipped: 1 }])).toEqual({
      passed: 4,
      failed: 1,
      skipped: 1
    })
  })
})
