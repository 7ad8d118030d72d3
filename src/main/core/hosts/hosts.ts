import { fail, isFailure } from '../../../shared/failure.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { Core } from '../core.ts'
import { isMachineId } from '../../../shared/model/machine-id.ts'
import type { HostAddress } from '../ssh/host-connection.ts'
import type { HostRecord } from '../settings/settings-schema.ts'
import { requireHost, withHost, withoutHost } from './host-book.ts'
import { forgetListings } from '../points/last-listing.ts'
import { forgetPolicies } from '../policies/known-policies.ts'
import { isUsable, probeHost, services, type Probe } from './probe-host.ts'

export interface AddedHost {
  readonly record: HostRecord
  readonly probe: Probe
  /** The name was known, at this address, as another machine. */
  readonly rebuilt: boolean
}

/**
 * Connects, looks, puts the engine there, and remembers the host. A name that is known is taken again if it has the
 * same address: that is how a rebuilt host comes back. With a fingerprint, the host must show that key and no other.
 */
export async function addHost(core: Core, address: HostAddress, fingerprint?: string): Promise<AddedHost> {
  const before = core.settings.read().hosts.find((host) => host.name === address.name)
  if (before !== undefined && before.address !== address.address)
    fail({
      kind: 'usage',
      message: `${before.name} is already the name of the host at ${before.address}. Choose another name, or remove that one first.`
    })
  const connection = await core.connections.try(address, fingerprint)
  try {
    const probe = await probeHost(connection.shell)
    refuseUnusable(address.name, probe)
    const record = recordOf(address, probe)
    core.settings.update((settings) => withHost(settings, record))
    await core.connections.adopt(connection)
    await (await core.connections.engine(address.name)).call('probe', {})
    return { record, probe, rebuilt: hasChanged(before?.machineId, record.machineId) }
  } catch (error) {
    await connection.close()
    if (before === undefined && isFailure(error, 'unsupported-host')) await forget(core, address.name)
    throw error
  }
}

const hasChanged = (before: string | undefined, now: string | undefined): boolean =>
  isMachineId(before) && now !== undefined && before !== now

/** Nothing can be begun on it. */
async function forget(core: Core, name: string): Promise<void> {
  await core.connections.drop(name)
  core.settings.update((settings) => withoutHost(settings, name))
}

function recordOf(address: HostAddress, { inventory }: Probe): HostRecord {
  const { name, user, port, identityFile } = address
  const machineId = inventory && machineIdOf(name, inventory.machineId)
  return {
    name,
    address: address.address,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
    ...(identityFile !== undefined && { identityFile }),
    ...(isMachineId(machineId) && { machineId }),
    addedAt: new Date().toISOString()
  }
}

/** 32 hex digits, nothing, or the word that stands there before the first start. It tells one host from another. */
function machineIdOf(host: string, said: string): string {
  if (/^[\w-]{0,64}$/.test(said)) return said
  const detail = `it is no name of a machine: ${shorten(safeText(said), 80)}`
  return fail({ kind: 'bad-output', what: `/etc/machine-id on ${host}`, detail })
}

function refuseUnusable(host: string, probe: Probe): void {
  if (isUsable(probe)) return
  const problems = probe.items
    .filter(({ state }) => state === 'problem')
    .map(({ text, fix }) => ({ text: `${host}: ${text}`, fix }))
  fail({ kind: 'preflight', problems })
}

/** The checklist of a host that is known. Where the rest is in order, its systemd starts the engine once. */
export async function probeKnownHost(core: Core, name: string): Promise<Probe> {
  const probe = await probeHost((await core.connections.connection(name)).shell)
  return isUsable(probe) ? { ...probe, items: [...probe.items, services(await unitObstacle(core, name))] } : probe
}

async function unitObstacle(core: Core, name: string): Promise<{ reason: string; fix: string } | undefined> {
  try {
    return (await (await core.connections.engine(name)).call('try-unit', {})).obstacle
  } catch (error) {
    if (!isFailure(error, 'unsupported-host')) throw error
    return { reason: error.failure.reason, fix: error.failure.fix ?? '' }
  }
}

/** Forgets the host. With `clean` the engine is taken off it first; its points stay there. Returns what was taken away. */
export async function removeHost(core: Core, name: string, clean: boolean): Promise<readonly string[]> {
  requireHost(core.settings.read(), name)
  const removed = clean ? await cleanHost(core, name) : []
  await core.connections.drop(name)
  core.settings.update((settings) => withoutHost(settings, name))
  forgetPolicies(core.folder, name)
  forgetListings(core.folder, name)
  return removed
}

async function cleanHost(core: Core, name: string): Promise<readonly string[]> {
  return (await (await core.connections.engine(name)).call('remove-all', {})).removed
}
