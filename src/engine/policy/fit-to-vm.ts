import { allowsMethod, STATES_FOR } from '../../shared/method-states.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Policy } from '../../shared/model/policy.ts'
import { withoutSavableState, type DomainXml } from '../../libvirt/domain-xml.ts'

export interface Fitted {
  readonly method?: BackupSpec['method']
  readonly excludeDisks?: string[]
  /** Why another method than the policy's. */
  readonly reason?: string
}

/** What of a policy's wishes fits this VM now: a method that its state and devices do not allow gives way to the best that they do. */
export function fitToVm(
  { method, excludeDisks }: Pick<Policy, 'method' | 'excludeDisks'>,
  state: string,
  domain: Pick<DomainXml, 'disks' | 'devicesWithoutSavableState'>
): Fitted {
  const there = excludeDisks?.filter((target) => domain.disks.some((disk) => disk.target === target)) ?? []
  const reason = method === undefined ? undefined : whyNot(method, state, withoutSavableState(domain))
  return {
    ...(there.length > 0 && { excludeDisks: there }),
    ...(method !== undefined && reason === undefined && { method }),
    ...(reason !== undefined && { reason: `not ${method ?? ''}: ${reason}` })
  }
}

function whyNot(method: NonNullable<Policy['method']>, state: string, devices: readonly string[]): string | undefined {
  if (!allowsMethod(state, method))
    return `the VM is ${state}, and this takes one that is ${STATES_FOR[method].join(' or ')}`
  if ((method === 'live' || method === 'classic') && devices.length > 0)
    return `the state of these devices cannot be saved: ${devices.join(', ')}`
  return undefined
}
