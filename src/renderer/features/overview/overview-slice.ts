import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { Result } from '../../../shared/result.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import { ask } from '../../state/ask.ts'
import { NO_FILTER, type OverviewFilter } from './filter-view.ts'

/** A backup that was asked for: on its way to the host, or refused. */
export type Starting = 'asking' | Failure

export interface OverviewSlice {
  readonly overviewFilter: OverviewFilter
  readonly filterOverview: (change: Partial<OverviewFilter>) => void
  /** By host and VM. One that has begun is no longer here, but in the jobs. */
  readonly starting: ReadonlyMap<string, Starting>
  /** The job; undefined if it did not start, and then `starting` says why. */
  readonly backUpNow: (host: string, vm: string) => Promise<string | undefined>
  readonly backUpAgain: (host: string, vm: string, job: string) => Promise<string | undefined>
  /** By host and VM: on its way, or why it failed. What was decided the host shows. */
  readonly decidingAutostart: ReadonlyMap<string, Starting>
  readonly decideAutostart: (host: string, vm: string, on: boolean) => Promise<void>
  readonly dropStarting: (host: string, vm: string) => void
  /** The VM whose muting is being talked about. */
  readonly muting: VmSafety | undefined
  readonly openMute: (vm: VmSafety) => void
  readonly closeMute: () => void
}

/** Two hosts may each have a VM of one UUID. */
export const vmKey = (host: string, vm: string): string => `${host} ${vm}`

/** Errands of the overview. */
export const overviewSlice =
  (core: Bridge): StateCreator<OverviewSlice> =>
  (set, get) => {
    const put = (key: string, starting: Starting | undefined): void => {
      const all = new Map(get().starting)
      if (starting === undefined) all.delete(key)
      else all.set(key, starting)
      set({ starting: all })
    }
    const putDeciding = (key: string, deciding: Starting | undefined): void => {
      const all = new Map(get().decidingAutostart)
      if (deciding === undefined) all.delete(key)
      else all.set(key, deciding)
      set({ decidingAutostart: all })
    }
    const start = async (
      key: string,
      question: () => Promise<Result<{ readonly id: string }>>
    ): Promise<string | undefined> => {
      put(key, 'asking')
      const answer = await ask(question)
      put(key, answer.ok ? undefined : answer.failure)
      return answer.ok ? answer.value.id : undefined
    }
    return {
      overviewFilter: NO_FILTER,
      filterOverview: (change) => set({ overviewFilter: { ...get().overviewFilter, ...change } }),
      starting: new Map(),
      backUpNow: (host, vm) => start(vmKey(host, vm), () => core.jobs.backup({ host, vm })),
      backUpAgain: (host, vm, job) => start(vmKey(host, vm), () => core.jobs.retry(job)),
      decidingAutostart: new Map(),
      decideAutostart: async (host, vm, on) => {
        const key = vmKey(host, vm)
        putDeciding(key, 'asking')
        const answer = await ask(() => core.hosts.autostart({ name: host, vm, on }))
        putDeciding(key, answer.ok ? undefined : answer.failure)
      },
      dropStarting: (host, vm) => put(vmKey(host, vm), undefined),
      muting: undefined,
      openMute: (muting) => set({ muting }),
      closeMute: () => set({ muting: undefined })
    }
  }
