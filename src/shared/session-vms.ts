import type { SessionVm } from './model/host.ts'
import { safeText, shorten } from './safe-text.ts'

const NAMES_SHOWN = 8

/** `3 VMs of users’ own libvirt (qemu:///session) are not looked after: web (anna), …`. Undefined: there are none. */
export function sessionVmsText(vms: readonly SessionVm[] | undefined): string | undefined {
  if (vms === undefined || vms.length === 0) return undefined
  const names = vms
    .slice(0, NAMES_SHOWN)
    .map(({ name, user }) => safeText(`${shorten(name, 60)} (${shorten(user, 40)})`))
  const more = vms.length > NAMES_SHOWN ? ` and ${vms.length - NAMES_SHOWN} more` : ''
  const [count, are] = vms.length === 1 ? ['A VM', 'is'] : [`${vms.length} VMs`, 'are']
  return `${count} of users’ own libvirt (qemu:///session) ${are} not looked after: ${names.join(', ')}${more}`
}

/** Stillpoint is root, and asks the system's libvirt. */
export const SESSION_VMS_FIX =
  'To have one looked after, shut it down, bring its images to where QEMU of the system may read them, and define it there: virsh -c qemu:///session dumpxml NAME >NAME.xml; sudo virsh -c qemu:///system define NAME.xml'
