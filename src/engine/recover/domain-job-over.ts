import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { DomainJob, DomainJobOperation } from '../../libvirt/domain-jobs.ts'

const OTHERS_END_WITHIN_MS = 30_000

/**
 * Waits until libvirt has no job of this VM any more: as long as it takes for one that `isOurs` knows, and half a minute for
 * others', which are never aborted.
 *
 * @throws `foreign-work` while somebody else's job goes on, which may take hours: recovery comes back to it
 */
export async function domainJobIsOver(
  vmName: string,
  look: () => Promise<DomainJob | undefined>,
  isOurs: (operation: DomainJobOperation) => boolean | Promise<boolean>
): Promise<void> {
  const began = performance.now()
  for (let job = await look(); job !== undefined; job = await look()) {
    const { operation } = job
    if (!(await isOurs(operation)) && performance.now() - began > OTHERS_END_WITHIN_MS)
      fail({ kind: 'foreign-work', vm: vmName, detail: `libvirt is busy with a job of others (${operation})` })
    await sleep(100)
  }
}
