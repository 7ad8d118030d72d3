import { open, stat } from 'node:fs/promises'
import type { CapturePlan } from './capture-plan.ts'

/** Where libvirt keeps the RAM of a VM that it has saved itself, by the VM's name. */
const pathOf = (vmName: string): string => `/var/lib/libvirt/qemu/save/${vmName}.save`

/** How a whole image begins; one that is being written says otherwise. Source: libvirt's qemu_saveimage.h. */
const WHOLE = 'LibvirtQemudSave'

/** The image of a managed save, for a point to take along. Undefined where it is not found, or not whole. */
export async function savedMemory(vmName: string): Promise<CapturePlan['savedMemory']> {
  const path = pathOf(vmName)
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const { buffer } = await file.read(Buffer.alloc(WHOLE.length), 0, WHOLE.length, 0)
    return buffer.toString('latin1') === WHOLE ? { path, sizeBytes: (await stat(path)).size } : undefined
  } finally {
    await file.close()
  }
}
