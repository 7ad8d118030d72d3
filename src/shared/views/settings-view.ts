import * as z from 'zod'
import { DEFAULT_BUDGET_MS, OnBusy } from '../model/job.ts'
import { Uuid } from '../model/ids.ts'

/** A VM is one by its host and UUID. Without a host: of the only host that has it now. */
const ChosenVm = z.object({ host: z.string().max(300).optional(), uuid: Uuid })
type ChosenVm = z.infer<typeof ChosenVm>

/** Whether a choice is about this VM, where so many hosts have one of its UUID. */
export const isAbout = (
  choice: ChosenVm,
  vm: { readonly host: string; readonly uuid: string },
  count: number
): boolean => choice.uuid === vm.uuid && (choice.host === undefined ? count <= 1 : choice.host === vm.host)

/** A VM that is left alone on purpose. */
export const MutedVm = ChosenVm.extend({ name: z.string(), reason: z.string().max(500), at: z.iso.datetime() })
export type MutedVm = z.infer<typeof MutedVm>

/**
 * What is known to the operator and need not be said again: a job that failed, by its id, or the silence behind a point,
 * `silent:<point id>` (`silent:-` where there is none). What comes after it is said again.
 */
export const Acknowledged = ChosenVm.extend({ what: z.string().max(100), at: z.iso.datetime() })
export type Acknowledged = z.infer<typeof Acknowledged>

/** What the operator can choose. */
export const Choices = z.object({
  notifySuccess: z.boolean(),
  notifyFailure: z.boolean(),
  startAtLogin: z.boolean(),
  /** What closing the window means; `ask` until it has been said once. */
  onClose: z.enum(['ask', 'tray', 'quit']),
  appearance: z.enum(['system', 'light', 'dark']),
  /** On the host; undefined: the host's own store. */
  defaultStore: z.string().startsWith('/').max(4096).optional(),
  defaultBudgetMs: z.number().positive().max(3_600_000),
  defaultOnBusy: OnBusy,
  /** A VM should have a good point no older than this, unless it is muted. */
  expectEveryHours: z
    .number()
    .positive()
    .max(24 * 366),
  muted: z.array(MutedVm).max(10_000),
  acknowledged: z.array(Acknowledged).max(10_000)
})
export type Choices = z.infer<typeof Choices>

export const DEFAULT_CHOICES: Choices = {
  notifySuccess: false,
  notifyFailure: true,
  startAtLogin: false,
  onClose: 'ask',
  appearance: 'system',
  defaultBudgetMs: DEFAULT_BUDGET_MS,
  defaultOnBusy: 'pause',
  expectEveryHours: 26,
  muted: [],
  acknowledged: []
}

export const KnownKey = z.object({
  /** As the file has it: name or address, `[host]:port`, or `(hashed)`. */
  hosts: z.string(),
  keyType: z.string(),
  fingerprint: z.string(),
  file: z.string(),
  line: z.number().int(),
  /** Only what is in our own file can be forgotten here. */
  ours: z.boolean(),
  revoked: z.boolean()
})
export type KnownKey = z.infer<typeof KnownKey>

/** Some of the choices, to be changed. An empty store means the host's own. */
export const ChoicesChange = Choices.partial()
  .extend({ defaultStore: z.string().max(4096).optional() })
  .strict()
export type ChoicesChange = z.infer<typeof ChoicesChange>

export function withChange(choices: Choices, change: ChoicesChange): Choices {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const { defaultStore, ...merged } = { ...choices, ...given }
  return Choices.parse({ ...merged, ...(defaultStore !== undefined && defaultStore !== '' && { defaultStore }) })
}
