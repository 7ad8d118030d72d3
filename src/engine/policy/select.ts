import { setTimeout as sleep } from 'node:timers/promises'
import type { RunVm, VmSelection } from '../../shared/model/policy.ts'
import { selectVms } from '../../shared/select-vms.ts'
import { isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { listNamedDomains } from '../../libvirt/domains.ts'

export interface Selected {
  readonly vms: readonly RunVm['vm'][]
  /** Chosen once, and not on this host now. */
  readonly gone: readonly RunVm['vm'][]
}

/** The VMs that a policy means among those that are here now, under the names that they have now. */
export function select(selection: VmSelection, here: readonly RunVm['vm'][]): Selected {
  const chosen = selection.kind === 'chosen' ? selection.vms : []
  return {
    vms: selectVms(selection, here),
    gone: chosen.filter(({ uuid }) => !here.some((vm) => vm.uuid === uuid))
  }
}

const LIBVIRT_WITHIN_MS = 90_000

/** All VMs of this host. After a boot libvirt may take a while. */
export async function vmsHere(shell: Shell): Promise<RunVm['vm'][]> {
  const deadline = performance.now() + LIBVIRT_WITHIN_MS
  for (;;) {
    try {
      return await listNamedDomains(shell)
    } catch (error) {
      if (!isFailure(error, 'command-failed', 'timeout') || performance.now() > deadline) throw error
      await sleep(500)
    }
  }
}
