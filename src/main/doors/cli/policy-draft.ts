import { fail } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { DEFAULT_BUDGET_MS } from '../../../shared/model/job.ts'
import {
  DEFAULT_FLOOR,
  DEFAULT_GRACE_HOURS,
  Policy,
  type Hooks,
  type KeepRules,
  type VmSelection
} from '../../../shared/model/policy.ts'
import { PolicyDraft } from '../../../shared/views/policy-view.ts'
import type { ActionOptions } from './run-program.ts'
import { readText } from './secret.ts'

/** What `policy add` and `policy edit` were given; what is left out is as it was, or by default. */
export interface PolicyOptions extends ActionOptions {
  readonly host?: string
  readonly vms?: string[]
  readonly exclude?: string[]
  readonly calendar?: string
  readonly method?: PolicyDraft['method']
  readonly store?: string
  readonly budget?: number
  readonly onBusy?: PolicyDraft['onBusy']
  readonly excludeDisk?: string[]
  readonly media?: boolean
  readonly window?: PolicyDraft['schedule']['window'] | 'always'
  readonly jitter?: number
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepMemory?: number
  readonly floor?: number
  readonly grace?: number
  readonly mailSuccess?: boolean
  readonly mailFailure?: boolean
  readonly digest?: PolicyDraft['tell']['digest']
  readonly mailTo?: string[]
  readonly before?: string
  readonly after?: string
  readonly beforeFile?: string
  readonly afterFile?: string
  readonly beforeMustSucceed?: boolean
  readonly hookDeadline?: number
  readonly expect?: number
  readonly acceptStore?: boolean
}

const DEFAULT_HOOK_SECONDS = 300

/** The same with the commands that are in files. @throws `usage` */
export function withCommandsRead<T extends PolicyOptions>(options: T): T {
  if (options.beforeFile === '-' && options.afterFile === '-')
    fail({ kind: 'usage', message: 'Only one of the two commands can come from standard input.' })
  const [before, after] = [commandOf(options, 'before'), commandOf(options, 'after')]
  return { ...options, ...given({ before, after }) }
}

function commandOf(options: PolicyOptions, when: 'before' | 'after'): string | undefined {
  const [command, file] = [options[when], options[`${when}File`]]
  if (file === undefined) return command
  if (command !== undefined)
    fail({ kind: 'usage', message: `Give the command with --${when} or with --${when}-file, not with both.` })
  const text = readText(file).replace(/\r?\n$/, '')
  return text === ''
    ? fail({ kind: 'usage', message: `${file} holds no command. To take away the one that is there: --${when} ''` })
    : text
}

/** @throws `usage` with what does not fit */
export function draftOf(name: string, options: PolicyOptions, was?: Policy): PolicyDraft {
  const before = was === undefined ? undefined : PolicyDraft.strip().parse(was)
  const hooks = hooksOf(options, was?.hooks)
  const draft = {
    ...(before ?? {
      store: DEFAULT_STORE,
      budgetMs: DEFAULT_BUDGET_MS,
      onBusy: 'pause'
    }),
    ...given({
      method: options.method,
      store: options.store,
      budgetMs: options.budget,
      onBusy: options.onBusy,
      excludeDisks: options.excludeDisk,
      media: options.media,
      expectEveryHours: options.expect,
      hooks
    }),
    name,
    vms: selectionOf(options, was?.vms),
    schedule: scheduleOf(options, was?.schedule),
    keep: keepOf(options, was?.keep),
    tell: tellOf(options, was?.tell)
  }
  const checked = PolicyDraft.safeParse(draft)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  return fail({ kind: 'usage', message: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
}

const given = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>

/** `*` alone is all, now and later. */
function selectionOf({ vms, exclude }: PolicyOptions, was: VmSelection | undefined): VmSelection {
  const excluded = exclude ?? (was === undefined || was.kind === 'chosen' ? [] : was.exclude)
  if (vms === undefined && was !== undefined)
    return was.kind === 'chosen' ? asChosen(was, exclude) : { ...was, exclude: excluded }
  const patterns = vms ?? []
  return patterns.includes('*') ? { kind: 'all', exclude: excluded } : { kind: 'pattern', patterns, exclude: excluded }
}

function asChosen(was: VmSelection, exclude: readonly string[] | undefined): VmSelection {
  if (exclude === undefined) return was
  return fail({ kind: 'usage', message: 'Its VMs were chosen one by one. Say with --vms which are meant instead.' })
}

function scheduleOf(
  { calendar, jitter, window }: PolicyOptions,
  was: Policy['schedule'] | undefined
): Policy['schedule'] {
  const { window: hours, ...rest } = was ?? { calendar: '', jitterSeconds: 0 }
  const kept = window ?? hours
  return {
    ...rest,
    ...given({ calendar, jitterSeconds: jitter }),
    ...(kept !== undefined && kept !== 'always' && { window: kept })
  }
}

const keepOf = (options: PolicyOptions, was: KeepRules | undefined): KeepRules => ({
  ...(was ?? { floor: DEFAULT_FLOOR, graceHours: DEFAULT_GRACE_HOURS }),
  ...given({
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
    memory: options.keepMemory,
    floor: options.floor,
    graceHours: options.grace
  })
})

const tellOf = (
  { mailSuccess, mailFailure, digest, mailTo }: PolicyOptions,
  was: Policy['tell'] | undefined
): Policy['tell'] => ({
  ...(was ?? { onSuccess: false, onFailure: true, digest: 'none', mailTo: [] }),
  ...given({ onSuccess: mailSuccess, onFailure: mailFailure, digest, mailTo })
})

/** An empty command takes the hook away. */
function hooksOf(options: PolicyOptions, was: Hooks | undefined): Hooks | undefined {
  const deadlineSeconds = options.hookDeadline
  const hook = (command: string | undefined, had: Hooks['before']): Hooks['before'] =>
    command === undefined
      ? had && { ...had, ...given({ deadlineSeconds }) }
      : command === ''
        ? undefined
        : { command, deadlineSeconds: deadlineSeconds ?? had?.deadlineSeconds ?? DEFAULT_HOOK_SECONDS }
  const [before, after] = [hook(options.before, was?.before), hook(options.after, was?.after)]
  const beforeMustSucceed = options.beforeMustSucceed ?? was?.beforeMustSucceed ?? false
  if (before === undefined && after === undefined && was === undefined) return undefined
  return { ...(before && { before }), ...(after && { after }), beforeMustSucceed }
}
