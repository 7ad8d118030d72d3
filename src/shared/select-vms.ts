import { matchesPattern, type Steps } from './glob.ts'
import type { VmSelection } from './model/policy.ts'

interface Named {
  readonly uuid: string
  readonly name: string
}

/**
 * As a whole, by name, where upper and lower case count as they do to libvirt, or by UUID. Of that no part is enough: `a*`
 * would mean every sixteenth VM, whatever it is called.
 */
const fits = (pattern: string, { uuid, name }: Named, steps: Steps): boolean =>
  steps.left > 0 && (matchesPattern(pattern, name, steps) || pattern === uuid)

/** Whether a policy means this VM. A chosen one is known by its UUID, whatever it is called now. */
export function isSelected(selection: VmSelection, vm: Named, steps: Steps = { left: Infinity }): boolean {
  if (selection.kind === 'chosen') return selection.vms.some(({ uuid }) => uuid === vm.uuid)
  if (selection.exclude.some((pattern) => fits(pattern, vm, steps))) return false
  return selection.kind === 'all' || selection.patterns.some((pattern) => fits(pattern, vm, steps))
}

/** Those of the VMs that a policy means, in the same order. */
export const selectVms = <T extends Named>(selection: VmSelection, vms: readonly T[]): readonly T[] =>
  vms.filter((vm) => isSelected(selection, vm))
