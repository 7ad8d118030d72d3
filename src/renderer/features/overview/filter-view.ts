import { isOfHost } from '../../../shared/point-name.ts'
import { wantsYou, type VmSafety } from '../../../shared/safety.ts'

export const FILTER_STATES = [
  'all',
  'needs-you',
  'acknowledged',
  'no-schedule',
  'running',
  'unknown',
  'muted',
  'good'
] as const
export type FilterState = (typeof FILTER_STATES)[number]

export interface OverviewFilter {
  /** In the VM's name, its host's, or its UUID. */
  readonly text: string
  readonly state: FilterState
  /** Undefined: all of them. */
  readonly host: string | undefined
}

export const NO_FILTER: OverviewFilter = { text: '', state: 'all', host: undefined }

export const isFiltering = ({ text, state, host }: OverviewFilter): boolean =>
  text.trim() !== '' || state !== 'all' || host !== undefined

/** Every word that was typed must be there. */
export function filtered(vms: readonly VmSafety[], { text, state, host }: OverviewFilter): readonly VmSafety[] {
  const parts = text.toLocaleLowerCase().split(/\s+/)
  return vms.filter((vm) => {
    const all = `${vm.name} ${vm.host} ${vm.uuid}`.toLocaleLowerCase()
    return (
      (host === undefined || isOfHost(vm, host, true)) && isIn(vm, state) && parts.every((part) => all.includes(part))
    )
  })
}

function isIn(vm: VmSafety, state: FilterState): boolean {
  switch (state) {
    case 'all':
      return true
    case 'needs-you':
      return wantsYou(vm)
    case 'acknowledged':
      return vm.isAcknowledged
    case 'no-schedule':
      return vm.policies.length === 0 && vm.notKnown === undefined && vm.safety !== 'muted'
    case 'running':
      return vm.running !== undefined
    case 'unknown':
    case 'muted':
    case 'good':
      return vm.safety === state
  }
}
