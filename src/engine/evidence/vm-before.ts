import * as z from 'zod'
import { LogPosition, logPosition } from './vm-history.ts'
import { VmProcess, vmProcess } from './vm-process.ts'

/** How a VM stood before a job touched it: what happened to it since is told by comparing. */
export const VmBefore = z.object({ process: VmProcess.optional(), log: LogPosition.optional() })
export type VmBefore = z.infer<typeof VmBefore>

export async function noteVm(uuid: string, vmName: string): Promise<VmBefore> {
  const [process, log] = await Promise.all([vmProcess(uuid), logPosition(vmName)])
  return { ...(process && { process }), ...(log && { log }) }
}
