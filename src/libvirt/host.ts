import { readFile } from 'node:fs/promises'
import { fail } from '../shared/failure.ts'
import type { Shell } from '../shared/shell.ts'
import { commandFailed, virsh } from './virsh.ts'
import { attribute, childAt, childrenOf, parseXml, textOf } from './xml.ts'
import { wholeNumber } from './numbers.ts'

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

/** XML of what this host offers to such a guest, or undefined if it cannot run it. KVM without `/dev/kvm` counts as that. */
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

/** The program that runs a guest of this kind here, out of `domcapabilities`. */
export const emulatorIn = (capabilities: string): string | undefined =>
  textOf(childAt(parseXml(capabilities, 'domain capabilities').documentElement ?? undefined, 'path'))

/** The machine type that an alias such as `q35` stands for here, out of `domcapabilities`. */
export const machineIn = (capabilities: string): string | undefined =>
  textOf(childAt(parseXml(capabilities, 'domain capabilities').documentElement ?? undefined, 'machine'))

/** The alias of a family of machine types: `pc-q35-10.0` is a `q35`. Undefined: it has no version, so that there is no newest. */
export function machineFamily(machine: string): string | undefined {
  if (/^pc-q35-/.test(machine)) return 'q35'
  if (/^pc(-i440fx)?-/.test(machine)) return 'pc'
  const dash = machine.lastIndexOf('-')
  const version = machine.slice(dash + 1)
  return dash > 0 && /^[\w.]+$/.test(version) && /^\w*\d/.test(version) ? machine.slice(0, dash) : undefined
}

/**
 * Whether this host's QEMU can give a guest the CPU of a definition. Undefined: libvirt cannot tell. Of `host-passthrough`
 * it says yes whatever the hosts are.
 */
export async function cpuFits(shell: Shell, xmlPath: string, kind: MachineKind): Promise<boolean | undefined> {
  const { virtType, arch, machine } = kind
  const where = ['--virttype', virtType, '--arch', arch, '--machine', machine]
  const result = await virsh(shell, ['hypervisor-cpu-compare', xmlPath, ...where], { expect: [0, 1] }) // 1: it does not fit
  if (result.exitCode === 0) return true
  if (/ is incompatible with /.test(result.stdout)) return false
  return /failed to connect/.test(result.stderr) ? commandFailed('virsh hypervisor-cpu-compare', result) : undefined
}

/** User and group that QEMU of this host runs as. Undefined: libvirt does not say. */
export async function qemuOwner(
  shell: Shell,
  virtType: string
): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  const { stdout } = await virsh(shell, ['capabilities'])
  const models = childrenOf(childAt(parseXml(stdout, 'capabilities').documentElement ?? undefined, 'host'), 'secmodel')
  const dac = models.find((model) => textOf(childAt(model, 'model')) === 'dac')
  const label = childrenOf(dac, 'baselabel').find((each) => attribute(each, 'type') === virtType)
  const [, uid, gid] = /^\+(\d+):\+(\d+)$/.exec(textOf(label) ?? '') ?? []
  return uid === undefined ? undefined : { uid: wholeNumber(uid, 0), gid: wholeNumber(gid, 0) }
}

const QEMU_CONF = '/etc/libvirt/qemu.conf'

/** Whether libvirt gives images to QEMU while a VM runs. Its own default, unless the host's settings say no. */
export async function ownershipIsDynamic(): Promise<boolean> {
  const settings = await readFile(QEMU_CONF, 'utf8').catch(() => '')
  return [...settings.matchAll(/^[ \t]*dynamic_ownership[ \t]*=[ \t]*(\d+)/gm)].at(-1)?.[1] !== '0'
}

/** Where libvirt keeps the state of a VM's emulated TPM. */
export const tpmFolder = (uuid: string): string => `/var/lib/libvirt/swtpm/${uuid}`
