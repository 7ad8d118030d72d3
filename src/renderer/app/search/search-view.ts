import { hostInWords } from '../../../shared/point-name.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { PoliciesView } from '../../../shared/views/policy-view.ts'
import type { Route } from '../../state/route-slice.ts'
import { words } from '../../words.ts'

/** What choosing an entry does. */
export type SearchAct =
  | { readonly kind: 'go'; readonly to: Route }
  | { readonly kind: 'back-up'; readonly host: string; readonly vm: string }
  | { readonly kind: 'add-host' }

export type SearchGroup = 'vm' | 'host' | 'schedule' | 'screen' | 'command'

export interface SearchEntry {
  readonly id: string
  readonly group: SearchGroup
  readonly label: string
  readonly detail: string
  readonly act: SearchAct
}

/** Everything that can be found: VMs and hosts (worst first), schedules, screens, commands. */
export function searchEntries(
  hosts: readonly HostView[],
  vms: readonly VmSafety[],
  screens: readonly SearchEntry[],
  policies: PoliciesView | undefined
): readonly SearchEntry[] {
  const schedules = (policies?.hosts ?? []).flatMap(scheduleEntries)
  const commands = [ADD_HOST, ...(hosts.length > 0 ? [NEW_SCHEDULE] : []), ...vms.flatMap(backUpEntry)]
  return [...vms.map(vmEntry), ...hosts.map(hostEntry), ...schedules, ...screens, ...commands]
}

const vmEntry = (vm: VmSafety): SearchEntry => ({
  id: `vm ${vm.host} ${vm.uuid}`,
  group: 'vm',
  label: safeText(vm.name),
  detail: words.search.vmOn(safeText(hostInWords(vm))),
  act: { kind: 'go', to: { screen: 'vm', host: vm.host, vm: vm.uuid } }
})

const hostEntry = ({ name, address }: HostView): SearchEntry => ({
  id: `host ${name}`,
  group: 'host',
  label: safeText(name),
  detail: words.search.hostAt(safeText(address)),
  act: { kind: 'go', to: { screen: 'hosts', host: name } }
})

const scheduleEntries = ({ host, policies }: PoliciesView['hosts'][number]): readonly SearchEntry[] =>
  policies.map(({ policy: { id, name } }) => ({
    id: `schedule ${host} ${id}`,
    group: 'schedule',
    label: safeText(name),
    detail: words.search.scheduleOn(safeText(host)),
    act: { kind: 'go', to: { screen: 'schedules', host, policy: id } }
  }))

/** A VM that runs a job already, or that no host has, cannot be backed up now. */
function backUpEntry({ uuid, name, host, vm, running }: VmSafety): readonly SearchEntry[] {
  if (vm === undefined || running !== undefined) return []
  const label = words.search.backUp(safeText(name))
  return [
    {
      id: `back-up ${host} ${uuid}`,
      group: 'command',
      label,
      detail: words.search.vmOn(safeText(host)),
      act: { kind: 'back-up', host, vm: uuid }
    }
  ]
}

const ADD_HOST: SearchEntry = {
  id: 'add-host',
  group: 'command',
  label: words.search.addHost,
  detail: words.search.command,
  act: { kind: 'add-host' }
}

const NEW_SCHEDULE: SearchEntry = {
  id: 'new-schedule',
  group: 'command',
  label: words.search.newSchedule,
  detail: words.search.command,
  act: { kind: 'go', to: { screen: 'schedules', edit: 'new' } }
}

/** The best few for what was typed: every word of it must be there; where the label begins with it comes first. */
export function found(entries: readonly SearchEntry[], query: string, limit: number): readonly SearchEntry[] {
  const asked = query.trim().toLocaleLowerCase()
  if (asked === '') return atRest(entries).slice(0, limit)
  const parts = asked.split(/\s+/)
  return entries
    .map((entry) => ({ entry, rank: rankOf(entry, asked, parts) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank)
    .slice(0, limit)
    .map(({ entry }) => entry)
}

/** Before anything is typed: screens, and what is not about one VM. */
const atRest = (entries: readonly SearchEntry[]): readonly SearchEntry[] =>
  entries.filter(({ group, act }) => group === 'screen' || act.kind === 'add-host')

/** 0: not meant. */
function rankOf({ label, detail }: SearchEntry, asked: string, parts: readonly string[]): number {
  const name = label.toLocaleLowerCase()
  const all = `${name} ${detail.toLocaleLowerCase()}`
  if (!parts.every((part) => all.includes(part))) return 0
  if (name === asked) return 5
  if (name.startsWith(asked)) return 4
  if (name.includes(` ${asked}`)) return 3
  return name.includes(asked) ? 2 : 1
}
