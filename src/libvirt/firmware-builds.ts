import * as z from 'zod'
import { editDomain } from './domain-xml-edit.ts'
import { attribute, childAt, parseXml, textOf } from './xml.ts'

/** The firmware image that a definition names. */
export interface FirmwareImage {
  readonly path: string
  readonly format: string
  readonly isSecure: boolean
}

/** Undefined: it names none, or one that has no variables beside it (`rom`). */
export function firmwareIn(xml: string): FirmwareImage | undefined {
  const loader = childAt(parseXml(xml, 'domain XML').documentElement ?? undefined, 'os', 'loader')
  const path = textOf(loader)
  if (path === undefined || path === '' || attribute(loader, 'type') !== 'pflash') return undefined
  return { path, format: attribute(loader, 'format') ?? 'raw', isSecure: attribute(loader, 'secure') === 'yes' }
}

/** UEFI firmware that a host has, by one of its descriptors. */
export interface FirmwareBuild {
  readonly path: string
  readonly format: string
  /** Empty variables for it. */
  readonly template: string
  readonly isSecure: boolean
  readonly targets: readonly { readonly arch: string; readonly machines: readonly string[] }[]
}

const Image = z.object({ filename: z.string(), format: z.string().default('raw') })
const Descriptor = z.object({
  'interface-types': z.array(z.string()),
  mapping: z.object({ device: z.literal('flash'), executable: Image, 'nvram-template': Image }),
  targets: z.array(z.object({ architecture: z.string(), machines: z.array(z.string()) })),
  features: z.array(z.string()).default([])
})

/** A file of `/usr/share/qemu/firmware`. Undefined: it is of firmware without variables, or of none. Source: QEMU's docs/interop/firmware.json. */
export function parseFirmwareDescriptor(text: string): FirmwareBuild | undefined {
  const read = Descriptor.safeParse(jsonOf(text))
  if (!read.success || !read.data['interface-types'].includes('uefi')) return undefined
  const { mapping, targets, features } = read.data
  return {
    path: mapping.executable.filename,
    format: mapping.executable.format,
    template: mapping['nvram-template'].filename,
    isSecure: features.includes('requires-smm'),
    targets: targets.map(({ architecture, machines }) => ({ arch: architecture, machines }))
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether it may run this guest in place of the image that the definition names: `pc-q35-*` is a machine of a descriptor. */
export const fitsGuest = (
  build: FirmwareBuild,
  image: FirmwareImage,
  guest: { readonly arch: string; readonly machine: string }
): boolean =>
  build.isSecure === image.isSecure &&
  build.format === image.format &&
  build.targets.some(
    ({ arch, machines }) => arch === guest.arch && machines.some((pattern) => matches(pattern, guest.machine))
  )

/** An alias such as `q35` stands for the newest of `pc-q35-*`. */
function matches(pattern: string, machine: string): boolean {
  const stem = pattern.replace(/\*$/, '')
  if (pattern === machine) return true
  return pattern.endsWith('*') && (machine.startsWith(stem) || stem.split('-').includes(machine))
}

/** Another image, and the variables that a VM without any begins with. */
export function setFirmware(xml: string, { path, template }: Pick<FirmwareBuild, 'path' | 'template'>): string {
  return editDomain(xml, (root) => {
    const [loader, nvram] = ['loader', 'nvram'].map((name) => childAt(root, 'os', name))
    if (loader !== undefined) loader.textContent = path
    if (nvram?.hasAttribute('template') === true) nvram.setAttribute('template', template)
  })
}
