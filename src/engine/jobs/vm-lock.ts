import { existsSync } from 'node:fs'
import { fail } from '../../shared/failure.ts'
import { lockHolder, lockPath, tryHostLock, type HostLock } from './host-lock.ts'

/** One job per VM, whoever starts it: a lock of this host under the VM's UUID. */
export type VmLock = HostLock

/** @throws `vm-busy` with who has it and since when. */
export async function lockVm(vm: string, vmName: string, holder: string): Promise<VmLock> {
  return (await tryHostLock(vm, holder)) ?? fail({ kind: 'vm-busy', vm: vmName, ...lockHolder(vm) })
}

/** Who has the VM now. Undefined: nobody. Without a lock file nothing is taken in order to look. */
export async function vmHolder(vm: string): Promise<{ by: string; since: string } | undefined> {
  if (!existsSync(lockPath(vm))) return undefined
  const lock = await tryHostLock(vm, 'a look whether it is free')
  if (lock === undefined) return lockHolder(vm)
  await lock.release()
  return undefined
}
