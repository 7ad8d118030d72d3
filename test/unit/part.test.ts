import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { countOfCheck, countOfVitest, lastLines, ROOT, sumOf } from '../part.ts'

describe('tests are counted', () => {
  const report = { numPassedTests: 7, numFailedTests: 2, numPendingTests: 3, numTodoTests: 1 }
  const file = { name: join(ROOT, 'test/unit/some.test.ts'), status: 'passed', message: '', assertionResults: [] }

  it('by the report of their run', () => {
    expect(countOfVitest('unit', 1, report)).toMatchObject({ passed: 7, failed: 2, skipped: 4 })
    expect(countOfVitest('unit', 0, { ...report, numFailedTests: 0 })).toMatchObject({
      passed: 7,
      failed: 0,
      skipped: 4
    })
  })

  it('as failed where the run says nothing of itself, or ends badly though each test passed', () => {
    expect(countOfVitest('unit', 0, undefined)).toMatchObject({ passed: 0, failed: 1, skipped: 0 })
    expect(countOfVitest('unit', 1, { numPassedTests: 7 })).toMatchObject({ passed: 7, failed: 1, skipped: 0 })
  })

  it('together with checks, and those that failed are named at the end', () => {
    const failed = { ...file, status: 'failed' }
    const test = { fullName: 'a day ends', status: 'failed', failureMessages: ['Error: late\n    at x.ts:1'] }
    const counts = sumOf([
      countOfCheck('format', 0),
      countOfCheck('build', 2),
      countOfVitest('unit', 1, {
        numPassedTests: 1,
        numFailedTests: 1,
        testResults: [file, { ...failed, message: 'no such module\n' }, { ...failed, assertionResults: [test] }]
      }),
      countOfVitest('lab', 137, undefined)
    ])
    expect(lastLines(counts)).toEqual([
      'failed: build (exit code 2)',
      'failed: test/unit/some.test.ts: no such module',
      'failed: test/unit/some.test.ts > a day ends: Error: late',
      'failed: lab: vitest ended with exit code 137 and no report',
      '2 passed, 3 failed, 0 skipped'
    ])
  })
})
