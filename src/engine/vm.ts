import { rm, writeFile } from 'node:fs/promises'
import { mkdirSync } from 'node:fs'
import { JOBS_DIR } from '../shared/host-paths.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { restoreDiskSource } from '../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../libvirt/domain-xml.ts'
import { defineDomain, domainInfo, domainState, domainXml } from '../libvirt/domains.ts'

/** What the running VM writes to. Undefined while it is off or unknown. */
export async function liveDiskSource(shell: Shell, vm: Uuid, target: string): Promise<string | undefined> {
  return (await isActive(shell, vm)) ? sourceOf(await domainXml(shell, vm), target) : undefined
}

/** What the VM would start with. Undefined if it has no definition of its own. */
export async function definedDiskSource(shell: Shell, vm: Uuid, target: string): Promise<string | undefined> {
  return (await isPersistent(shell, vm)) ? sourceOf(await domainXml(shell, vm, { inactive: true }), target) : undefined
}

/** The VM starts with this disk as `former` has it, an earlier definition; the rest stays as it is now. */
export async function redefineDisk(shell: Shell, vm: Uuid, target: string, former: string): Promise<void> {
  const xml = await domainXml(shell, vm, { inactive: true, securityInfo: true })
  await defineFromText(shell, restoreDiskSource(xml, target, former), vm)
}

/** Defines a VM from XML text, by way of a file that only root reads. */
export async function defineFromText(shell: Shell, xml: string, name: string): Promise<void> {
  mkdirSync(JOBS_DIR, { recursive: true, mode: 0o700 })
  const path = `${JOBS_DIR}/.define-${name}-${process.pid}.xml`
  await writeFile(path, xml, { mode: 0o600 })
  try {
    await defineDomain(shell, path)
  } finally {
    await rm(path, { force: true })
  }
}

/** Every path that the VM's live or inactive definition names, backing chains included. */
export async function pathsInUse(shell: Shell, vm: Uuid): Promise<ReadonlySet<string>> {
  const texts: string[] = []
  if (await isActive(shell, vm)) texts.push(await domainXml(shell, vm))
  if (await isPersistent(shell, vm)) texts.push(await domainXml(shell, vm, { inactive: true }))
  return new Set(texts.flatMap((text) => parseDomain(text).allSources))
}

async function isActive(shell: Shell, vm: Uuid): Promise<boolean> {
  const state = await domainState(shell, vm)
  return state !== undefined && state.state !== 'shut off'
}

async function isPersistent(shell: Shell, vm: Uuid): Promise<boolean> {
  return (await domainState(shell, vm)) !== undefined && (await domainInfo(shell, vm)).persistent
}

const sourceOf = (xml: string, target: string): string | undefined =>
  parseDomain(xml).disks.find((disk) => disk.target === target)?.source
