import { setTimeout as sleep } from 'node:timers/promises'
import { agentAnswers, guestTimeMs, setTimeSync } from '../../libvirt/agent.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import type { RestorePlan } from './restore-plan.ts'

const AGENT_WITHIN_MS = 30_000

/** A resumed guest believes that it is still the instant of its point. The agent tells how late it is, and sets it. */
export async function setClock(job: JobContext, plan: RestorePlan): Promise<void> {
  if (plan.mode !== 'resume') return
  const ageMs = Date.now() - Date.parse(plan.takenAt)
  if (!plan.hasAgent || plan.runsAfterwards === 'paused') {
    job.fact({ clock: { lateMs: ageMs, corrected: false } })
    job.note('No guest agent: the guest has to correct its clock itself')
    return
  }
  await orWarn(job, `The guest's clock is late by about ${Math.round(ageMs / 1000)} s and was not set`, async () => {
    await agentWithin(job, plan.vm)
    const lateMs = Date.now() - (await guestTimeMs(job.shell, plan.vm))
    await setTimeSync(job.shell, plan.vm)
    job.fact({ clock: { lateMs, corrected: true } })
  })
}

async function agentWithin(job: JobContext, vm: string): Promise<void> {
  const deadline = performance.now() + AGENT_WITHIN_MS
  while (!(await agentAnswers(job.shell, vm))) {
    if (performance.now() > deadline) throw new Error('the guest agent did not answer')
    await sleep(500)
  }
}
