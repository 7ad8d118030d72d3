import { existsSync } from 'node:fs'
import { fail } from '../shared/failure.ts'
import type { Shell } from '../shared/shell.ts'
import { commandFailed, virsh } from './virsh.ts'

export interface HostVersions {
  readonly libvirt: string
  readonly qemu: string
}

/** Of the running libvirt and of the QEMU that it would start. */
export async function hostVersions(shell: Shell): Promise<HostVersions> {
  return parseVersions((await virsh(shell, ['version'])).stdout)
}

export function parseVersions(text: string): HostVersions {
  const libvirt = /^Using library: libvirt ([\d.]+)$/m.exec(text)?.[1]
  const qemu = /^Running hypervisor: QEMU ([\d.]+)$/m.exec(text)?.[1]
  if (libvirt === undefined) return fail({ kind: 'bad-output', what: 'virsh version', detail: text.slice(0, 200) })
  return { libvirt, qemu: qemu ?? '' }
}

/** Part of what `parseDomain` reads. */
export interface MachineKind {
  /** `kvm`, `qemu` */
  readonly virtType: string
  readonly arch: string
  readonly machine: string
}

/** Whether this host can run a guest of this machine type at all. KVM without `/dev/kvm` counts as no. */
export async function machineIsSupported(shell: Shell, kind: MachineKind): Promise<boolean> {
  return (await domainCapabilities(shell, kind)) !== undefined
}

/** XML of what this host offers to such a guest, or undefined if it cannot run it. */
export async function domainCapabilities(shell: Shell, kind: MachineKind): Promise<string | undefined> {
  const { virtType, arch, machine } = kind
  const result = await virsh(
    shell,
    ['domcapabilities', '--virttype', virtType, '--arch', arch, '--machine', machine],
    { expect: [0, 1] } // 1: no such machine type or emulator, or no libvirt
  )
  if (result.exitCode === 0) return result.stdout
  return /failed to get emulator capabilities/.test(result.stderr) && !/failed to connect/.test(result.stderr)
    ? undefined
    : commandFailed('virsh domcapabilities', result)
}

/** Whether a bridge or other network device of this name is on this very machine. */
export const bridgeExists = (name: string): boolean =>
  /^[^/\s]{1,15}$/.test(name) && name !== '.' && name !== '..' && existsSync(`/sys/class/net/${name}`)

/** Where libvirt keeps the state of a VM's emulated TPM. */
export const tpmFolder = (uuid: string): string => `/var/lib/libvirt/swtpm/${uuid}`
