import { WATCH_UNIT } from '../../src/shared/host-paths.ts'
import type { LabHost } from './host.ts'
import { LOOK_SCRIPT, OURS, parseLook, type HostLook, type SeenFile, type VmState } from './host-look.ts'
import { sleep } from './run.ts'

/** How a host stood before a job: what must be so again when it is over. */
export type Baseline = HostLook

export type { VmState } from './host-look.ts'

export interface OracleOptions {
  /** Bytes that may be missing afterwards: a new point, what a guest wrote. */
  readonly roomTaken?: number
  /** VMs that the test itself has changed: nothing about them is compared. */
  readonly except?: readonly string[]
  /**
   * VMs that are what a point says, here for the first time or in place of what was: they may run or not, their images are
   * new files, and what was kept aside of them lies beside. Their definition and where its disks are is still as before.
   */
  readonly restored?: readonly string[]
  /** Complaints that a test expects and looks at by itself. */
  readonly allow?: readonly RegExp[]
}

export async function takeBaseline(host: LabHost): Promise<Baseline> {
  return look(host, [])
}

/**
 * What a job left that it must not leave, in words; empty if all invariants of a finished job hold. Units need a moment
 * to be collected, so it looks again for a few seconds before it complains.
 */
export async function leftoversOf(host: LabHost, before: Baseline, options: OracleOptions = {}): Promise<string[]> {
  const folders = new Set([...before.files.keys()].map((path) => path.replace(/\/[^/]*$/, '')))
  for (let tries = 80; ; tries--) {
    const complaints = complaintsAbout(before, await look(host, [...folders]), options)
    if (complaints.length === 0 || tries === 0) return complaints
    if (tries % 8 === 0 && complaints.every((each) => WAITS.test(each))) await hurry(host)
    await sleep(250)
  }
}

const WAITS = /^UNIT stillpoint-(recover|watch)\.timer /

/** What the host does within a minute while one of its timers waits: it looks whether all is done, and then stops them. */
const hurry = (host: LabHost): Promise<unknown> => host.run(['systemctl', 'start', WATCH_UNIT])

async function look(host: LabHost, folders: readonly string[]): Promise<HostLook> {
  return parseLook(await host.must(['bash', '-c', LOOK_SCRIPT, 'look', ...folders]))
}

/** Compares two looks at a host. */
export function complaintsAbout(before: HostLook, now: HostLook, options: OracleOptions = {}): string[] {
  const missing = now.usedBytes - before.usedBytes - (options.roomTaken ?? 64 * 1024 * 1024)
  const complaints = [
    ...now.traces,
    ...aboutVms(before, now, options),
    ...aboutFiles(before, now, options),
    ...aboutPoints(before, now),
    ...listChange('network', before.networks, now.networks),
    ...(missing > 0 ? [`room lost: ${missing} bytes`] : [])
  ]
  return complaints.filter((complaint) => options.allow?.some((allowed) => allowed.test(complaint)) !== true)
}

function aboutVms(before: HostLook, now: HostLook, { except = [], restored = [] }: OracleOptions): string[] {
  const known = before.vms.filter(({ uuid }) => !except.includes(uuid))
  const changes = known.flatMap((vm) =>
    vmChange(
      vm,
      now.vms.find(({ uuid }) => uuid === vm.uuid),
      restored.includes(vm.uuid)
    )
  )
  const isExpected = ({ uuid }: VmState): boolean =>
    except.includes(uuid) || restored.includes(uuid) || before.vms.some((vm) => vm.uuid === uuid)
  const strangers = now.vms.filter((vm) => !isExpected(vm)).map(({ uuid, name }) => `VM ${name} (${uuid}) is new`)
  return [...changes, ...strangers, ...now.vms.flatMap((vm) => pathsOfOurs(vm, now))]
}

function vmChange(before: VmState, now: VmState | undefined, isRestored: boolean): string[] {
  if (now === undefined) return [`VM ${before.name} (${before.uuid}) is gone`]
  const lasting = ['persistent', 'autostart'] as const
  const passing = ['state', 'managedSave', 'currentSnapshot'] as const
  const lists = ['snapshots', 'checkpoints'] as const
  const disks = ['liveDisks', 'definedDisks'] as const
  const isOneRun = before.runId === now.runId && before.state === now.state
  return [
    ...[...lasting, ...(isRestored ? [] : passing)].flatMap((key) =>
      change(`${key} of ${now.name}`, before[key], now[key])
    ),
    ...(isRestored ? [] : reasonChange(before, now)),
    ...[...(isRestored ? [] : lists), ...disks].flatMap((key) =>
      listChange(`${key} of ${now.name}`, before[key], now[key])
    ),
    ...listChange(`definition of ${now.name}`, before.definition, now.definition),
    ...(isOneRun ? listChange(`live definition of ${now.name}`, before.liveDefinition, now.liveDefinition) : [])
  ]
}

/** Why a VM runs changes with each pause, and a libvirtd that was restarted does not know why one is off. */
function reasonChange(before: VmState, now: VmState): string[] {
  if (before.state !== now.state || now.state === 'running' || now.reason === 'unknown') return []
  return change(`reason of ${now.name} for being ${now.state}`, before.reason, now.reason)
}

const pathsOfOurs = (vm: VmState, look: HostLook): string[] =>
  imagesOf(vm, look)
    .filter((path) => OURS.test(path))
    .map((path) => `${vm.name} uses ${path}`)

/** Every image that a VM uses now or names for its next start, with all images below. */
function imagesOf({ liveDisks, definedDisks }: VmState, { chains }: HostLook): string[] {
  const tops = [...liveDisks, ...definedDisks].map((line) => line.split(' ').slice(3).join(' '))
  return [...new Set(tops.flatMap((image) => [image, ...(chains.get(image) ?? [])]))]
}

function aboutFiles(before: HostLook, now: HostLook, { except = [], restored = [] }: OracleOptions): string[] {
  const filesOf = (uuids: readonly string[]): Set<string> =>
    new Set([...ownFiles(before, uuids), ...ownFiles(now, uuids)])
  const [ignored, remade] = [filesOf(except), filesOf(restored)]
  const isOf = (files: Set<string>, path: string): boolean => files.has(path) || files.has(nameBeforeKept(path))
  const held = [...before.files].filter(([path]) => !isOf(ignored, path))
  const isUnheardOf = (path: string): boolean => !before.files.has(path) && !isOf(ignored, path) && !isOf(remade, path)
  return [
    ...held.flatMap(([path, file]) =>
      fileChange(path, file, now.files.get(path), remade.has(path), isUsedAlike(before, now, path))
    ),
    ...[...now.files.keys()].filter(isUnheardOf).map((path) => `new file: ${path}`),
    ...[...before.chains]
      .filter(([image]) => !ignored.has(image))
      .flatMap(([image, chain]) => chainChange(image, chain, now.chains.get(image)))
  ]
}

function fileChange(
  path: string,
  before: SeenFile,
  now: SeenFile | undefined,
  isRemade: boolean,
  isUsedAlike: boolean
): string[] {
  if (now === undefined) return [`file is gone: ${path}`]
  return [
    ...(isRemade ? [] : change(`inode of ${path}`, before.inode, now.inode)),
    ...change(`mode of ${path}`, before.mode, now.mode),
    ...(isUsedAlike ? change(`owner of ${path}`, before.owner, now.owner) : [])
  ]
}

/** An image that no definition names any more is a matter of the disks, which have their own complaint. */
const chainChange = (image: string, before: readonly string[], now: readonly string[] | undefined): string[] =>
  now === undefined ? [] : change(`images below ${image}`, before.join(' < '), now.join(' < '))

/** What is kept of a replaced VM lies beside, under a name of its own. */
const nameBeforeKept = (path: string): string => path.replace(/\.kept-[^/]*$/, '')

/** Images of these VMs with all below them, their firmware variables and their saved RAM. */
function ownFiles(look: HostLook, uuids: readonly string[]): string[] {
  return look.vms
    .filter(({ uuid }) => uuids.includes(uuid))
    .flatMap((vm) => [...imagesOf(vm, look), ...nvramOf(vm), `/var/lib/libvirt/qemu/save/${vm.name}.save`])
}

const nvramOf = ({ definition }: VmState): string[] =>
  definition.flatMap((line) => [...line.matchAll(/<nvram[^>]*>([^<]+)</g)].map(([, path = '']) => path))

/** libvirt gives an image to QEMU's user for as long as a VM runs on it, so owners compare only if as many do. */
function isUsedAlike(before: HostLook, now: HostLook, path: string): boolean {
  const activeUsers = (look: HostLook): string =>
    look.vms
      .filter((vm) => vm.state !== 'shut off' && [...imagesOf(vm, look), ...nvramOf(vm)].includes(path))
      .map(({ uuid }) => uuid)
      .join()
  return activeUsers(before) === activeUsers(now)
}

const aboutPoints = (before: HostLook, now: HostLook): string[] =>
  [...before.points].flatMap(([path, sum]) => (now.points.get(path) === sum ? [] : [`changed or gone: ${path}`]))

const change = (what: string, before: string, now: string): string[] =>
  before === now ? [] : [`${what}: was «${before}», is «${now}»`]

function listChange(what: string, before: readonly string[], now: readonly string[]): string[] {
  const lost = before.filter((line) => !now.includes(line)).map((line) => `${what}: no longer «${line}»`)
  return [...lost, ...now.filter((line) => !before.includes(line)).map((line) => `${what}: now also «${line}»`)]
}
