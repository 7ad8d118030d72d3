import { expect, it, onTestFinished, vi } from 'vitest'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import type { RestorePlan } from '../../src/engine/restore/restore-plan.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { VM } from './store-points.ts'

/** Sleeps take no time, and are summed up. */
const slept = vi.hoisted(() => ({ ms: 0 }))
vi.mock(import('node:timers/promises'), async (original) => ({
  ...(await original()),
  setTimeout: ((ms: number) =>
    (slept.ms += ms) > 60_000 ? Promise.reject(new Error('it waits still')) : Promise.resolve()) as never
}))
const { setClock } = await import('../../src/engine/restore/clock.ts')

it('a guest agent is waited for no longer where the clock of its host is set back meanwhile', async () => {
  vi.spyOn(performance, 'now').mockImplementation(() => slept.ms)
  vi.spyOn(Date, 'now').mockImplementation(() => 1_795_000_000_000 - slept.ms)
  onTestFinished(() => void vi.restoreAllMocks())
  const warned: string[] = []
  const shell = fakeShell(() => ({ exitCode: 1, stderr: 'error: QEMU guest agent is not connected' }))
  const job = { shell, warn: (text: string) => void warned.push(text) } as unknown as JobContext
  const plan = { vm: VM, mode: 'resume', hasAgent: true, runsAfterwards: 'running', takenAt: '2026-11-28T05:00:00Z' }
  await setClock(job, plan as unknown as RestorePlan)
  expect(warned).toEqual([expect.stringContaining('the guest agent did not answer')])
})
