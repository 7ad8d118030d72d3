/** The first QEMU that was not seen to lose writes of emulated VMs (docs/decisions/0008). */
const SOUND_SINCE_MAJOR = 9

/**
 * What has to be said of RAM that is saved while a VM runs that QEMU emulates, without KVM: before version 9 QEMU loses
 * track of some of its writes, so that now and then such RAM does not fit together. Undefined: nothing to say.
 */
export function cautionOnLiveMemory(virtType: string, qemuVersion: string): string | undefined {
  if (virtType === 'kvm' || Number.parseInt(qemuVersion, 10) >= SOUND_SINCE_MAJOR) return undefined
  return `it is emulated without KVM, and QEMU ${qemuVersion} may miss writes to its RAM meanwhile: if it does not resume, boot it from this point`
}
