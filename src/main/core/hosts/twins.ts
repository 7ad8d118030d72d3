import { setTimeout as sleep } from 'node:timers/promises'
import { parseDomainInTurn, type DomainXml } from '../../../libvirt/domain-xml.ts'
import { domainInfo, domainState, domainXml } from '../../../libvirt/domains.ts'
import { LONGEST_DEFINITION } from '../../../libvirt/look-answer.ts'
import { MOST } from '../../../shared/model/host-limits.ts'
import { Uuid } from '../../../shared/model/ids.ts'
import { isMachineId } from '../../../shared/model/machine-id.ts'
import type { RestoreSpec } from '../../../shared/model/job.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import { isActive, LONGEST_IMAGE, MOST_IMAGES, type TwinVm } from '../../../shared/model/twin-vm.ts'
import { shorten } from '../../../shared/safe-text.ts'
import type { Shell } from '../../../shared/shell.ts'
import type { Core } from '../core.ts'
import type { HostRecord } from '../settings/settings-schema.ts'
import { OurHosts } from './our-hosts.ts'

/** All hosts together: a restore after a disaster does not wait for the host that has died. */
const ANSWER_WITHIN_MS = 4000

export type TwinsSeen = Pick<RestoreSpec, 'twins' | 'originAway'>

/**
 * Where else the VM runs, or starts with its host. Only hosts that are connected are asked; of those that are not, only the
 * one that the point was taken on is named. `origin` undefined: it is not known.
 */
export async function twinsOf(
  core: Core,
  vm: Uuid,
  to: string,
  origin: Manifest['host'] | undefined,
  withinMs = ANSWER_WITHIN_MS
): Promise<TwinsSeen> {
  const { hosts } = core.settings.read()
  const target = hosts.find(({ name }) => name === to)
  const others = hosts.filter((host) => host.name !== to && !isAtOneAddress(host, target))
  if (others.length === 0) return {}
  const asked = await Promise.all(others.map((host) => within(withinMs, lookAt(core, host, vm, to))))
  const homes = origin === undefined ? [] : new OurHosts(hosts).allThatMayBe(origin)
  const away = others.find((host, n) => homes.includes(host) && asked[n] === undefined)
  return {
    twins: asked.flatMap((found) => (found === undefined || found === 'none' ? [] : [found])),
    ...(away && { originAway: away.name })
  }
}

/** One machine that is listed twice, as somebody else or by another key. */
const isAtOneAddress = (a: HostRecord, b: HostRecord | undefined): boolean =>
  b !== undefined && a.address === b.address && a.port === b.port

/** Undefined: it did not answer, or not in time. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  const isOver = new AbortController()
  const late = sleep(ms, undefined, { ref: false, signal: isOver.signal }).catch(() => undefined)
  try {
    return await Promise.race([answer.catch(() => undefined), late])
  } finally {
    isOver.abort()
  }
}

/** Undefined: the host is not connected. */
async function lookAt(core: Core, host: HostRecord, vm: Uuid, to: string): Promise<TwinVm | 'none' | undefined> {
  const connection = await core.connections.connected(host.name)
  if (connection === undefined) return undefined
  const twin = await twinOn(connection.shell, host, vm)
  if (twin === undefined) return 'none'
  const target = await core.connections.connected(to)
  const isTarget = target !== undefined && (await areOneMachine(connection.shell, target.shell).catch(() => false))
  return isTarget ? 'none' : twin
}

/** By what both say now: two names for one machine. Machines that were made from one image have booted apart from each other. */
async function areOneMachine(a: Shell, b: Shell): Promise<boolean> {
  const ids = await Promise.all([a, b].map(identityOf))
  return ids[0] !== undefined && ids[0] === ids[1]
}

async function identityOf(shell: Shell): Promise<string | undefined> {
  const files = ['/etc/machine-id', '/proc/sys/kernel/random/boot_id']
  const { stdout } = await shell.run(['cat', ...files], { timeoutMs: ANSWER_WITHIN_MS, maxOutputBytes: 1024 })
  const [machine, boot = ''] = stdout.split('\n')
  return isMachineId(machine) && Uuid.safeParse(boot).success ? `${machine} ${boot}` : undefined
}

async function twinOn(shell: Shell, host: HostRecord, vm: Uuid): Promise<TwinVm | undefined> {
  const now = await domainState(shell, vm)
  if (now === undefined) return undefined
  const { autostart } = await domainInfo(shell, vm)
  if (!isActive(now) && !autostart) return undefined
  const domain = parseDomainInTurn(await domainXml(shell, vm, { maxOutputBytes: LONGEST_DEFINITION }))
  return {
    host: host.name,
    machineId: host.machineId ?? '',
    name: shorten(domain.name, MOST.name),
    state: now.state,
    autostart,
    images: isActive(now) ? imagesOf(domain) : []
  }
}

/** What another VM must not write to as well: as much of it as an order can say. */
const imagesOf = ({ disks }: DomainXml): string[] =>
  disks
    .flatMap(({ device, source, readOnly, shareable }) =>
      (device === 'disk' || device === 'lun') && source !== undefined && !readOnly && !shareable ? [source] : []
    )
    .filter((source) => source.length <= LONGEST_IMAGE)
    .slice(0, MOST_IMAGES)
