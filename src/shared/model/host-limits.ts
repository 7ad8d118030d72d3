/** More than a host can mean, by a wide margin. What goes beyond is cut where a host's text is read, and refused where it is not. */
export const MOST = {
  /** VMs of one host. */
  vms: 1000,
  /** Disks of one VM, and how many of its snapshots and of its checkpoints. */
  disks: 400,
  snapshots: 1000,
  /** Sentences about one VM. */
  limits: 64,
  sessionVms: 200,
  /** Characters of disks and sentences of all VMs of a host together. */
  detail: 2 * 1024 * 1024,
  /** Characters: of names (libvirt's are names of files), of paths, of a sentence. */
  name: 300,
  path: 4200,
  sentence: 1000,
  /** Images below a disk. */
  chain: 200
} as const
