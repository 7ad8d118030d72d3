import type { Shell } from '../../shared/shell.ts'
import { listNamedDomains } from '../../libvirt/domains.ts'
import { virshBatch } from '../../libvirt/virsh.ts'

/** A VM of this host that stays as it is. */
export interface OtherVm {
  readonly name: string
  /** As it runs, or as it would start. */
  readonly definition: string
  readonly isRunning: boolean
}

/** All VMs of this host but those that make way. One that is gone meanwhile has nothing. */
export async function otherVms(shell: Shell, but: readonly string[]): Promise<OtherVm[]> {
  const named = (await listNamedDomains(shell)).filter(({ uuid }) => !but.includes(uuid))
  const answers = await virshBatch(
    shell,
    named.map(({ uuid }) => ['dumpxml', uuid] as const)
  )
  return named.flatMap(({ name }, n) => {
    const answer = answers[n]
    if (answer === undefined || answer.failed) return []
    return [{ name, definition: answer.stdout, isRunning: /^\s*<domain [^>]*\bid=/.test(answer.stdout) }]
  })
}
