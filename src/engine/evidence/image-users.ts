import { existsSync, type BigIntStats } from 'node:fs'
import { open, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { parseQcow2Header, QCOW2_HEADER_BYTES, type Qcow2Header } from '../../shared/qcow2-header.ts'
import type { Shell } from '../../shared/shell.ts'
import { isDrive, isThrownAway, parseDomain, type DomainXml, type XmlDisk } from '../../libvirt/domain-xml.ts'
import { listNamedDomains, parseDomainInfo, type NamedDomain } from '../../libvirt/domains.ts'
import { managedSavePath, managedSaveXml } from '../../libvirt/save-image.ts'
import { namesOf, snapshotDefinitions } from '../../libvirt/snapshot.ts'
import { saysUnknownDomain, virshBatch, type BatchAnswer } from '../../libvirt/virsh.ts'
import { volumePath } from '../../libvirt/volumes.ts'
import type { Mount } from '../room/file-systems.ts'
import { fdInfo, mayBe, MountsSeen } from './open-files.ts'

/** A definition, chain or state of a VM of this host that needs a file. */
export interface ImageUser {
  readonly uuid: string
  readonly vm: string
  /** Where it is named: `running definition`, `definition`, `managed save image`, `snapshot s1`, `definition, below PATH`. */
  readonly by: string
  /** It lies below another image, which names it and outlives its VM's run. */
  readonly isBase?: boolean
  /** Only the header of an image says so, which whoever writes that image can write: it shows nothing but a need. */
  readonly byHeader?: boolean
  /** No image that the VM writes to: a medium in a drive, a disk that it may only read, its firmware's variables. */
  readonly as?: 'medium' | 'firmware'
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
    const real = await resolvedPath(path)
    users.set(real, [...(users.get(real) ?? []), user])
  }
  for (const { uuid, name: vm, definitions, snapshots } of await allVms(shell)) {
    for (const { by, domain } of definitions) {
      const media = new Set(domain.disks.flatMap((disk) => (isRead(disk) ? [disk.source] : [])))
      for (const path of domain.allSources)
        await add(path, { uuid, vm, by, ...(media.has(path) && { as: 'medium' as const }) })
      for (const disk of domain.disks) {
        const { source = '', volume } = disk
        const image = volume === undefined ? source : ((await volumePath(shell, volume)) ?? source)
        if (image !== source) await add(image, { uuid, vm, by, ...(isRead(disk) && { as: 'medium' as const }) })
        // What begins a raw disk its guest writes: QEMU reads no header there, and neither may we.
        for (const [depth, path] of (disk.format === 'raw' ? [] : await chainBelow(image)).entries())
          await add(path, { uuid, vm, by: `${by}, below ${image}`, isBase: isLastingBase(disk, depth), byHeader: true })
      }
      if (domain.nvram !== undefined) await add(domain.nvram.path, { uuid, vm, by, as: 'firmware' })
    }
    for (const { name, files } of snapshots)
      for (const path of files) await add(path, { uuid, vm, by: `snapshot ${name}` })
  }
  return users
}

const isRead = (disk: XmlDisk): boolean => disk.readOnly || isDrive(disk)

/** What is right below an overlay that goes with its VM's run is the VM's own image, and nobody's base. */
const isLastingBase = (disk: XmlDisk, depth: number): boolean => depth > 0 || !isThrownAway(disk)

/** Who needs this file, other than the VM that is left out. */
export async function usersOf(users: ImageUsers, path: string, but?: string): Promise<readonly ImageUser[]> {
  return (users.get(await resolvedPath(path)) ?? []).filter(({ uuid }) => uuid !== but)
}

/** What is not there is named by its folder: its file system may be away, and somebody still needs it. */
export async function resolvedPath(path: string): Promise<string> {
  if (!path.startsWith('/')) return path
  const inFolder = async (): Promise<string> => join(await realpath(dirname(path)), basename(path))
  return realpath(path).catch(() => inFolder().catch(() => path))
}

interface VmNeeds extends NamedDomain {
  readonly definitions: readonly { readonly by: string; readonly xml: string; readonly domain: DomainXml }[]
  readonly snapshots: readonly { readonly name: string; readonly xml: string; readonly files: readonly string[] }[]
}

/** One question to libvirt for all VMs; only those with saved RAM or snapshots are asked more. */
export async function allVms(shell: Shell): Promise<VmNeeds[]> {
  const named = await listNamedDomains(shell)
  const questions = named.flatMap(({ uuid }) => questionsOf(uuid))
  const answers = await virshBatch(shell, questions)
  const vms: VmNeeds[] = []
  for (const [index, vm] of named.entries()) {
    const answered = answers.slice(index * QUESTIONS, (index + 1) * QUESTIONS)
    if (!answered.some(({ stderr }) => saysUnknownDomain(stderr))) vms.push(await needsOf(shell, vm, answered))
  }
  return vms
}

const QUESTIONS = 4
const questionsOf = (uuid: string): [string, ...string[]][] => [
  ['dominfo', uuid],
  ['dumpxml', uuid],
  ['dumpxml', uuid, '--inactive'],
  ['snapshot-list', uuid, '--name']
]

async function needsOf(shell: Shell, vm: NamedDomain, answers: readonly BatchAnswer[]): Promise<VmNeeds> {
  const [info = '', live = '', next = '', snapshots = ''] = answers.map(({ stdout, stderr, failed }) =>
    failed ? fail({ kind: 'command-failed', command: `virsh dumpxml ${vm.uuid}`, exitCode: 1, stderr }) : stdout
  )
  // libvirt does not know of one that was put back while it ran, and starts from it all the same.
  const isSaved = parseDomainInfo(info).managedSave || existsSync(managedSavePath(vm.name))
  const saved = isSaved ? await managedSaveXml(shell, vm.uuid) : undefined
  const definitions = [
    { by: 'running definition', xml: live },
    { by: 'definition', xml: next },
    ...(saved === undefined ? [] : [{ by: 'managed save image', xml: saved }])
  ]
  return {
    ...vm,
    definitions: definitions.map(({ by, xml }) => ({ by, xml, domain: parseDomain(xml) })),
    snapshots: namesOf(snapshots.trim()).length === 0 ? [] : await snapshotDefinitions(shell, vm.uuid)
  }
}

const DEEPEST_CHAIN = 200

/** Whether an image is this one, or needs it as one below it. */
export async function restsOn(image: string | undefined, path: string): Promise<boolean> {
  if (image === undefined) return false
  if (image === path) return true
  const chain = await Promise.all([image, ...(await chainBelow(image))].map(resolvedPath))
  return chain.includes(await resolvedPath(path))
}

/** Images below one of this host, by their own headers. What cannot be read shows nothing of any other. */
async function chainBelow(image: string): Promise<string[]> {
  const chain: string[] = []
  for (let at: string | undefined = image; at !== undefined && chain.length < DEEPEST_CHAIN;) {
    const below: Below | undefined = at.startsWith('/') ? await backingFileOf(at) : undefined
    if (below !== undefined) chain.push(below.path)
    at = below?.isRaw === true ? undefined : below?.path
  }
  return chain
}

/**
 * The first image from this one down, as far as another of which it is known what lies below it, that cannot be read: it may
 * rest on any other. Undefined: there is none.
 */
export async function unreadFrom(image: string, known: string): Promise<string | undefined> {
  for (const at of [image, ...(await chainBelow(image))]) {
    if ((await resolvedPath(at)) === (await resolvedPath(known))) return undefined
    if (at.startsWith('/') && !(await canBeRead(at))) return at
  }
  return undefined
}

const canBeRead = (path: string): Promise<boolean> =>
  readBackingFile(path).then(
    () => true,
    () => false
  )

/** A raw image has no header, whatever it begins with. */
interface Below {
  readonly path: string
  readonly isRaw: boolean
}

const backingFileOf = (path: string): Promise<Below | undefined> => readBackingFile(path).catch(() => undefined)

/** @throws where the image is not there, or cannot be read */
async function readBackingFile(path: string): Promise<Below | undefined> {
  const stats = await stat(path)
  if (!(stats.isFile() || stats.isBlockDevice())) return undefined
  const header = await qcow2HeaderAt(path)
  const written = header?.backingFile
  if (written === undefined || /^[a-z+]+:/.test(written)) return undefined
  return { path: resolve(dirname(path), written), isRaw: header?.backingFormat === 'raw' }
}

/** Undefined: it does not begin as a qcow2 image. @throws where it is not there, or begins as one and makes no sense */
export const qcow2HeaderAt = async (path: string): Promise<Qcow2Header | undefined> =>
  parseQcow2Header(await firstBytes(path))

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const bytes = Buffer.alloc(QCOW2_HEADER_BYTES)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** A process of this host that has a file open. */
export interface Opener {
  readonly pid: number
  readonly program: string
  /** By how it opened the file; one that only reads leaves it as it is. */
  readonly writes: boolean
}

/**
 * Processes of this host that have the file open, whatever libvirt knows of them: a transient VM, one that was forgotten,
 * a copy by hand. Our own processes count too.
 */
export async function openersOf(path: string): Promise<Opener[]> {
  const file = await stat(path, { bigint: true }).catch(() => undefined)
  if (file === undefined) return []
  const openers: Opener[] = []
  const mounts = new MountsSeen()
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const fds = await descriptorsOf(pid, file, await mounts.by(pid))
    if (fds.length === 0) continue
    openers.push({ pid: Number(pid), program: await programOf(pid), writes: fds.some((fd) => isForWriting(pid, fd)) })
  }
  return openers
}

/** A block device may have more than one node. */
const isSameFile = (a: BigIntStats, b: BigIntStats): boolean =>
  a.isBlockDevice() ? b.isBlockDevice() && a.rdev === b.rdev : a.ino === b.ino && a.dev === b.dev

async function descriptorsOf(pid: string, file: BigIntStats, mounts: readonly Mount[]): Promise<string[]> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const found: string[] = []
  for (const fd of fds) {
    if (!mayBe(file, fdInfo(pid, fd), mounts)) continue
    const opened = await stat(`/proc/${pid}/fd/${fd}`, { bigint: true }).catch(() => undefined)
    if (opened !== undefined && isSameFile(opened, file)) found.push(fd)
  }
  return found
}

/** The last octal digit of the flags is how it was opened: 0 for reading only. What cannot be read may be for writing. */
const isForWriting = (pid: string, fd: string): boolean => !/^flags:\s+[0-7]*[04]$/m.test(fdInfo(pid, fd))

const programOf = (pid: string): Promise<string> =>
  readlink(`/proc/${pid}/exe`).then(
    (path) => path.split('/').at(-1) ?? path,
    () => 'a process'
  )
