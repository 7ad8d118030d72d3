import { existsSync } from 'node:fs'
import type { Shell } from '../shared/shell.ts'
import type { DomainXml } from './domain-xml.ts'
import { virsh } from './virsh.ts'

export async function hostVersions(shell: Shell): Promise<{ libvirt: string; qemu: string }> {
  const { stdout } = await virsh(shell, ['version'])
  const of = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? 'unknown'
  return { libvirt: of(/Using library: libvirt (\S+)/), qemu: of(/Running hypervisor: QEMU (\S+)/) }
}

/** True if this host's QEMU knows the machine type, for the domain's architecture, virtualisation and emulator. */
export async function machineIsSupported(shell: Shell, domain: DomainXml): Promise<boolean> {
  const args = ['domcapabilities', '--virttype', domain.virtType, '--arch', domain.arch, '--machine', domain.machine]
  const { exitCode } = await virsh(shell, args, { expect: [0, 1] })
  return exitCode === 0
}

export const bridgeExists = (name: string): boolean => /^[\w.:-]{1,15}$/.test(name) && existsSync(`/sys/class/net/${name}/bridge`)
