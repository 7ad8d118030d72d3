import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { domainState } from '../../libvirt/domains.ts'

const LIBVIRT_WITHIN_MS = 90_000

/** After a boot, or a restart of libvirtd, it may take a while. */
export async function libvirtAnswers(shell: Shell, vm: string): Promise<void> {
  const began = performance.now()
  for (;;) {
    try {
      await domainState(shell, vm)
      return
    } catch (error) {
      if (!isFailure(error, 'command-failed', 'timeout') || performance.now() - began > LIBVIRT_WITHIN_MS) throw error
      await sleep(500)
    }
  }
}
