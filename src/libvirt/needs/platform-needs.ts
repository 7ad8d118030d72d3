import type { Element } from '@xmldom/xmldom'
import { attribute, elementsIn } from '../xml.ts'
import type { FileNeed } from './need.ts'
import { readLabels, readSecrets } from './pieces.ts'
import { each, type Reading } from './reading.ts'
import { bytesOf } from '../sizes.ts'
import { wholeNumber } from '../numbers.ts'

/** Everything but devices: machine, firmware, processor, memory, where it may run and as whom. */
export function readPlatform(reading: Reading, domain: Element): void {
  for (const os of each(domain, 'os')) readOs(reading, domain, os)
  readProcessor(reading, domain)
  readMemory(reading, domain)
  readPins(reading, domain)
  readLabels(reading, domain)
  readPrivileges(reading, domain)
  for (const partition of each(domain, 'resource', 'partition'))
    reading.add(partition, { kind: 'partition', path: reading.text(partition) ?? '' })
  for (const security of each(domain, 'launchSecurity')) {
    reading.add(security, { kind: 'feature', what: 'launch security', name: attribute(security, 'type') ?? '' })
    // Keys and certificates; what is no text of its own is not passed over.
    for (const part of elementsIn(security)) reading.text(part)
  }
  for (const loader of each(domain, 'bootloader'))
    reading.add(loader, { kind: 'program', what: 'boot loader', path: reading.text(loader) ?? '' })
  for (const name of ['title', 'description', 'name', 'uuid', 'genid', 'clock', 'metadata', 'bootloader_args'])
    for (const plain of each(domain, name)) reading.plainAll(plain)
  for (const information of each(domain, 'sysinfo')) readSystemInformation(reading, information)
  for (const device of each(domain, 'blkiotune', 'device', 'path'))
    reading.add(device, { kind: 'device', bus: 'limit', id: reading.text(device) ?? '' })
}

/** What it may do on the host that others may not. */
function readPrivileges(reading: Reading, domain: Element): void {
  for (const action of each(domain, 'on_crash'))
    if (reading.text(action)?.startsWith('coredump') === true)
      reading.add(action, { kind: 'privilege', what: 'dumps of its memory' })
  for (const tune of each(domain, 'cputune'))
    for (const threads of elementsIn(tune)) {
      const scheduler = reading.attribute(threads, 'scheduler')
      // One that is never put aside can stop a processor of the host.
      if (scheduler === 'fifo' || scheduler === 'rr')
        reading.add(threads, { kind: 'privilege', what: `real-time scheduling ${scheduler}` })
    }
  for (const name of ['cachetune', 'memorytune'])
    for (const tune of each(domain, 'cputune', name))
      reading.add(tune, { kind: 'privilege', what: 'a part of the processors for itself (resctrl)' })
  for (const smbios of each(domain, 'os', 'smbios'))
    if (reading.attribute(smbios, 'mode') === 'host')
      reading.add(smbios, { kind: 'privilege', what: 'serial numbers of this host' })
}

function readOs(reading: Reading, domain: Element, os: Element): void {
  for (const type of each(os, 'type'))
    reading.add(type, {
      kind: 'machine',
      type: reading.attribute(domain, 'type') ?? 'kvm',
      arch: reading.attribute(type, 'arch') ?? '',
      machine: reading.attribute(type, 'machine') ?? ''
    })
  readFirmware(reading, os)
  for (const [name, what] of BOOT_FILES) for (const file of each(os, name)) readPath(reading, file, what)
  for (const table of each(os, 'acpi', 'table')) readPath(reading, table, 'ACPI table')
  for (const boot of each(os, 'boot')) reading.plain(boot, 'dev')
  for (const words of each(os, 'cmdline')) reading.text(words)
  for (const init of each(os, 'init'))
    reading.add(init, { kind: 'program', what: 'init', path: reading.text(init) ?? '' })
}

const BOOT_FILES: readonly (readonly [string, FileNeed['what']])[] = [
  ['kernel', 'kernel'],
  ['initrd', 'initrd'],
  ['shim', 'kernel'],
  ['dtb', 'device tree']
]

function readPath(reading: Reading, at: Element, what: FileNeed['what']): void {
  const path = reading.text(at)
  if (path !== undefined) reading.add(at, { kind: 'file', what, path, writes: false })
}

function readFirmware(reading: Reading, os: Element): void {
  const automatic = reading.attribute(os, 'firmware')
  if (automatic !== undefined)
    reading.add(os, { kind: 'firmware', what: 'automatic', path: automatic, format: undefined, type: 'file' })
  for (const loader of each(os, 'loader')) {
    const [path, format] = [reading.text(loader), reading.attribute(loader, 'format')]
    const [readOnly, type] = [reading.attribute(loader, 'readonly'), reading.attribute(loader, 'type')]
    // Flash memory is writable unless it is said otherwise.
    const writes = readOnly === 'no' || (type === 'pflash' && readOnly !== 'yes')
    if (path !== undefined) reading.add(loader, { kind: 'firmware', what: 'image', path, format, type: 'file', writes })
  }
  for (const nvram of each(os, 'nvram')) readVariables(reading, nvram)
}

function readVariables(reading: Reading, nvram: Element): void {
  const format = reading.attribute(nvram, 'format')
  const template = reading.attribute(nvram, 'template')
  const templateFormat = reading.attribute(nvram, 'templateFormat')
  if (template !== undefined)
    reading.add(nvram, { kind: 'firmware', what: 'template', path: template, format: templateFormat, type: 'file' })
  const type = reading.attribute(nvram, 'type') ?? 'file'
  const sources = each(nvram, 'source')
  for (const source of sources) {
    readLabels(reading, source)
    readSecrets(reading, source)
    const path = variablesAt(reading, source, type)
    reading.add(source, { kind: 'firmware', what: 'variables', path, format, type })
  }
  const path = sources.length === 0 ? reading.text(nvram) : undefined
  if (path !== undefined) reading.add(nvram, { kind: 'firmware', what: 'variables', path, format, type })
}

/** Which attribute counts depends on the type alone. */
function variablesAt(reading: Reading, source: Element, type: string): string {
  if (type === 'file') return reading.attribute(source, 'file') ?? ''
  const others = ['dev', 'path', 'dir', 'protocol', 'name', 'pool', 'volume']
  return others.flatMap((name) => reading.attribute(source, name) ?? []).join(':')
}

function readProcessor(reading: Reading, domain: Element): void {
  const [cpu] = each(domain, 'cpu')
  const vcpus = wholeNumber(reading.text(each(domain, 'vcpu')[0]), 1)
  const features = each(cpu, 'feature')
    .filter((feature) => ['force', 'require'].includes(attribute(feature, 'policy') ?? 'require'))
    .map((feature) => attribute(feature, 'name') ?? '')
  reading.add(cpu ?? domain, {
    kind: 'cpu',
    mode: attribute(cpu, 'mode') ?? 'custom',
    model: reading.text(each(cpu, 'model')[0]),
    vcpus,
    features
  })
}

function readMemory(reading: Reading, domain: Element): void {
  const [memory] = each(domain, 'memory')
  const pages = each(domain, 'memoryBacking', 'hugepages')
  const sizes = pages.flatMap((huge) => {
    const said = each(huge, 'page').map((page) => bytesOf(attribute(page, 'size'), attribute(page, 'unit')))
    return said.length === 0 ? [0] : said
  })
  reading.add(memory ?? domain, {
    kind: 'memory',
    bytes: bytesOf(reading.text(memory), attribute(memory, 'unit')),
    hugePages: sizes,
    source: attribute(each(domain, 'memoryBacking', 'source')[0], 'type')
  })
  if (each(domain, 'memoryBacking', 'locked').length > 0)
    reading.add(memory ?? domain, { kind: 'privilege', what: 'locked memory' })
}

/** What is bound to processors or nodes of the host; nodes inside of the guest are its own. */
function readPins(reading: Reading, domain: Element): void {
  const places = [
    ...each(domain, 'vcpu'),
    ...['vcpupin', 'emulatorpin', 'iothreadpin'].flatMap((name) => each(domain, 'cputune', name))
  ]
  for (const at of places) {
    const set = reading.attribute(at, 'cpuset')
    if (set !== undefined) reading.add(at, { kind: 'pin', what: 'cpus', set })
  }
  for (const at of ['memory', 'memnode'].flatMap((name) => each(domain, 'numatune', name))) {
    const set = reading.attribute(at, 'nodeset')
    if (set !== undefined) reading.add(at, { kind: 'pin', what: 'nodes', set })
  }
}

/** What the guest is told of its machine; firmware configuration may be read from a file. */
function readSystemInformation(reading: Reading, information: Element): void {
  for (const entry of each(information, 'entry')) {
    reading.plain(entry, 'name', '#text')
    const path = reading.attribute(entry, 'file')
    if (path !== undefined) reading.add(entry, { kind: 'file', what: 'firmware configuration', path, writes: false })
  }
  for (const part of ['bios', 'system', 'baseBoard', 'chassis', 'processor', 'memory_device', 'oemStrings'])
    for (const at of each(information, part)) reading.plainAll(at)
}
