import { fail, failureOf } from '../../../shared/failure.ts'
import type { JobReport } from '../../../shared/model/job.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import type { Core } from '../core.ts'
import { catchUp } from './catch-up.ts'
import type { Unreachable } from './jobs.ts'
import { withoutFormerNames } from './whose-job.ts'

export interface PastQuestion {
  /** Name or UUID. */
  readonly vm: string | undefined
  readonly host: string | undefined
  /** Name or id. */
  readonly policy: string | undefined
  /** ISO time. */
  readonly since: string | undefined
}

export interface Past {
  /** Newest first. */
  readonly jobs: readonly JobReport[]
  readonly runs: readonly RunReport[]
  readonly unreachable: readonly Unreachable[]
}

/** What has ended, after every host was asked what is new there. Of hosts that do not answer what is known stays in it. */
export async function pastOf(core: Core, question: PastQuestion): Promise<Past> {
  const names = core.settings.read().hosts.map(({ name }) => name)
  const { host } = question
  if (host !== undefined && !names.includes(host)) fail({ kind: 'not-found', what: 'host', name: host })
  const asked = await Promise.all((host === undefined ? names : [host]).map((name) => caughtUp(core, name)))
  const newestFirst = (a: { id: string }, b: { id: string }): number => b.id.localeCompare(a.id)
  const jobs = await core.history.jobs({ isMeant: (job) => isMeant(question, job, [job.vm]) })
  const vmsOf = (run: RunReport): readonly RunReport['vms'][number]['vm'][] => run.vms.map(({ vm }) => vm)
  const runs = await core.history.runs({ isMeant: (run) => isMeant(question, run, vmsOf(run)) })
  return {
    jobs: withoutFormerNames(jobs, core.settings).sort(newestFirst),
    runs: withoutFormerNames(runs, core.settings).sort(newestFirst),
    unreachable: asked.flat()
  }
}

/** The host, if it could not be asked. */
async function caughtUp({ connections, history }: Core, host: string): Promise<readonly Unreachable[]> {
  try {
    const engine = await connections.engine(host)
    await catchUp(host, (verb, question) => engine.call(verb, question), history)
    return []
  } catch (error) {
    return [{ host, failure: failureOf(error) }]
  }
}

function isMeant(
  { vm, host, policy, since }: PastQuestion,
  report: Pick<JobReport, 'host' | 'startedAt' | 'policy'>,
  vms: readonly { readonly uuid: string; readonly name: string }[]
): boolean {
  return (
    (host === undefined || report.host === host) &&
    (since === undefined || report.startedAt >= since) &&
    (policy === undefined || report.policy?.name === policy || report.policy?.id === policy) &&
    (vm === undefined || vms.some(({ uuid, name }) => uuid === vm || name === vm))
  )
}
