import { describe, expect, it } from 'vitest'
import { factsOf, heroOf, logMark, shareOf, storyOf } from '../../../src/renderer/features/activity/job-view.ts'
import { classicPauseMs } from '../../../src/shared/estimate.ts'
import type { RunReport } from '../../../src/shared/model/policy.ts'
import { aJob, aLive } from './fake-job.ts'

const GIB = 1024 ** 3
const now = new Date('2026-11-22T21:00:00.000Z')

describe('what a job shows large', () => {
  it('is the pause of a backup beside what the classic method would have cost', () => {
    expect(heroOf(aJob(), 2 * GIB)).toEqual({ is: 'pause', ms: 48, classicMs: classicPauseMs(2 * GIB) })
    expect(shareOf(48, 4800)).toBe(1)
    expect(shareOf(9000, 4800)).toBe(100)
  })

  it('has no yardstick where there is none: RAM unknown, or classic itself', () => {
    expect(heroOf(aJob(), undefined)).toEqual({ is: 'pause', ms: 48, classicMs: undefined })
    expect(heroOf(aJob({ method: 'classic' }), GIB)).toEqual({ is: 'pause', ms: 48, classicMs: undefined })
  })

  it('is words where nothing stood still', () => {
    expect(heroOf(aJob({ method: 'offline', pauses: [], pauseMs: 0 }), GIB)).toMatchObject({ is: 'text' })
    expect(heroOf(aJob({ method: 'disk', pauses: [], pauseMs: 0 }), GIB)).toMatchObject({ is: 'text' })
    expect(heroOf(aJob({ kind: 'restore', mode: 'define' }), GIB)).toMatchObject({ is: 'text' })
  })

  it('is the time until it ran again for a restore', () => {
    expect(heroOf(aJob({ kind: 'restore', runningMs: 1100 }), GIB)).toEqual({ is: 'ran-again', ms: 1100 })
  })

  it('is nothing for what failed or runs', () => {
    expect(heroOf(aJob({ state: 'failed-clean' }), GIB)).toBeUndefined()
    expect(heroOf(aJob({ state: 'running' }), GIB)).toBeUndefined()
  })
})

describe('details of a job', () => {
  const textOf = (job: ReturnType<typeof aJob>, label: string): string | undefined =>
    factsOf(job, now).find((fact) => fact.label === label)?.text

  it('give the reason with method and mode', () => {
    expect(textOf(aJob({ methodReason: 'its RAM can be saved' }), 'Method')).toMatch(/^live: .*\nits RAM can be saved$/)
    expect(textOf(aJob({ kind: 'restore', mode: 'boot', modeReason: 'no RAM' }), 'Mode')).toMatch(/^booted .*\nno RAM$/)
  })

  it('say what became of the guest’s clock', () => {
    const clock = (lateMs: number, corrected: boolean) =>
      textOf(aJob({ kind: 'restore', clock: { lateMs, corrected } }), 'Guest’s clock')
    expect(clock(84_000, true)).toBe('was 1 min 24 s late, and was set')
    expect(clock(84_000, false)).toContain('was not set')
    expect(clock(40, false)).toBe('was right')
  })

  it('name the schedule, its run, and of which VM a copy is, each with its link', () => {
    const job = aJob({ policy: { id: '0123456789ab', name: 'nightly' }, copyOf: { uuid: 'u', name: 'web0' } })
    const run = { startedAt: job.startedAt, state: 'skipped', reason: 'paused', vms: [] } as unknown as RunReport
    const linked = factsOf(job, now, run).filter(({ link }) => ['policy', 'run', 'copy-of'].includes(link ?? ''))
    expect(linked.map(({ label, text }) => `${label}: ${text.replace(/^[-\d]+ [:\d]+/, 'then')}`)).toEqual([
      'Copy of: web0',
      'Schedule: nightly',
      'Run: then skipped: paused'
    ])
  })

  it('leave out what is not known', () => {
    const labels = factsOf(aJob({ point: undefined, endedAt: undefined, state: 'running' }), now).map(
      ({ label }) => label
    )
    expect(labels).not.toContain('Point')
    expect(labels).not.toContain('Took')
    expect(labels).not.toContain('Kept aside')
    expect(labels).toContain('Started')
  })
})

describe('the log of a job', () => {
  it('is read again when a phase, a pause or a warning came, and when it ended; not with every byte', () => {
    const running = aJob({ state: 'running' })
    const before = logMark(running, aLive())
    const progress = { phase: 'copying vda', doneBytes: 1, totalBytes: 2 }
    expect(logMark(running, aLive({ progress }))).toBe(before)
    expect(logMark(running, aLive({ warnings: ['slow'] }))).not.toBe(before)
    expect(logMark(aJob(), undefined)).not.toBe(before)
  })

  it('tells people only what has words', () => {
    const line = { at: now.toISOString(), type: 'step', raw: '{}' }
    expect(
      storyOf([
        { ...line, text: '' },
        { ...line, text: 'begun' }
      ])
    ).toEqual([{ ...line, text: 'begun' }])
  })
})
