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
  /** By VM. One that has begun is no longer here, but in the jobs. */
  readonly starting: ReadonlyMap<string, Starting>
  /** The job; undefined if it did not start, and then `starting` says why. */
  readonly backUpNow: (host: string, vm: string) => Promise<string | undefined>
  readonly backUpAgain: (vm: string, job: string) => Promise<string | undefined>
  readonly dropStarting: (vm: string) => void
  /** The VM whose muting is being talked about. */
  readonly muting: VmSafety | undefined
  readonly openMute: (vm: VmSafety) => void
  readonly closeMute: () => void
}

/** Errands of the overview. */
export const overviewSlice =
  (core: Bridge): StateCreator<OverviewSlice> =>
  (set, get) => {
    const put = (vm: string, starting: Starting | undefined): void => {
      const all = new Map(get().starting)
      if (starting === undefined) all.delete(vm)
      else all.set(vm, starting)
      set({ starting: all })
    }
    const start = async (
      vm: string,
      question: () => Promise<Result<{ readonly id: string }>>
    ): Promise<string | undefined> => {
      put(vm, 'asking')
      const answer = await ask(question)
      put(vm, answer.ok ? undefined : answer.failure)
      return answer.ok ? answer.value.id : undefined
    }
    return {
      overviewFilter: NO_FILTER,
      filterOverview: (change) => set({ overviewFilter: { ...get().overviewFilter, ...change } }),
      starting: new Map(),
      backUpNow: (host, vm) => start(vm, () => core.jobs.backup({ host, vm })),
      backUpAgain: (vm, job) => start(vm, () => core.jobs.retry(job)),
      dropStarting: (vm) => put(vm, undefined),
      muting: undefined,
      openMute: (muting) => set({ muting }),
      closeMute: () => set({ muting: undefined })
    }
  }
