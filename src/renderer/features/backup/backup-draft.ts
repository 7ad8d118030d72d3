import { allowsMethod } from '../../../shared/method-states.ts'
import type { OnBusy } from '../../../shared/model/job.ts'
import type { Method } from '../../../shared/model/point.ts'
import type { DiskView, VmView } from '../../../shared/views/host-view.ts'
import type { BackupQuestion } from '../../../shared/views/job-view.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import { words } from './words.ts'

/** The choices of a backup, as the form has them. */
export interface BackupDraft {
  /** Undefined: the best that the VM's state and devices allow. */
  readonly method: Method | undefined
  /** Empty: the one of the settings, else the host's own. */
  readonly store: string
  /** Milliseconds, as typed. */
  readonly budgetMs: string
  readonly onBusy: OnBusy
  readonly excludeDisks: readonly string[]
  readonly media: boolean
}

const LONGEST_BUDGET_MS = 3_600_000

export const firstDraft = (choices: Choices | undefined): BackupDraft => ({
  method: undefined,
  store: choices?.defaultStore ?? '',
  budgetMs: String(choices?.defaultBudgetMs ?? 300),
  onBusy: choices?.defaultOnBusy ?? 'pause',
  excludeDisks: [],
  media: false
})

/** Disks that a point can hold. */
export const disksOf = (vm: VmView | undefined): readonly DiskView[] =>
  (vm?.disks ?? []).filter(({ device }) => device === 'disk')

export interface DraftProblems {
  readonly store?: string
  readonly budgetMs?: string
  readonly excludeDisks?: string
}

export function backupProblems(draft: BackupDraft, vm: VmView | undefined): DraftProblems {
  const { problems } = words
  const budgetMs = Number(draft.budgetMs)
  const isBudget = draft.budgetMs.trim() !== '' && budgetMs > 0 && budgetMs <= LONGEST_BUDGET_MS
  const disks = disksOf(vm)
  const isNothingLeft = disks.length > 0 && disks.every(({ target }) => draft.excludeDisks.includes(target))
  return {
    ...(draft.store !== '' && !draft.store.startsWith('/') && { store: problems.store }),
    ...(!isBudget && { budgetMs: problems.budgetMs }),
    ...(isNothingLeft && { excludeDisks: problems.excludeDisks })
  }
}

export const canAsk = (draft: BackupDraft, vm: VmView | undefined): boolean =>
  Object.keys(backupProblems(draft, vm)).length === 0

export function backupQuestion(host: string, vm: string, draft: BackupDraft): BackupQuestion {
  return {
    host,
    vm,
    budgetMs: Number(draft.budgetMs),
    onBusy: draft.onBusy,
    ...(draft.method !== undefined && { method: draft.method }),
    ...(draft.store !== '' && { store: draft.store }),
    ...(draft.excludeDisks.length > 0 && { excludeDisks: [...draft.excludeDisks] }),
    ...(draft.media && { media: true })
  }
}

export interface MethodChoice {
  /** `auto`: whatever is best. */
  readonly value: Method | 'auto'
  readonly label: string
  readonly text: string
  /** Why it cannot be chosen now. */
  readonly because: string | undefined
}

const METHODS = ['auto', 'live', 'disk', 'classic', 'offline'] as const

/** Every method in plain words, and whether the VM's state allows it. A VM that is not known may be in any state. */
export function methodChoices(vm: VmView | undefined): readonly MethodChoice[] {
  return METHODS.map((value) => ({
    value,
    ...words.methods[value],
    because:
      value === 'auto' || vm === undefined || allowsMethod(vm.state, value) ? undefined : words.notNow(vm.state, value)
  }))
}
