import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Shell } from '../shared/shell.ts'
import { parseDomain, type DomainXml } from '../libvirt/domain-xml.ts'
import { hostVersions } from '../libvirt/host.ts'
import { networkXml } from '../libvirt/networks.ts'
import { listSecrets, secretNamed, type Secret } from '../libvirt/secrets.ts'

export const bootId = async (): Promise<string> => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()

export interface HostIdentity {
  readonly hostname: string
  readonly machineId: string
  readonly libvirt: string
  readonly qemu: string
}

export async function hostIdentity(shell: Shell): Promise<HostIdentity> {
  return { hostname: hostname(), machineId: await machineId(), ...(await hostVersions(shell)) }
}

/** As the kernel calls it. Undefined: it does not say. */
export async function hostCpuModel(): Promise<string | undefined> {
  return /^model name\s*: (.+)$/m.exec(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''))?.[1]
}

export const machineId = async (): Promise<string> => (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim()

/** `host.json`: what a rebuilt host must have for this VM. */
export interface HostFacts extends HostIdentity {
  readonly cpuModel: string
  readonly networks: readonly { readonly name: string; readonly xml: string }[]
  readonly bridges: readonly string[]
  /** Which secrets its encrypted disks need. What they are is in no point. */
  readonly secrets: readonly Secret[]
}

/** `definitions`: of the VM as it runs and as it starts next, since their network cards may differ. */
export async function hostFacts(shell: Shell, definitions: readonly string[]): Promise<HostFacts> {
  const domains = definitions.map(parseDomain)
  const interfaces = domains.flatMap((domain) => domain.interfaces)
  const names = [
    ...new Set(interfaces.flatMap(({ type, source }) => (type === 'network' && source !== undefined ? [source] : [])))
  ]
  const networks = await Promise.all(names.map(async (name) => ({ name, xml: await networkXml(shell, name) })))
  return {
    ...(await hostIdentity(shell)),
    cpuModel: (await hostCpuModel()) ?? '',
    networks: networks.flatMap(({ name, xml }) => (xml === undefined ? [] : [{ name, xml }])),
    bridges: [
      ...new Set(interfaces.flatMap(({ type, source }) => (type === 'bridge' && source !== undefined ? [source] : [])))
    ],
    secrets: await neededSecrets(shell, domains)
  }
}

async function neededSecrets(shell: Shell, domains: readonly DomainXml[]): Promise<Secret[]> {
  const names = new Set(
    domains.flatMap(({ disks, tpmSecrets }) => [...disks.flatMap(({ secrets }) => secrets), ...tpmSecrets])
  )
  const here = names.size === 0 ? [] : await listSecrets(shell)
  return [...names].flatMap((name) => secretNamed(here, name) ?? [])
}
