import { describe, expect, it } from 'vitest'
import { jobNotice } from '../../../src/main/core/live/job-notice.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'

const job = (changes: Partial<JobView>): JobView => ({
  id: '20261125T090000Z-abcdef',
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: '11111111-2222-4333-8444-555555555555', name: 'web1' },
  state: 'done',
  startedAt: '2026-11-25T09:00:00.000Z',
  endedAt: '2026-11-25T09:01:00.000Z',
  pauses: [],
  pauseMs: 48,
  phases: [],
  warnings: [],
  retryable: false,
  ...changes
})

describe('what is said of a job that has ended', () => {
  it('is quiet about success unless that is wanted', () => {
    const [notice, quiet] = jobNotice(job({}), DEFAULT_CHOICES)
    expect([notice.severity, notice.title, quiet]).toEqual(['good', 'The backup of web1 is done', true])
    expect(notice.text).toBe('It stood still 48 ms.')
    expect(jobNotice(job({}), { ...DEFAULT_CHOICES, notifySuccess: true })[1]).toBe(false)
  })

  it('is never quiet about a failure, and says the next step', () => {
    const failure = { kind: 'no-room', path: '/srv', forWhat: 'the point', neededBytes: 2 ** 30, freeBytes: 1 } as const
    const [notice, quiet] = jobNotice(job({ state: 'failed-clean', failure }), DEFAULT_CHOICES)
    expect([notice.severity, quiet]).toEqual(['failure', false])
    expect(notice.title).toBe('The backup of web1 failed')
    expect(notice.text.length).toBeGreaterThan(20)
  })

  it('calls a damaged point damaged, though its check went through', () => {
    const verify = {
      point: job({}).id,
      good: false,
      checkedBytes: 1,
      problems: [{ file: 'disks/vda.qcow2', detail: 'SHA-256 differs' }],
      notes: []
    }
    const [notice, quiet] = jobNotice(job({ kind: 'verify', state: 'failed-needs-you', verify }), DEFAULT_CHOICES)
    expect([notice.title, notice.severity, quiet]).toEqual(['A point of web1 is damaged', 'failure', false])
    expect(notice.text).toContain('disks/vda.qcow2')
  })

  it('says how soon a restored VM ran', () => {
    expect(jobNotice(job({ kind: 'restore', pauseMs: 0, runningMs: 1100 }), undefined)[0].text).toBe(
      'It runs again after 1.1 s.'
    )
  })

  it.each([false, true])(
    'has all warnings of a copy as its text, and is never quiet about them: %s',
    (notifySuccess) => {
      const warnings = ['The copy has no RAM', 'Pin and note did not reach the copy']
      const copied = job({ kind: 'copy', pauseMs: 0, state: 'done-with-warnings', warnings })
      const [notice, quiet] = jobNotice(copied, { ...DEFAULT_CHOICES, notifySuccess })
      expect(notice).toMatchObject({
        severity: 'warning',
        title: 'The copy of a point of web1 is done, with 2 warnings',
        text: 'The copy has no RAM. Pin and note did not reach the copy.'
      })
      expect(quiet).toBe(false)
    }
  )

  it('has the warnings of a copy that failed behind the reason: what helps stands in them', () => {
    const failure = { kind: 'connection-lost', host: 'alpha', during: 'export' } as const
    const warnings = ['beta has the point without its RAM. If that will do, name it: stillpoint copy beta/x --to gamma']
    const [notice, quiet] = jobNotice(job({ kind: 'copy', state: 'failed-clean', failure, warnings }), DEFAULT_CHOICES)
    expect(notice).toMatchObject({ severity: 'failure', title: 'The copy of a point of web1 failed' })
    expect(notice.text).toMatch(/^.*alpha.*\. beta has the point without its RAM.*--to gamma\.$/)
    expect(quiet).toBe(false)
  })

  it('is quiet about a copy that is all that its point was', () => {
    const [notice, quiet] = jobNotice(job({ kind: 'copy', pauseMs: 0 }), DEFAULT_CHOICES)
    expect([notice.title, notice.text, quiet]).toEqual(['The copy of a point of web1 is done', '', true])
  })

  it('has lines to type whole, or says where they are', () => {
    const textWith = (mend: readonly string[], vm = 'web1'): string => {
      const failure = {
        kind: 'left-behind',
        vm,
        left: [{ path: '/x', because: 'b', mend: [...mend] }]
      } as const
      return jobNotice(job({ state: 'failed-needs-you', failure }), DEFAULT_CHOICES)[0].text
    }
    const line = `rm ${'x'.repeat(300)}`
    const told = textWith([line, line, line], 'v'.repeat(3000))
    expect(told.length).toBeLessThanOrEqual(2000)
    expect(told.endsWith(`. ${line}\n${line}\n${line}`)).toBe(true)
    expect(textWith([line, line])).toContain(`${line}\n${line}`)
    expect(textWith([line, line, line, line])).toBe(
      'web1 needs you: something of the job had to stay. What to do about it stands in the job.'
    )
  })
})
