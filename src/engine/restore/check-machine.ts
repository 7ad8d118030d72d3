import { existsSync } from 'node:fs'
import * as z from 'zod'
import type { Shell } from '../../shared/shell.ts'
import type { DomainXml } from '../../libvirt/domain-xml.ts'
import { cpuFits, domainCapabilities, emulatorIn } from '../../libvirt/host.ts'
import { hostCpuModel } from '../host-facts.ts'
import { withXmlFile } from '../jobs/xml-file.ts'
import type { Checklist } from './checklist.ts'

/** Whether this host can run such a guest at all. Answers the program that runs it here, where that is another one. */
export async function checkMachine(shell: Shell, domain: DomainXml, list: Checklist): Promise<string | undefined> {
  const capabilities = await domainCapabilities(shell, domain)
  if (capabilities !== undefined) list.ok('machine type', `${domain.machine} is known here`)
  else
    list.problem(
      'machine type',
      `this host's QEMU does not know machine type ${domain.machine}`,
      'install a QEMU that does, or restore to another host'
    )
  if (isMissing(domain.loader))
    list.problem(
      'firmware',
      `the firmware ${domain.loader} is not here`,
      'install the package that has it (ovmf, edk2-ovmf), or restore to another host'
    )
  return capabilities === undefined ? undefined : otherEmulator(domain, capabilities, list)
}

function otherEmulator({ emulator }: DomainXml, capabilities: string, list: Checklist): string | undefined {
  if (!isMissing(emulator)) return undefined
  const here = emulatorIn(capabilities)
  if (here === undefined)
    list.problem('emulator', `the program ${emulator} is not here`, 'install it, or restore to another host')
  else list.warning('emulator', `The program ${emulator} is not here: ${here} runs the VM`)
  return here
}

const isMissing = (path: string | undefined): path is string => path?.startsWith('/') === true && !existsSync(path)

const HostFile = z.object({ cpuModel: z.string() })

/** The CPU by the point's `host.json`. Undefined: it cannot be read there. */
function cpuModelIn(host: string): string | undefined {
  try {
    const { cpuModel } = HostFile.parse(JSON.parse(host))
    return cpuModel === '' ? undefined : cpuModel
  } catch {
    return undefined
  }
}

/**
 * Why RAM must not be resumed on the CPU of this host; undefined if it may be. A guest that goes on without a feature that
 * it has found at its boot dies later, of anything. `definition`: that of the RAM.
 */
export async function processorMisfit(
  shell: Shell,
  { domain, definition, host }: { domain: DomainXml; definition: string; host: string },
  list: Checklist
): Promise<string | undefined> {
  const [here, there] = [await hostCpuModel(), cpuModelIn(host)]
  const isSame = here !== undefined && here === there
  if (domain.virtType === 'kvm' && ['host-passthrough', 'maximum'].includes(domain.cpu.mode ?? '')) {
    if (isSame) list.ok('processor', `the same as the point's: ${here}`)
    return isSame
      ? undefined
      : `RAM of a VM with the CPU of its host (${there ?? 'unknown'}) does not fit ${here ?? 'this one'}`
  }
  const fits = isSame || (await withXmlFile(definition, domain.uuid, (path) => cpuFits(shell, path, domain)))
  if (fits === true) list.ok('processor', 'it has all that the VM was given')
  if (fits === undefined)
    list.warning('processor', 'libvirt cannot tell whether the CPU of this host has all that the VM was given')
  return fits === false ? 'the CPU of this host lacks something that the VM was given' : undefined
}
