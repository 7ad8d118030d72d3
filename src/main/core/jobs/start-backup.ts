import { takeInventory } from '../../../libvirt/inventory.ts'
import { fail } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import type { Domain } from '../../../shared/model/host.ts'
import { DEFAULT_BUDGET_MS, type BackupSpec } from '../../../shared/model/job.ts'
import type { Core } from '../core.ts'
import { findVm } from '../hosts/find-vm.ts'
import { withPlace } from '../hosts/host-book.ts'
import { submitJob } from './jobs.ts'

/** What may be left to the defaults. */
export interface BackupOrder extends Partial<
  Pick<
    BackupSpec,
    'method' | 'store' | 'acceptStore' | 'budgetMs' | 'onBusy' | 'includeDisks' | 'excludeDisks' | 'media'
  >
> {
  readonly host: string
  /** Name or UUID. */
  readonly vm: string
  readonly fault?: string
  /** Until the job is handed over it can be called off here; from then on it is the host's. */
  readonly signal?: AbortSignal
}

/** Starts a backup on the VM's host. Returns the job's id and the VM that was meant. */
export async function startBackup(
  core: Core,
  order: BackupOrder
): Promise<{ id: string; domain: Domain; store: string }> {
  const { shell } = await core.connections.connection(order.host)
  const domain = findVm((await takeInventory(shell)).domains, order.vm, order.host)
  const spec = backupSpec(order, domain)
  if (order.signal?.aborted === true) fail({ kind: 'cancelled', what: 'The backup' })
  const id = await submitJob(core, order.host, spec, { fault: order.fault })
  rememberStore(core, order.host, spec.store)
  return { id, domain, store: spec.store }
}

function backupSpec(
  { host, method, store, acceptStore, budgetMs, onBusy, includeDisks, excludeDisks, media }: BackupOrder,
  domain: Domain
): BackupSpec {
  return {
    kind: 'backup',
    vm: domain.uuid,
    vmName: domain.name,
    hostName: host,
    store: store ?? DEFAULT_STORE,
    budgetMs: budgetMs ?? DEFAULT_BUDGET_MS,
    onBusy: onBusy ?? 'pause',
    ...(acceptStore !== undefined && { acceptStore }),
    ...(method !== undefined && { method }),
    ...(includeDisks !== undefined && { includeDisks }),
    ...(excludeDisks !== undefined && { excludeDisks }),
    ...(media === true && { media })
  }
}

function rememberStore(core: Core, host: string, dir: string): void {
  const before = core.settings.read()
  const after = withPlace(before, { kind: 'host', host, dir })
  if (after !== before) core.settings.update((settings) => withPlace(settings, { kind: 'host', host, dir }))
}
