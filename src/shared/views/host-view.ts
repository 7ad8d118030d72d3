import * as z from 'zod'
import { FailureData } from '../failure-data.ts'
import { MOST } from '../model/host-limits.ts'
import { Uuid } from '../model/ids.ts'
import { HeldAutostart } from '../model/twin-vm.ts'
import { shorten } from '../safe-text.ts'

const Name = z.string().max(MOST.name)
const Sentence = z.string().max(MOST.sentence)
const Count = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER)

export const DiskView = z.object({
  target: Name,
  device: Name,
  type: Name,
  source: z.string().max(MOST.path).optional(),
  format: Name,
  capacityBytes: Count.optional(),
  allocationBytes: Count.optional()
})
export type DiskView = z.infer<typeof DiskView>

/** A VM as its host has it. */
export const VmView = z.object({
  uuid: Uuid,
  name: Name,
  /** libvirt's word: `running`, `paused`, `shut off`, ... */
  state: Name,
  ramBytes: Count,
  vcpus: Count,
  autostart: z.boolean(),
  /** A restore has left it off, as the VM was on that host too. */
  heldAutostart: HeldAutostart.optional(),
  agent: z.enum(['absent', 'disconnected', 'connected']),
  disks: z.array(DiskView).max(MOST.disks).readonly(),
  /** What no point of it holds as it is now, and what a restore will ask for, in sentences. */
  limits: z
    .array(Sentence)
    .max(MOST.limits + 1)
    .readonly()
    .optional()
})
export type VmView = z.infer<typeof VmView>

/** What one look at a host showed. */
export const HostFacts = z.object({
  hostname: Name,
  machineId: Name.optional(),
  os: Name,
  architecture: Name,
  libvirt: Name,
  qemu: Name,
  cpuModel: Name,
  cpus: Count,
  memoryBytes: Count,
  freeMemoryBytes: Count,
  /** Processes that want to run, averaged over a minute. */
  load: Count.optional(),
  /** IANA name, as `Europe/Rome`. */
  timeZone: Name.optional(),
  /** The file system that holds the host's own store. */
  store: z.object({ path: z.string().max(MOST.path), freeBytes: Count, totalBytes: Count }).optional(),
  /** VMs of users' own libvirt, which nobody but they can ask. */
  sessionVms: z
    .array(z.object({ user: Name, name: Name, isRunning: z.boolean() }))
    .max(MOST.sessionVms)
    .readonly()
    .optional(),
  /** What of it is not shown, in sentences. */
  limits: z.array(Sentence).max(MOST.limits).readonly().optional()
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
  vms: z.array(VmView).max(MOST.vms).readonly(),
  /** The engine is being put there. */
  placing: z.object({ what: z.enum(['runtime', 'engine']), doneBytes: z.number(), totalBytes: z.number() }).optional()
})
export type HostView = z.infer<typeof HostView>

/** What is shown of a host that says what no host can: its name and the reason, and its VMs, each for itself. */
export function hostInstead(host: HostView): HostView {
  const { name, address, user, port, addedAt } = host
  const vms = host.vms.slice(0, MOST.vms).map(fittingVm)
  const { error } = HostView.safeParse({ ...host, vms })
  if (error === undefined) return { ...host, vms }
  return {
    name,
    address,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
    addedAt,
    state: 'down',
    failure: { kind: 'bad-output', what: `the look at ${name}`, detail: shorten(z.prettifyError(error), 300) },
    vms
  }
}

function fittingVm(vm: VmView): VmView {
  const { error } = VmView.safeParse(vm)
  if (error === undefined) return vm
  const because = shorten(z.prettifyError(error).replaceAll(/\s+/g, ' '), 300)
  return {
    uuid: vm.uuid,
    name: shorten(vm.name, MOST.name),
    state: 'no state',
    ramBytes: 0,
    vcpus: 0,
    autostart: false,
    agent: 'absent',
    disks: [],
    limits: [`What its host says of it makes no sense, and is not shown: ${because}`]
  }
}

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
  vmNames: z.array(Name).max(MOST.vms).readonly()
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
