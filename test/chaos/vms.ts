/**
 * The VMs of a host: `plain` has one qcow2 disk, `pair` a qcow2 and a raw one and an agent, `transient` no definition
 * that would outlive it, `off` is shut off, `media` has a medium in its drive, `shared` lies on storage that both hosts
 * have, `small` on a file system that can be filled.
 */
export const VM_KINDS = ['plain', 'pair', 'transient', 'off', 'media', 'shared', 'small'] as const
export type VmKind = (typeof VM_KINDS)[number]

/** What a VM has when a round begins. */
export interface VmTraits {
  readonly runs: boolean
  readonly isDefined: boolean
  readonly disks: readonly { readonly target: string; readonly format: 'qcow2' | 'raw' }[]
  readonly hasAgent: boolean
  readonly hasDrive: boolean
}

const usual: VmTraits = {
  runs: true,
  isDefined: true,
  disks: [{ target: 'vda', format: 'qcow2' }],
  hasAgent: false,
  hasDrive: false
}

export const TRAITS: Readonly<Record<VmKind, VmTraits>> = {
  plain: usual,
  pair: { ...usual, disks: [...usual.disks, { target: 'vdb', format: 'raw' }], hasAgent: true },
  transient: { ...usual, isDefined: false },
  off: { ...usual, runs: false },
  media: { ...usual, hasDrive: true },
  shared: usual,
  small: usual
}
