import { describe, expect, it } from 'vitest'
import { logLines } from '../../../src/main/core/jobs/log-lines.ts'
import type { JobReport, JournalEvent } from '../../../src/shared/model/job.ts'

const at = '2026-11-22T20:17:44.000Z'
const vm = '00000001-0000-4000-8000-000000000001'
const report: JobReport = {
  id: '20261122T201744Z-7f3a21',
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: vm, name: 'web1' },
  state: 'done',
  startedAt: at,
  pauses: [],
  pauseMs: 0,
  phases: [],
  warnings: []
}
const linesOf = (...events: readonly JournalEvent[]) => logLines(events.map((event, n) => ({ n, at, ...event })))
const textsOf = (...events: readonly JournalEvent[]): string[] => linesOf(...events).map(({ text }) => text)

describe('the story of a job', () => {
  it('tells what was done, not what was announced', () => {
    const told = textsOf(
      {
        type: 'begin',
        id: report.id,
        bootId: 'x',
        engine: '1',
        spec: {
          kind: 'restore',
          vm,
          vmName: 'web1',
          hostName: 'alpha',
          point: report.id,
          store: '/srv',
          mode: 'boot',
          replace: false
        }
      },
      { type: 'step', step: 'verify' },
      { type: 'progress', progress: { phase: 'checking the point', doneBytes: 1, totalBytes: 2 } },
      { type: 'step-done', step: 'verify', ms: 2000 },
      { type: 'fact', fact: { mode: 'boot', modeReason: 'no RAM', runningMs: 4200 } },
      { type: 'end', report }
    )
    expect(told).toEqual([
      'alpha began the restore of web1',
      '',
      'point checked, 2.0 s',
      'mode boot: no RAM; the VM runs, after 4.2 s',
      'done'
    ])
  })

  it('ends with what it failed of, marked as a failure', () => {
    const failure = { kind: 'missing-tool', tool: 'qemu-img' } as const
    const [end] = linesOf({ type: 'end', report: { ...report, state: 'failed-clean', failure } })
    expect(end?.type).toBe('failure')
    expect(end?.text).toMatch(/^failed; everything is as it was before: .*qemu-img/)
  })

  it('says when the host put things right', () => {
    expect(textsOf({ type: 'step', step: 'recover' }, { type: 'step-done', step: 'recover', ms: 5 })).toEqual([
      'the host puts things right',
      'things are right again'
    ])
  })

  it('keeps every line of the journal as it was written', () => {
    const [line] = linesOf({ type: 'step', step: 'copy' })
    expect(JSON.parse(line?.raw ?? '')).toEqual({ n: 0, at, type: 'step', step: 'copy' })
  })
})
