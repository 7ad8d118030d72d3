import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { PrunePlan } from '../../../shared/model/policy.ts'
import type { Result } from '../../../shared/result.ts'
import type { PolicyDraft } from '../../../shared/views/policy-view.ts'
import { ask } from '../../state/ask.ts'
import type { RouteSlice } from '../../state/route-slice.ts'
import type { PolicyForm } from './policy-form.ts'

/** A policy on its host. */
export interface PolicyAt {
  readonly host: string
  readonly id: string
}
/** How something that was asked for goes. */
export interface Errand {
  readonly isBusy: boolean
  readonly failure: Failure | undefined
}
export interface ScheduleDialog extends PolicyAt, Errand {
  readonly kind: 'pause' | 'remove'
  readonly name: string
}
export interface PlanAsked extends PolicyAt, Errand {
  readonly plan: PrunePlan | undefined
}

export interface SchedulesSlice {
  /** By `errandOf`: runs begun, pauses ended, jobs at a time. */
  readonly scheduleErrands: ReadonlyMap<string, Errand>
  readonly scheduleDialog: ScheduleDialog | undefined
  /** What was typed into the form of a policy and is not saved yet; `of` says which form. */
  readonly scheduleDraft: { readonly of: string; readonly form: PolicyForm } | undefined
  readonly scheduleSave: Errand
  readonly prunePlan: PlanAsked | undefined
  /** Begins a run now, and goes to it. */
  readonly runPolicy: (at: PolicyAt) => void
  readonly resumePolicy: (at: PolicyAt) => void
  readonly setParallel: (host: string, parallel: number) => void
  readonly openScheduleDialog: (dialog: Omit<ScheduleDialog, keyof Errand>) => void
  readonly closeScheduleDialog: () => void
  /** For the open dialog. */
  readonly pausePolicy: (until: Date) => void
  readonly removePolicy: () => void
  readonly editSchedule: (of: string, form: PolicyForm) => void
  /** Saves on that host and goes to the policy. `acceptStore`: the store there is meant, though another than it was. */
  readonly saveSchedule: (host: string, policy: PolicyDraft, acceptStore?: boolean) => void
  readonly leaveSchedule: () => void
  readonly askPrunePlan: (at: PolicyAt) => void
}

export const errandOf = (at: PolicyAt): string => `${at.host}/${at.id}`

const IDLE: Errand = { isBusy: false, failure: undefined }
const BUSY: Errand = { isBusy: true, failure: undefined }
const endOf = (answer: Result<unknown>): Errand => ({ isBusy: false, failure: answer.ok ? undefined : answer.failure })

/** Errands about policies. */
export const schedulesSlice =
  (core: Bridge): StateCreator<SchedulesSlice & RouteSlice, [], [], SchedulesSlice> =>
  (set, get) => {
    let saving = 0
    let dialogs = 0
    const note = (key: string, errand: Errand): void =>
      set({ scheduleErrands: new Map(get().scheduleErrands).set(key, errand) })
    const run = async <T>(key: string, question: () => Promise<Result<T>>): Promise<Result<T> | undefined> => {
      if (get().scheduleErrands.get(key)?.isBusy === true) return undefined
      note(key, BUSY)
      const answer = await ask(question)
      note(key, endOf(answer))
      return answer
    }
    /** For the open dialog, which closes when it is done; what is answered later than that is dropped. */
    const inDialog = async (question: (at: PolicyAt) => Promise<Result<unknown>>): Promise<boolean> => {
      const { scheduleDialog } = get()
      if (scheduleDialog === undefined || scheduleDialog.isBusy) return false
      const mine = ++dialogs
      set({ scheduleDialog: { ...scheduleDialog, ...BUSY } })
      const answer = await ask(() => question({ host: scheduleDialog.host, id: scheduleDialog.id }))
      if (mine === dialogs) set({ scheduleDialog: answer.ok ? undefined : { ...scheduleDialog, ...endOf(answer) } })
      return answer.ok
    }
    const runNow = async (at: PolicyAt): Promise<void> => {
      const before = get().route
      const answer = await run(errandOf(at), () => core.policies.run(at))
      // Whoever went elsewhere meanwhile stays there.
      if (answer?.ok === true && get().route === before)
        get().go({ screen: 'schedules', host: at.host, policy: at.id, run: answer.value.run })
    }
    const save = async (...[host, policy, acceptStore]: Parameters<SchedulesSlice['saveSchedule']>): Promise<void> => {
      if (get().scheduleSave.isBusy) return
      const mine = ++saving
      set({ scheduleSave: BUSY })
      const question = { host, policy, ...(acceptStore === true && { acceptStore }) }
      const answer = await ask(() => core.policies.put(question))
      if (mine !== saving) return
      set({ scheduleSave: endOf(answer), ...(answer.ok && { scheduleDraft: undefined }) })
      const { route } = get()
      const isStillThere = route.screen === 'schedules' && route.edit !== undefined
      if (answer.ok && isStillThere) get().go({ screen: 'schedules', host, policy: answer.value.id })
    }
    const remove = async (): Promise<void> => {
      const isRemoved = await inDialog((at) => core.policies.remove(at))
      const { route } = get()
      if (isRemoved && route.screen === 'schedules' && route.policy !== undefined) get().go({ screen: 'schedules' })
    }
    const askPlan = async (at: PolicyAt): Promise<void> => {
      const before = get().prunePlan
      const isSame = before !== undefined && errandOf(before) === errandOf(at)
      const mine: PlanAsked = { ...at, ...BUSY, plan: isSame ? before.plan : undefined }
      set({ prunePlan: mine })
      const answer = await ask(() => core.policies.prunePlan(at))
      if (get().prunePlan === mine)
        set({ prunePlan: { ...at, ...endOf(answer), plan: answer.ok ? answer.value : mine.plan } })
    }
    return {
      scheduleErrands: new Map(),
      scheduleDialog: undefined,
      scheduleDraft: undefined,
      scheduleSave: IDLE,
      prunePlan: undefined,
      runPolicy: (at) => void runNow(at),
      resumePolicy: (at) => void run(errandOf(at), () => core.policies.pause(at)),
      setParallel: (host, parallel) => void run(host, () => core.policies.parallel({ host, parallel })),
      openScheduleDialog: (dialog) => {
        dialogs++
        set({ scheduleDialog: { ...dialog, ...IDLE } })
      },
      closeScheduleDialog: () => {
        dialogs++
        set({ scheduleDialog: undefined })
      },
      pausePolicy: (until) => void inDialog((at) => core.policies.pause({ ...at, until: until.toISOString() })),
      removePolicy: () => void remove(),
      editSchedule: (of, form) =>
        set({ scheduleDraft: { of, form }, scheduleSave: get().scheduleSave.isBusy ? BUSY : IDLE }),
      saveSchedule: (host, policy, acceptStore) => void save(host, policy, acceptStore),
      leaveSchedule: () => {
        saving++
        set({ scheduleDraft: undefined, scheduleSave: IDLE })
        get().goBack()
      },
      askPrunePlan: (at) => void askPlan(at)
    }
  }
