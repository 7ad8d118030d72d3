import { isBrokenPromise, type VmSafety } from '../../../shared/safety.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { words as overview } from '../overview/words.ts'

/** How it stands with a VM, in a few words. */
export function careSentence(vm: VmSafety): string {
  if (vm.mutedBecause !== undefined) return overview.mutedWhy(safeText(vm.mutedBecause))
  const state = isBrokenPromise(vm) && vm.failing === undefined ? overview.silent : overview.needs[vm.safety]
  return vm.isAcknowledged ? `${state}, ${overview.acknowledgedWhy}` : state
}
