import { fail } from '../../shared/failure.ts'
import { isHeld, lockHolder, tryHostLock, type HostLock } from './host-lock.ts'

/** One job per VM, whoever starts it: a lock of this host under the VM's UUID. */
export type VmLock = HostLock

/** @throws `vm-busy` with who has it and since when. */
export async function lockVm(vm: string, vmName: string, holder: string): Promise<VmLock> {
  return (await tryHostLock(vm, holder)) ?? fail({ kind: 'vm-busy', vm: vmName, ...lockHolder(vm) })
}

/** Who has the VM now. Undefined: nobody. */
export const vmHolder = async (vm: string): Promise<{ by: string; since: string } | undefined> =>
  (await isHeld(vm)) ? lockHolder(vm) : undefined
