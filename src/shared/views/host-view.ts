import * as z from 'zod'
import { FailureData } from '../failure-data.ts'
import { Uuid } from '../model/ids.ts'
import { HeldAutostart } from '../model/twin-vm.ts'

export const DiskView = z.object({
  target: z.string(),
  device: z.string(),
  type: z.string(),
  source: z.string().optional(),
  format: z.string(),
  capacityBytes: z.number().optional(),
  allocationBytes: z.number().optional()
})
export type DiskView = z.infer<typeof DiskView>

/** A VM as its host has it. */
export const VmView = z.object({
  uuid: Uuid,
  name: z.string(),
  /** libvirt's word: `running`, `paused`, `shut off`, ... */
  state: z.string(),
  ramBytes: z.number(),
  vcpus: z.number(),
  autostart: z.boolean(),
  /** A restore has left it off, as the VM was on that host too. */
  heldAutostart: HeldAutostart.optional(),
  agent: z.enum(['absent', 'disconnected', 'connected']),
  disks: z.array(DiskView).readonly(),
  /** What no point of it holds as it is now, and what a restore will ask for, in sentences. */
  limits: z.array(z.string()).readonly().optional()
})
export type VmView = z.infer<typeof VmView>

/** What one look at a host showed. */
export const HostFacts = z.object({
  hostname: z.string(),
  machineId: z.string().optional(),
  os: z.string(),
  architecture: z.string(),
  libvirt: z.string(),
  qemu: z.string(),
  cpuModel: z.string(),
  cpus: z.number(),
  memoryBytes: z.number(),
  freeMemoryBytes: z.number(),
  /** Processes that want to run, averaged over a minute. */
  load: z.number().optional(),
  /** IANA name, as `Europe/Rome`. */
  timeZone: z.string().optional(),
  /** The file system that holds the host's own store. */
  store: z.object({ path: z.string(), freeBytes: z.number(), totalBytes: z.number() }).optional(),
  /** VMs of users' own libvirt, which nobody but they can ask. */
  sessionVms: z
    .array(z.object({ user: z.string(), name: z.string(), isRunning: z.boolean() }))
    .readonly()
    .optional()
})
export type HostFacts = z.infer<typeof HostFacts>

export const HostView = z.object({
  name: z.string(),
  address: z.string(),
  /** Undefined: whatever `~/.ssh/config` says, and the same for the port. */
  user: z.string().optional(),
  port: z.number().int().optional(),
  addedAt: z.string(),
  /** `connecting` until something is known; `down` with the reason in `failure`. */
  state: z.enum(['connecting', 'up', 'down']),
  /** When facts and VMs were true. While the host is not up they are the last ones known. */
  asOf: z.iso.datetime().optional(),
  failure: FailureData.optional(),
  facts: HostFacts.optional(),
  vms: z.array(VmView).readonly(),
  /** The engine is being put there. */
  placing: z.object({ what: z.enum(['runtime', 'engine']), doneBytes: z.number(), totalBytes: z.number() }).optional()
})
export type HostView = z.infer<typeof HostView>

/** Where and how to log in, as the person typed it. What is left out comes from `~/.ssh/config`. */
export const HostLogin = z.strictObject({
  name: z.string().max(300),
  address: z.string().max(300),
  user: z.string().max(300).optional(),
  port: z.number().optional(),
  identityFile: z.string().max(4096).optional(),
  /** The key that the person has compared: the host must show this one. */
  fingerprint: z.string().max(200).optional()
})
export type HostLogin = z.infer<typeof HostLogin>

export const ProbeItem = z.object({
  check: z.string(),
  state: z.enum(['ok', 'warning', 'problem']),
  text: z.string(),
  /** Empty: nothing to do. */
  fix: z.string()
})
export type ProbeItem = z.infer<typeof ProbeItem>

/** A checklist, and what the host is, if libvirt answered. */
export const ProbeView = z.object({
  items: z.array(ProbeItem).readonly(),
  usable: z.boolean(),
  facts: HostFacts.optional(),
  vmNames: z.array(z.string()).readonly()
})
export type ProbeView = z.infer<typeof ProbeView>

/** An entry of `~/.ssh/config` that names one host. */
export const SshEntry = z.object({
  alias: z.string(),
  hostName: z.string(),
  user: z.string().optional(),
  port: z.number().optional()
})
export type SshEntry = z.infer<typeof SshEntry>
