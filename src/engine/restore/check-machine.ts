import { existsSync } from 'node:fs'
import * as z from 'zod'
import type { Shell } from '../../shared/shell.ts'
import type { DomainXml } from '../../libvirt/domain-xml.ts'
import { hasWatchdog, setEmulator, setHostCpu, setMachine, withoutWatchdog } from '../../libvirt/domain-xml-edit.ts'
import { firmwareIn, fitsGuest, setFirmware, type FirmwareBuild } from '../../libvirt/firmware-builds.ts'
import { cpuFits, domainCapabilities, emulatorIn, hostVersions, machineFamily, machineIn } from '../../libvirt/host.ts'
import { displayIn, displayOffered, spiceToVnc } from '../../libvirt/spice.ts'
import { hostCpuModel } from '../host-facts.ts'
import { withXmlFile } from '../jobs/private-files.ts'
import type { Answers, Asking } from './answers.ts'
import type { Checklist } from './checklist.ts'
import { firmwareHere, sizeOf } from './firmware-here.ts'

/** Whether this host can run such a guest at all: program, machine type, screens, CPU. */
export async function checkMachine(shell: Shell, { domain, xml }: Asking, answers: Answers): Promise<void> {
  const capabilities = await checkMachineType(shell, domain, answers)
  if (capabilities === undefined) return
  checkEmulator(domain, capabilities, answers)
  checkDisplay(xml, capabilities, answers)
  await checkWatchdog(shell, xml, answers)
  if (answers.starts) await checkCpu(shell, { domain, xml }, answers)
}

/** Answers what this host offers to a guest of the machine type that the VM gets. Undefined: it cannot run it. */
async function checkMachineType(shell: Shell, domain: DomainXml, answers: Answers): Promise<string | undefined> {
  const { list, choices } = answers
  const capabilities = await domainCapabilities(shell, domain)
  const chosen = choices.plain('host-machine')
  if (capabilities !== undefined && chosen?.isAsked !== true) {
    list.ok('machine type', `${domain.machine} is known here`)
    return capabilities
  }
  const family = machineFamily(domain.machine)
  const offered = family === undefined ? undefined : await domainCapabilities(shell, { ...domain, machine: family })
  const newest = offered === undefined ? undefined : machineIn(offered)
  if (chosen !== undefined && newest !== undefined) {
    answers.edit((xml) => setMachine(xml, newest), `its machine type is ${newest}`)
    answers.done('machine type', `${newest} takes the place of ${domain.machine}`, chosen)
    return offered
  }
  if (capabilities !== undefined) return capabilities
  list.unmet('machine type', true, {
    text: `this host's QEMU does not know machine type ${domain.machine}`,
    fix: 'install a QEMU that does, or restore to another host',
    ...(newest !== undefined && {
      choices: [{ label: `boot it as ${newest}, the newest of its family here`, choice: { kind: 'host-machine' } }]
    })
  })
  return undefined
}

function checkEmulator({ emulator }: DomainXml, capabilities: string, answers: Answers): void {
  if (!isMissing(emulator)) return
  const { list } = answers
  const here = emulatorIn(capabilities)
  if (here === undefined) {
    list.problem('emulator', `the program ${emulator} is not here`, 'install it, or restore to another host')
    return
  }
  list.warning('emulator', `The program ${emulator} is not here: ${here} runs the VM`)
  answers.edit((xml) => setEmulator(xml, here))
  answers.emulator = here
}

/** Whatever a QEMU is not built with libvirt refuses to define. */
function checkDisplay(xml: string, capabilities: string, answers: Answers): void {
  const wanted = displayIn(xml)
  if (wanted.screens.length + wanted.videoCards.length === 0) return
  const offered = displayOffered(capabilities)
  const without = (names: readonly string[], here: readonly string[] | undefined): string[] =>
    here === undefined ? [] : names.filter((name) => !here.includes(name))
  const screens = without(wanted.screens, offered.screens)
  const cards = without(wanted.videoCards, offered.videoCards)
  const chosen = answers.choices.plain('spice-to-vnc')
  const canChange = [...screens, ...cards].every((name) => name === 'spice' || name === 'qxl')
  if (screens.length + cards.length === 0 && chosen?.isAsked !== true) return
  if (chosen !== undefined && canChange) {
    const card = offered.videoCards?.includes('virtio') === false ? 'vga' : 'virtio'
    answers.edit((each) => spiceToVnc(each, card), 'its screen is VNC instead of SPICE')
    answers.done('screen', 'it has a VNC screen, and nothing of SPICE', chosen)
    return
  }
  const missing = [...screens.map((name) => `${name} screens`), ...cards.map((name) => `${name} video cards`)]
  answers.list.unmet('screen', true, {
    text: `this host's QEMU has no ${missing.join(' and no ')}`,
    fix: 'install what adds them (qemu-system-modules-spice), or restore to another host',
    ...(canChange && { choices: [{ label: 'give it a VNC screen instead', choice: { kind: 'spice-to-vnc' } }] })
  })
}

/** Since 9.1 libvirt writes this one into every q35, where it is anyway; an older libvirt does not know the word. */
async function checkWatchdog(shell: Shell, xml: string, answers: Answers): Promise<void> {
  if (!hasWatchdog(xml, 'itco')) return
  const { libvirt } = await hostVersions(shell)
  const [major = 0, minor = 0] = libvirt.split('.').map(Number)
  if (major > 9 || (major === 9 && minor >= 1)) return
  answers.edit((each) => withoutWatchdog(each, 'itco'), 'its watchdog is left out')
  answers.list.warning('devices', `The watchdog itco is left out: libvirt ${libvirt} of this host does not know it`)
}

/** libvirt compares the CPU before a start too, unless the definition says not to. */
async function checkCpu(shell: Shell, { domain, xml }: Asking, answers: Answers): Promise<void> {
  const chosen = answers.choices.plain('host-cpu')
  const isCompared = domain.cpu.model !== undefined && domain.cpu.check !== 'none'
  const isUnfit = isCompared && (await compared(shell, domain, xml)) === false
  if (!isUnfit && chosen?.isAsked !== true) return
  if (chosen !== undefined) {
    answers.edit(setHostCpu, 'its CPU is that of this host')
    answers.done('processor', 'it gets the CPU of this host', chosen)
    return
  }
  answers.unmet('processor', {
    text: `the CPU of this host lacks something that the VM insists on (${domain.cpu.model ?? 'its CPU model'})`,
    fix: 'restore to a host that has it',
    choices: [{ label: 'boot it with the CPU of this host', choice: { kind: 'host-cpu' } }]
  })
}

const compared = (shell: Shell, domain: DomainXml, definition: string): Promise<boolean | undefined> =>
  withXmlFile(definition, (path) => cpuFits(shell, path, domain))

/** Firmware of another distribution is the same at another path: the image of the same kind whose variables have the same size. */
export async function checkFirmware(
  { domain, xml }: Asking,
  variablesBytes: number | undefined,
  answers: Answers,
  buildsHere: () => Promise<FirmwareBuild[]> = firmwareHere
): Promise<void> {
  if (!isMissing(domain.loader)) return
  const { list } = answers
  const image = firmwareIn(xml)
  for (const build of image === undefined ? [] : await buildsHere()) {
    if (image === undefined || !fitsGuest(build, image, domain) || !existsSync(build.path)) continue
    const bytes = await sizeOf(build.template)
    if (bytes === undefined || (variablesBytes !== undefined && bytes !== variablesBytes)) continue
    list.warning('firmware', `The firmware ${domain.loader} is not here: ${build.path}, of the same kind, runs the VM`)
    answers.edit((each) => setFirmware(each, build))
    return
  }
  list.problem(
    'firmware',
    `the firmware ${domain.loader} is not here`,
    'install the package that has it (ovmf, edk2-ovmf), or restore to another host'
  )
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
  const fits = isSame || (await compared(shell, domain, definition))
  if (fits === true) list.ok('processor', 'it has all that the VM was given')
  if (fits === undefined)
    list.warning('processor', 'libvirt cannot tell whether the CPU of this host has all that the VM was given')
  return fits === false ? 'the CPU of this host lacks something that the VM was given' : undefined
}
