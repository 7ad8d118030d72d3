import type { BigIntStats } from 'node:fs'
import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import { isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml, listNamedDomains } from '../../libvirt/domains.ts'
import { managedSaveXml } from '../../libvirt/save-image.ts'
import { snapshotDefinitions } from '../../libvirt/snapshot.ts'
import { imageChain } from '../../libvirt/qemu-img.ts'

/** A definition, chain or state of a VM of this host that needs a file. */
export interface ImageUser {
  readonly uuid: string
  readonly vm: string
  /** Where it is named: `running definition`, `definition`, `managed save image`, `snapshot s1`, `backing chain of PATH`. */
  readonly by: string
}

/** Who needs which file, by the file's resolved path. */
export type ImageUsers = ReadonlyMap<string, readonly ImageUser[]>

/**
 * Every file that any VM of this host needs: by its running and its next definition, by a managed save image, by an
 * external snapshot, and by what lies below each of those images. A libvirt that does not answer is an error, never
 * "nobody".
 */
export async function imageUsers(shell: Shell): Promise<ImageUsers> {
  const users = new Map<string, ImageUser[]>()
  const add = async (path: string, user: ImageUser): Promise<void> => {
    const real = await resolved(path)
    users.set(real, [...(users.get(real) ?? []), user])
  }
  for (const { uuid, name: vm } of await listNamedDomains(shell)) {
    for (const { by, domain } of await definitionsOf(shell, uuid)) {
      for (const path of domain.allSources) await add(path, { uuid, vm, by })
      for (const { source, format } of domain.disks)
        for (const path of await below(shell, source, format))
          await add(path, { uuid, vm, by: `${by}, below ${source ?? ''}` })
      if (domain.nvram !== undefined) await add(domain.nvram.path, { uuid, vm, by })
    }
    for (const { name, files } of await snapshotDefinitions(shell, uuid))
      for (const path of files) await add(path, { uuid, vm, by: `snapshot ${name}` })
  }
  return users
}

/** Who needs this file, other than the VM that is left out. */
export async function usersOf(users: ImageUsers, path: string, but?: string): Promise<readonly ImageUser[]> {
  return (users.get(await resolved(path)) ?? []).filter(({ uuid }) => uuid !== but)
}

const resolved = (path: string): Promise<string> => realpath(path).catch(() => path)

/** The definitions of a VM. One that goes while it is asked is asked for nothing more. */
async function definitionsOf(shell: Shell, uuid: string): Promise<{ by: string; domain: DomainXml }[]> {
  const state = await domainState(shell, uuid)
  if (state === undefined) return []
  const isActive = state.state !== 'shut off'
  const saved = await managedSaveXml(shell, uuid)
  return [
    ...(isActive ? [{ by: 'running definition', xml: await domainXml(shell, uuid) }] : []),
    { by: 'definition', xml: await domainXml(shell, uuid, { inactive: true }) },
    ...(saved === undefined ? [] : [{ by: 'managed save image', xml: saved }])
  ].map(({ by, xml }) => ({ by, domain: parseDomain(xml) }))
}

/** Images below one that lies on this host. What cannot be read any more shows nothing of any other. */
async function below(shell: Shell, source: string | undefined, format: string): Promise<string[]> {
  if (format !== 'qcow2' || source?.startsWith('/') !== true) return []
  try {
    return (await imageChain(shell, source, { format })).slice(1).map(({ path }) => path)
  } catch (error) {
    if (isFailure(error, 'command-failed', 'bad-output')) return []
    throw error
  }
}

/** A process of this host that has a file open, by descriptor or as a block device. */
export interface Opener {
  readonly pid: number
  readonly program: string
}

/**
 * Processes of this host that have the file open, whatever libvirt knows of them: a transient VM, one that was forgotten,
 * a copy by hand. Our own processes count too.
 */
export async function openersOf(path: string): Promise<Opener[]> {
  const file = await stat(path, { bigint: true }).catch(() => undefined)
  if (file === undefined) return []
  const openers: Opener[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (await hasOpen(pid, file)) openers.push({ pid: Number(pid), program: await programOf(pid) })
  }
  return openers
}

/** A block device may have more than one node. */
const isSameFile = (a: BigIntStats, b: BigIntStats): boolean =>
  a.isBlockDevice() ? b.isBlockDevice() && a.rdev === b.rdev : a.ino === b.ino && a.dev === b.dev

async function hasOpen(pid: string, file: BigIntStats): Promise<boolean> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
  for (const fd of fds) {
    const opened = await stat(`/proc/${pid}/fd/${fd}`, { bigint: true }).catch(() => undefined)
    if (opened !== undefined && isSameFile(opened, file)) return true
  }
  return false
}

const programOf = (pid: string): Promise<string> =>
  readlink(`/proc/${pid}/exe`).then(
    (path) => path.split('/').at(-1) ?? path,
    () => 'a process'
  )
