import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { PreflightView, RestoreQuestion } from '../../../shared/views/job-view.ts'
import { ask } from '../../state/ask.ts'
import type { RouteSlice } from '../../state/route-slice.ts'
import { draftFor, keyOf, type RestoreDraft } from './restore-view.ts'

/** What the host said to a question; while it looks, neither is there. */
export interface RestoreCheck {
  /** `keyOf` the question. */
  readonly of: string
  readonly view: PreflightView | undefined
  readonly failure: Failure | undefined
}

export interface RestoreSlice {
  readonly restoreDraft: RestoreDraft
  readonly editRestore: (change: Partial<Omit<RestoreDraft, 'cameWith'>>) => void
  readonly restoreCheck: RestoreCheck | undefined
  readonly checkRestore: (question: RestoreQuestion) => void
  readonly restoreErrand: { readonly isBusy: boolean; readonly failure: Failure | undefined }
  /** Begins it, and goes to its job. */
  readonly startRestore: (question: RestoreQuestion) => void
  readonly forgetRestoreFailure: () => void
}

const IDLE = { isBusy: false, failure: undefined }

/** The draft that belongs to where the window is. */
export function draftHere({ restoreDraft, route }: RestoreSlice & RouteSlice): RestoreDraft {
  const cameWith = route.screen === 'restore' ? route.point : undefined
  return restoreDraft.cameWith === cameWith ? restoreDraft : draftFor(cameWith)
}

/** What was chosen for one point and host says nothing about another. */
const forAnother = (change: Partial<RestoreDraft>): Partial<RestoreDraft> =>
  ['vm', 'point', 'to'].some((name) => name in change) ? { choices: [] } : {}

export const restoreSlice =
  (core: Bridge): StateCreator<RestoreSlice & RouteSlice, [], [], RestoreSlice> =>
  (set, get) => {
    let checking = 0
    const check = async (question: RestoreQuestion): Promise<void> => {
      const mine = ++checking
      const of = keyOf(question)
      set({ restoreCheck: { of, view: undefined, failure: undefined } })
      const answer = await ask(() => core.jobs.preflight(question))
      if (mine !== checking) return // something else was chosen meanwhile
      set({
        restoreCheck: answer.ok
          ? { of, view: answer.value, failure: undefined }
          : { of, view: undefined, failure: answer.failure }
      })
    }
    const start = async (question: RestoreQuestion): Promise<void> => {
      if (get().restoreErrand.isBusy) return
      set({ restoreErrand: { isBusy: true, failure: undefined } })
      const answer = await ask(() => core.jobs.restore(question))
      if (!answer.ok) {
        set({ restoreErrand: { isBusy: false, failure: answer.failure } })
        return
      }
      set({ restoreErrand: IDLE, restoreDraft: draftFor(undefined), restoreCheck: undefined })
      get().go({ screen: 'job', job: answer.value.id })
    }
    return {
      restoreDraft: draftFor(undefined),
      editRestore: (change) => set({ restoreDraft: { ...draftHere(get()), ...forAnother(change), ...change } }),
      restoreCheck: undefined,
      checkRestore: (question) => void check(question),
      restoreErrand: IDLE,
      startRestore: (question) => void start(question),
      forgetRestoreFailure: () => set({ restoreErrand: IDLE })
    }
  }
