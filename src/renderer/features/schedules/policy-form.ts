import type { Policy, VmSelection } from '../../../shared/model/policy.ts'
import type { OnBusy } from '../../../shared/model/job.ts'
import type { Method } from '../../../shared/model/point.ts'
import type { PolicyDraft } from '../../../shared/views/policy-view.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import { firstKeep, keepFormOf, keepRulesOf, type KeepForm } from './keep-form.ts'
import { firstWhen, whenFormOf, calendarText, type WhenForm } from './when-form.ts'

/** A policy as one types it: numbers are text until they are saved. */
export interface PolicyForm {
  readonly name: string
  readonly host: string
  readonly vms: VmsForm
  /** Undefined: the best that each VM's state and devices allow. */
  readonly method: Method | undefined
  readonly budgetMs: string
  readonly onBusy: OnBusy
  /** Targets, as `vdb`. */
  readonly excludeDisks: readonly string[]
  readonly media: boolean
  readonly store: string
  readonly when: WhenForm
  readonly keep: KeepForm
  readonly tell: Policy['tell']
  readonly hooks: HooksForm
  /** Empty: from the schedule. */
  readonly expectHours: string
  readonly pausedUntil: string | undefined
}

/** All three kinds at once, so that nothing is lost while one compares them. */
export interface VmsForm {
  readonly kind: VmSelection['kind']
  readonly patterns: readonly string[]
  readonly chosen: readonly { readonly uuid: string; readonly name: string }[]
  readonly exclude: readonly string[]
}

export interface HooksForm {
  readonly before: string
  readonly beforeSeconds: string
  readonly after: string
  readonly afterSeconds: string
  readonly beforeMustSucceed: boolean
}

const DEFAULT_STORE = '/var/lib/stillpoint/points'
const DEFAULT_DEADLINE = '60'

/** Every night, all VMs, and told of failures. */
export const firstForm = (host: string, choices: Choices | undefined): PolicyForm => ({
  name: '',
  host,
  vms: { kind: 'all', patterns: [], chosen: [], exclude: [] },
  method: undefined,
  budgetMs: String(choices?.defaultBudgetMs ?? 300),
  onBusy: choices?.defaultOnBusy ?? 'pause',
  excludeDisks: [],
  media: false,
  store: choices?.defaultStore ?? DEFAULT_STORE,
  when: firstWhen,
  keep: firstKeep,
  tell: { onSuccess: false, onFailure: true, digest: 'none', mailTo: [] },
  hooks: {
    before: '',
    beforeSeconds: DEFAULT_DEADLINE,
    after: '',
    afterSeconds: DEFAULT_DEADLINE,
    beforeMustSucceed: false
  },
  expectHours: '',
  pausedUntil: undefined
})

export function formOfPolicy(policy: Policy, host: string): PolicyForm {
  const { before, after, beforeMustSucceed = false } = policy.hooks ?? {}
  return {
    name: policy.name,
    host,
    vms: vmsFormOf(policy.vms),
    method: policy.method,
    budgetMs: String(policy.budgetMs),
    onBusy: policy.onBusy,
    excludeDisks: policy.excludeDisks ?? [],
    media: policy.media === true,
    store: policy.store,
    when: whenFormOf(policy.schedule),
    keep: keepFormOf(policy.keep),
    tell: policy.tell,
    hooks: {
      before: before?.command ?? '',
      beforeSeconds: String(before?.deadlineSeconds ?? DEFAULT_DEADLINE),
      after: after?.command ?? '',
      afterSeconds: String(after?.deadlineSeconds ?? DEFAULT_DEADLINE),
      beforeMustSucceed
    },
    expectHours: policy.expectEveryHours === undefined ? '' : String(policy.expectEveryHours),
    pausedUntil: policy.pausedUntil
  }
}

const vmsFormOf = (vms: VmSelection): VmsForm => ({
  kind: vms.kind,
  patterns: vms.kind === 'pattern' ? vms.patterns : [],
  chosen: vms.kind === 'chosen' ? vms.vms : [],
  exclude: vms.kind === 'chosen' ? [] : vms.exclude
})

/** Which VMs, as far as it has been said: nothing matches a pattern that is not there yet. */
export function selectionOf({ kind, patterns, chosen, exclude }: VmsForm): VmSelection {
  if (kind === 'all') return { kind, exclude: [...exclude] }
  if (kind === 'pattern') return { kind, patterns: [...patterns], exclude: [...exclude] }
  return { kind, vms: chosen.map(({ uuid, name }) => ({ uuid, name })) }
}

/** What is saved. The form has no problems then. `id`: undefined for a new one. */
export function draftOf(form: PolicyForm, id: string | undefined): PolicyDraft {
  const { from, to, isWindowed, jitterMinutes } = form.when
  return {
    ...(id !== undefined && { id }),
    name: form.name.trim(),
    vms: selectionOf(form.vms),
    ...(form.method !== undefined && { method: form.method }),
    budgetMs: Number(form.budgetMs),
    onBusy: form.onBusy,
    ...(form.excludeDisks.length > 0 && { excludeDisks: [...form.excludeDisks] }),
    ...(form.media && { media: true }),
    store: form.store,
    schedule: {
      calendar: calendarText(form.when),
      jitterSeconds: Math.round(Number(jitterMinutes) * 60),
      ...(isWindowed && { window: { from, to } })
    },
    keep: keepRulesOf(form.keep),
    tell: form.tell,
    ...hooksOf(form.hooks),
    ...(form.expectHours.trim() !== '' && { expectEveryHours: Number(form.expectHours) }),
    ...(form.pausedUntil !== undefined && { pausedUntil: form.pausedUntil })
  }
}

function hooksOf({ before, after, ...form }: HooksForm): Pick<PolicyDraft, 'hooks'> {
  const hook = (command: string, seconds: string) => ({ command: command.trim(), deadlineSeconds: Number(seconds) })
  if (before.trim() === '' && after.trim() === '') return {}
  return {
    hooks: {
      ...(before.trim() !== '' && { before: hook(before, form.beforeSeconds) }),
      ...(after.trim() !== '' && { after: hook(after, form.afterSeconds) }),
      beforeMustSucceed: form.beforeMustSucceed
    }
  }
}
