import type { Uuid } from './ids.ts'
import type { HeldAutostart } from './twin-vm.ts'

export type DomainState =
  'running' | 'idle' | 'paused' | 'in shutdown' | 'shut off' | 'crashed' | 'pmsuspended' | 'no state'

export interface Disk {
  /** `vda` */
  readonly target: string
  readonly device: 'disk' | 'cdrom' | 'floppy' | 'lun'
  readonly type: 'file' | 'block' | 'network' | 'volume' | 'other'
  /** Path, device or a readable form of the network source. Undefined: empty drive. */
  readonly source: string | undefined
  /** Driver format as libvirt has it: `qcow2`, `raw`. */
  readonly format: string
  readonly readOnly: boolean
  readonly shareable: boolean
  readonly capacityBytes: number | undefined
  readonly allocationBytes: number | undefined
  /** Images behind the active one; 0 for a disk without backing file. Undefined if not known (shut off). */
  readonly chainDepth: number | undefined
}

/** A VM as libvirt has it now. */
export interface Domain {
  readonly uuid: Uuid
  readonly name: string
  /** libvirt's id while it is active. */
  readonly id: number | undefined
  readonly state: DomainState
  readonly stateReason: string
  readonly persistent: boolean
  readonly autostart: boolean
  /** A restore has left its autostart off, which its point has on, as the VM was on another host too; and it is off still. */
  readonly heldAutostart?: HeldAutostart
  readonly ramBytes: number
  readonly vcpus: number
  readonly disks: readonly Disk[]
  /** `connected` as QEMU sees the channel; `absent` if the definition has none. */
  readonly agent: 'absent' | 'disconnected' | 'connected'
  readonly snapshots: readonly string[]
  readonly checkpoints: readonly string[]
  /** Memory, backup or migration job that libvirt reports, if any. */
  readonly job: string | undefined
  /** Devices with a job of the block layer, as `vda: active commit`. */
  readonly blockJobs: readonly string[]
  /** What no point of it holds as it is now, and what a restore will ask for, in sentences. */
  readonly limits: readonly string[]
}

/** A VM of a user's own libvirt (`qemu:///session`): nobody but that user can ask about it. */
export interface SessionVm {
  readonly user: string
  readonly name: string
  readonly isRunning: boolean
}

/** One look at a host. */
export interface Inventory {
  readonly hostname: string
  readonly machineId: string
  readonly bootId: string
  readonly libvirt: string
  readonly qemu: string
  readonly cpuModel: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly freeMemoryBytes: number
  /** Processes that want to run, averaged over a minute. Undefined if the host did not say. */
  readonly load?: number
  readonly os: string
  /** IANA name, as `Europe/Rome`; undefined if the host did not say. */
  readonly timeZone?: string
  readonly architecture: string
  readonly space: readonly { readonly path: string; readonly freeBytes: number; readonly totalBytes: number }[]
  readonly domains: readonly Domain[]
  /** VMs that are not looked after. Undefined: none were seen. */
  readonly sessionVms?: readonly SessionVm[]
  /** What of this host is not shown, in sentences. Undefined: nothing is left out. */
  readonly limits?: readonly string[]
  readonly takenAt: string
}
