import { ownZone } from '../../../shared/host-time.ts'
import type { PoliciesView } from '../../../shared/views/policy-view.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import { formWords } from './form-words.ts'
import { firstForm, formOfPolicy, type PolicyForm } from './policy-form.ts'

export type EditKind = 'new' | 'change' | 'copy'

export interface Editor {
  readonly edit: EditKind
  /** Which form it is: what was typed into it comes back when it is opened again. */
  readonly key: string
  /** As it begins. */
  readonly form: PolicyForm
  /** Of the policy that is changed. */
  readonly id: string | undefined
}

interface Asked {
  readonly edit: EditKind
  readonly host: string | undefined
  readonly policy: string | undefined
}
interface Known {
  readonly policies: PoliciesView | undefined
  readonly hosts: readonly HostView[] | undefined
  readonly choices: Choices | undefined
}

/** Undefined: what it begins with is not known, or not known yet. */
export function editorOf({ edit, host, policy }: Asked, { policies, hosts, choices }: Known): Editor | undefined {
  const key = [edit, host ?? '', policy ?? ''].join(' ')
  if (edit === 'new') {
    if (hosts === undefined || choices === undefined) return undefined
    const first = hosts.find(({ state }) => state === 'up') ?? hosts[0]
    return { edit, key, form: firstForm(host ?? first?.name ?? '', choices), id: undefined }
  }
  const at = policies?.hosts.find((each) => each.host === host)
  const found = at?.policies.find((each) => each.policy.id === policy)?.policy
  if (at === undefined || found === undefined) return undefined
  const form = formOfPolicy(found, at.host)
  if (edit === 'change') return { edit, key, form, id: found.id }
  return {
    edit,
    key,
    form: { ...form, name: formWords.copyOf(found.name).slice(0, 100), pausedUntil: undefined },
    id: undefined
  }
}

/** The zone that the times of a form are in: the host's, as far as it is known. */
export function zoneOf(host: string, { policies, hosts }: Pick<Known, 'policies' | 'hosts'>): string {
  const listed = policies?.hosts.find((each) => each.host === host)?.timeZone
  return listed ?? hosts?.find(({ name }) => name === host)?.facts?.timeZone ?? ownZone()
}

/** Names that a policy of that host cannot have. */
export const takenNames = (
  host: string,
  id: string | undefined,
  policies: PoliciesView | undefined
): readonly string[] =>
  (policies?.hosts.find((each) => each.host === host)?.policies ?? [])
    .filter(({ policy }) => policy.id !== id)
    .map(({ policy }) => policy.name)
