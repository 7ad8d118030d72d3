import { randomBytes } from 'node:crypto'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Policy, RunReport } from '../../src/shared/model/policy.ts'
import type { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { endedRunsOn } from './journals.ts'
import { waitFor } from './run.ts'

/** Every ten seconds: as often as a test can wait for. */
export const EVERY_TEN_SECONDS = '*:*:0/10'
/** So far away that only runs by hand happen. */
export const NEVER_NOW = '2099-01-01 00:00:00'

/** A policy for these guests that tells nobody and keeps everything. */
export function policyFor(guests: readonly Pick<Guest, 'uuid' | 'name'>[], change: Partial<Policy> = {}): Policy {
  return {
    version: 1,
    id: randomBytes(6).toString('hex'),
    name: 'nightly',
    hostName: 'alpha',
    method: 'disk',
    store: DEFAULT_STORE,
    budgetMs: 10_000,
    onBusy: 'pause',
    vms: { kind: 'chosen', vms: guests.map(({ uuid, name }) => ({ uuid, name })) },
    schedule: { calendar: NEVER_NOW, jitterSeconds: 0 },
    keep: { floor: 3, graceHours: 24 },
    tell: { onSuccess: false, onFailure: false, digest: 'none', mailTo: [] },
    changedAt: new Date().toISOString(),
    ...change
  }
}

export const at = (calendar: string): Policy['schedule'] => ({ calendar, jitterSeconds: 0 })

/** Newest first. */
export const runsOf = (engine: BareEngine, { id }: Pick<Policy, 'id'>): Promise<RunReport[]> =>
  engine.ask('runs', { policy: id })

/** Waits for so many ended runs; newest first. */
export const endedRuns = (
  engine: BareEngine,
  policy: Pick<Policy, 'id' | 'name'>,
  count: number
): Promise<RunReport[]> =>
  waitFor(
    `${count} runs of ${policy.name}`,
    onceRunsEnd(engine, async () => {
      const ended = (await runsOf(engine, policy)).filter(({ endedAt }) => endedAt !== undefined)
      return ended.length >= count ? ended : undefined
    })
  )

/** Starts a run by hand and waits for its end. */
export async function runByHand(engine: BareEngine, policy: Pick<Policy, 'id' | 'name'>): Promise<RunReport> {
  const { run } = await engine.ask('policy-run', { id: policy.id })
  return endOfRun(engine, policy, run)
}

export const endOfRun = (engine: BareEngine, policy: Pick<Policy, 'id'>, run: string): Promise<RunReport> =>
  waitFor(
    `the end of run ${run}`,
    onceRunsEnd(engine, async () =>
      (await runsOf(engine, policy)).find(({ id, endedAt }) => id === run && endedAt !== undefined)
    )
  )

/** Asks again only when one more has ended: each question is a program that starts anew. */
function onceRunsEnd<T>({ host }: BareEngine, ask: () => Promise<T | undefined>): () => Promise<T | undefined> {
  let known = -1
  return async () => {
    const ended = endedRunsOn(host)
    if (ended === known) return undefined
    known = ended
    return ask()
  }
}

/** Everything on the host that speaks of this policy: units, loaded or as files, systemd's stamp, our files and runs. */
export async function tracesOf({ host }: BareEngine, { id }: Pick<Policy, 'id'>): Promise<string[]> {
  const { stdout } = await host.run(
    `systemctl list-units --all --plain --no-legend '*${id}*'
     find /etc/systemd /run/systemd /var/lib/systemd /run/stillpoint /var/lib/stillpoint/policies -name '*${id}*'
     grep -rls '"${id}"' /var/lib/stillpoint/runs`
  )
  return stdout.split('\n').filter((line) => line.trim() !== '')
}
