import { setTimeout as sleep } from 'node:timers/promises'
import { parseDomainInTurn, type DomainXml } from '../../../libvirt/domain-xml.ts'
import { domainInfo, domainState, domainXml } from '../../../libvirt/domains.ts'
import { MOST } from '../../../shared/model/host-limits.ts'
import type { Uuid } from '../../../shared/model/ids.ts'
import type { RestoreSpec } from '../../../shared/model/job.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import { isActive, LONGEST_IMAGE, MOST_IMAGES, type TwinVm } from '../../../shared/model/twin-vm.ts'
import { shorten } from '../../../shared/safe-text.ts'
import type { Shell } from '../../../shared/shell.ts'
import type { Core } from '../core.ts'
import type { HostRecord } from '../settings/settings-schema.ts'

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
  const others = hosts.filter((host) => host.name !== to && !isSameMachine(host, target))
  if (others.length === 0) return {}
  const asked = await Promise.all(others.map((host) => within(withinMs, lookAt(core, host, vm))))
  const home = origin && originOf(others, origin)
  const isAway = home !== undefined && asked[others.indexOf(home)] === undefined
  return {
    twins: asked.flatMap((found) => (found === undefined || found === 'none' ? [] : [found])),
    ...(isAway && { originAway: home.name })
  }
}

const isSameMachine = (a: Pick<HostRecord, 'machineId'>, b: Pick<HostRecord, 'machineId'> | undefined): boolean =>
  a.machineId !== undefined && a.machineId === b?.machineId

/** A machine of that name that was rebuilt since is another one, which is asked like all. */
export function originOf(hosts: readonly HostRecord[], { name, machineId }: Manifest['host']): HostRecord | undefined {
  const named = hosts.find((host) => host.name === name)
  const isOther = machineId !== '' && named?.machineId !== undefined && named.machineId !== machineId
  return hosts.find((host) => host.machineId === machineId) ?? (isOther ? undefined : named)
}

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
async function lookAt(core: Core, host: HostRecord, vm: Uuid): Promise<TwinVm | 'none' | undefined> {
  const connection = await core.connections.connected(host.name)
  return connection && ((await twinOn(connection.shell, host, vm)) ?? 'none')
}

async function twinOn(shell: Shell, host: HostRecord, vm: Uuid): Promise<TwinVm | undefined> {
  const now = await domainState(shell, vm)
  if (now === undefined) return undefined
  const { autostart } = await domainInfo(shell, vm)
  if (!isActive(now) && !autostart) return undefined
  const domain = parseDomainInTurn(await domainXml(shell, vm))
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
