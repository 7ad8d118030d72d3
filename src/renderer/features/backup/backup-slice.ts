import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { VmView } from '../../../shared/views/host-view.ts'
import type { Estimate } from '../../../shared/views/job-view.ts'
import { ask } from '../../state/ask.ts'
import type { MirrorSlice } from '../../state/mirror-slice.ts'
import type { RouteSlice } from '../../state/route-slice.ts'
import { backupQuestion, canAsk, firstDraft, type BackupDraft } from './backup-draft.ts'

/** The dialog that starts a backup, while it is open. */
export interface BackupDialogState {
  readonly host: string
  readonly vm: string
  readonly draft: BackupDraft
  /** Of the choices as they are, or as they were before: see `isEstimating`. */
  readonly estimate: Estimate | undefined
  /** The choices have changed, and what they cost is not known yet. */
  readonly isEstimating: boolean
  readonly isStarting: boolean
  readonly estimateFailure: Failure | undefined
  readonly startFailure: Failure | undefined
}

export interface BackupSlice {
  /** Undefined: the dialog is closed. */
  readonly backup: BackupDialogState | undefined
  /** `vm` is the VM's UUID. */
  readonly openBackup: (of: { readonly host: string; readonly vm: string }) => void
  readonly editBackup: (change: Partial<BackupDraft>) => void
  readonly estimateBackup: () => void
  readonly startBackup: () => void
  readonly closeBackup: () => void
}

type Needs = BackupSlice & MirrorSlice & RouteSlice

/** So long nothing may change before it is asked what the choices cost: nobody wants an estimate per letter. */
const QUIET_MS = 300

/** Choices of one backup, what they cost, and its start. */
export const backupSlice =
  (core: Bridge): StateCreator<Needs, [], [], BackupSlice> =>
  (set, get) => {
    let asked = 0
    let quiet: ReturnType<typeof setTimeout> | undefined
    const change = (part: Partial<BackupDialogState>): void => {
      const { backup } = get()
      if (backup !== undefined) set({ backup: { ...backup, ...part } })
    }
    const vmOf = ({ host, vm }: Pick<BackupDialogState, 'host' | 'vm'>): VmView | undefined =>
      get()
        .hosts?.find(({ name }) => name === host)
        ?.vms.find(({ uuid }) => uuid === vm)
    /** Whatever is still to come was asked about other choices. */
    const forget = (): number => {
      clearTimeout(quiet)
      return ++asked
    }
    const estimate = async (): Promise<void> => {
      const mine = forget()
      const { backup } = get()
      if (backup === undefined) return
      change({ isEstimating: true, estimateFailure: undefined })
      const answer = await ask(() => core.jobs.estimate(backupQuestion(backup.host, backup.vm, backup.draft)))
      if (mine !== asked) return
      if (answer.ok) change({ isEstimating: false, estimate: answer.value })
      else change({ isEstimating: false, estimate: undefined, estimateFailure: answer.failure })
    }
    const start = async (): Promise<void> => {
      const { backup } = get()
      if (backup === undefined || backup.isStarting) return
      change({ isStarting: true, startFailure: undefined })
      const answer = await ask(() => core.jobs.backup(backupQuestion(backup.host, backup.vm, backup.draft)))
      // Closed or about another VM meanwhile: the job runs, and the window stays where the person went.
      if (get().backup?.isStarting !== true) return
      if (!answer.ok) {
        change({ isStarting: false, startFailure: answer.failure })
        return
      }
      forget()
      set({ backup: undefined })
      get().go({ screen: 'job', job: answer.value.id })
    }
    return {
      backup: undefined,
      openBackup: ({ host, vm }) => {
        const draft = firstDraft(get().choices)
        const idle = { isEstimating: false, isStarting: false, estimateFailure: undefined, startFailure: undefined }
        set({ backup: { host, vm, draft, estimate: undefined, ...idle } })
        void estimate()
      },
      editBackup: (edit) => {
        const { backup } = get()
        if (backup === undefined) return
        forget()
        const draft = { ...backup.draft, ...edit }
        const isAskable = canAsk(draft, vmOf(backup))
        change({ draft, isEstimating: isAskable, estimateFailure: undefined, startFailure: undefined })
        if (isAskable) quiet = setTimeout(() => void estimate(), QUIET_MS)
      },
      estimateBackup: () => void estimate(),
      startBackup: () => void start(),
      closeBackup: () => {
        forget()
        set({ backup: undefined })
      }
    }
  }
