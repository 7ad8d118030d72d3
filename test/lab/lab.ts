import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { trixieTree } from './debian-tree.ts'
import { guestFiles } from './guest-assets.ts'
import { LabHost, type HostBase, type HostNotes } from './host.ts'
import { claimNetwork, namespaceName, removeNetwork, type LabNetwork } from './network.ts'
import { ensurePackages, requireRoot } from './packages.ts'
import { cacheFolder, labFolder, labsFolder } from './places.ts'
import { crash, forgetContainer } from './boot.ts'
import type { QemuUser } from './root-tree.ts'
import { LabError, must } from './run.ts'

export interface LabOptions {
  /** Small letters and digits. Labs of different names run side by side. Default: lab. */
  readonly name?: string | undefined
  /** Adds hosts with Debian 13: `gamma`, or those of these names. */
  readonly trixie?: boolean | readonly string[] | undefined
  /** Names of the Debian 12 hosts. Default: alpha and beta. */
  readonly hosts?: readonly string[] | undefined
  /** As whom QEMU runs on the hosts. Default: root; `stock` is how Debian ships it. */
  readonly qemuUser?: QemuUser | undefined
  readonly say?: ((line: string) => void) | undefined
}

/** A lab that is up. */
export interface Lab {
  readonly name: string
  readonly folder: string
  /** Private key that opens root, admin and nosudo on every host. */
  readonly identityFile: string
  readonly hosts: readonly LabHost[]
  host(name: string): LabHost
  /** Takes the lab down: nothing of it stays on this machine except the cache. */
  stop(): Promise<void>
}

/** What makes a lab, written before the first host is. */
interface LabNotes {
  readonly name: string
  readonly network: LabNetwork
  readonly guestFiles: readonly string[]
  readonly hosts: readonly {
    readonly name: string
    readonly base: HostBase
    readonly lower: string
    readonly address: string
  }[]
}

/** Sets up a lab and boots its hosts side by side. Leftovers of an earlier lab of this name go first. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const name = checkedName(options.name ?? 'lab')
  const say = options.say ?? (() => undefined)
  requireRoot()
  await ensurePackages(say)
  await removeLab(name)
  const files = await guestFiles(say)
  const trixieNames = options.trixie === true ? ['gamma'] : options.trixie || []
  const trixie = trixieNames.length > 0 ? await trixieTree(say) : ''
  const plain = (options.hosts ?? ['alpha', 'beta']).map((host) => ({
    name: host,
    base: 'machine' as const,
    lower: '/'
  }))
  const debian13 = trixieNames.map((host) => ({ name: host, base: 'trixie' as const, lower: trixie }))
  mkdirSync(join(labFolder(name), 'hosts'), { recursive: true })
  await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `lab ${name}`, '-f', identityOf(name)])
  const network = await claimNetwork(name)
  const hosts = [...plain, ...debian13].map((host, index) => ({ ...host, address: `${network.prefix}.${11 + index}` }))
  writeFileSync(notesOf(name), `${JSON.stringify({ name, network, guestFiles: files, hosts }, undefined, 2)}\n`)
  const lab = attachLab(name)
  say(`booting ${hosts.map((host) => host.name).join(', ')}`)
  const booted = await Promise.allSettled(
    hosts.map((host) => lab.host(host.name).create(host.base, host.address, options.qemuUser ?? 'root'))
  )
  for (const result of booted) if (result.status === 'rejected') throw result.reason
  return lab
}

/** A lab that another process has started. */
export function attachLab(name = 'lab'): Lab {
  const folder = labFolder(checkedName(name))
  if (!existsSync(notesOf(name))) throw new LabError(`there is no lab named ${name} in ${labsFolder()}`)
  const notes = JSON.parse(readFileSync(notesOf(name), 'utf8')) as LabNotes
  const hosts = notes.hosts.map((host) => hostOf(notes, host.name, host.lower))
  const host = (wanted: string) => {
    const found = hosts.find((other) => other.name === wanted)
    if (!found) throw new LabError(`lab ${name} has no host ${wanted}, only ${hosts.map((one) => one.name).join(', ')}`)
    return found
  }
  return { name, folder, identityFile: identityOf(name), hosts, host, stop: () => removeLab(name) }
}

export function labNames(): string[] {
  if (!existsSync(labsFolder())) return []
  return readdirSync(labsFolder()).filter((name) => existsSync(join(labsFolder(), name, 'hosts')))
}

/** Removes a lab of this name in whatever state it is, also one whose start or end was cut short. */
export async function removeLab(name: string): Promise<void> {
  requireRoot()
  const folder = labFolder(checkedName(name))
  const hostsFolder = join(folder, 'hosts')
  const hosts = existsSync(hostsFolder) ? readdirSync(hostsFolder) : []
  await Promise.all(hosts.map((host) => endProcesses(name, host, join(hostsFolder, host))))
  await unmountBelow(folder)
  await removeNetwork(name)
  rmSync(folder, { recursive: true, force: true })
}

async function endProcesses(lab: string, host: string, folder: string): Promise<void> {
  const notesFile = join(folder, 'host.json')
  const notes = existsSync(notesFile) ? (JSON.parse(readFileSync(notesFile, 'utf8')) as HostNotes) : undefined
  await crash([notes?.init, notes?.supervisor], namespaceName(lab, host))
  const tree = join(folder, 'tree')
  if (existsSync(tree)) forgetContainer(namespaceName(lab, host), tree)
}

/** Unmounts the deepest first; a mount left in place would be emptied along with the folder. */
async function unmountBelow(folder: string): Promise<void> {
  const mounted = mountPointsBelow(folder)
  for (const point of mounted.toReversed()) await must(['umount', point])
  const left = mountPointsBelow(folder)
  if (left.length > 0) throw new LabError(`still mounted: ${left.join(', ')}`)
}

function mountPointsBelow(folder: string): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
  return points.filter((point) => point.startsWith(`${folder}/`))
}

function hostOf(notes: LabNotes, name: string, lower: string): LabHost {
  const folder = labFolder(notes.name)
  return new LabHost({
    lab: notes.name,
    network: notes.network,
    name,
    folder: join(folder, 'hosts', name),
    identityFile: identityOf(notes.name),
    lower,
    contents: {
      hostname: name,
      authorizedKey: readFileSync(`${identityOf(notes.name)}.pub`, 'utf8'),
      addresses: Object.fromEntries(notes.hosts.map((host) => [host.name, host.address])),
      guestFiles: notes.guestFiles,
      hidden: [labsFolder(), cacheFolder]
    }
  })
}

const identityOf = (lab: string) => join(labFolder(lab), 'id_ed25519')
const notesOf = (lab: string) => join(labFolder(lab), 'lab.json')

function checkedName(name: string): string {
  if (!/^[a-z][a-z0-9]{0,15}$/.test(name))
    throw new LabError(`a lab's name is up to 16 small letters and digits: ${name}`)
  return name
}
