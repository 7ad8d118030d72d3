import { Option, type Command } from 'commander'
import { startBackup, type BackupOrder } from '../../../core/jobs/start-backup.ts'
import { placedPoint } from '../../../core/points/list-points.ts'
import { fail } from '../../../../shared/failure.ts'
import type { JobReport } from '../../../../shared/model/job.ts'
import { Method } from '../../../../shared/model/point.ts'
import { OnBusy } from '../../../../shared/model/job.ts'
import { pointJson, pointOfReport } from '../json-views.ts'
import { absolutePath, commaList, leaf, positiveMs } from '../leaf.ts'
import { endOfJob } from '../end-of-job.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'
import { watchToEnd } from '../watch-job.ts'

interface BackupOptions extends ActionOptions, Pick<BackupOrder, 'method' | 'store' | 'acceptStore' | 'onBusy'> {
  readonly budget?: number
  readonly include?: string[]
  readonly exclude?: string[]
  readonly media?: boolean
}

export const backupCommand = (perform: Perform): Command =>
  leaf('backup <HOST/VM>', 'Take a restore point of a VM: disks and RAM at one instant, while it runs', [
    'backup alpha/web1',
    'backup alpha/web1 --method disk --store /srv/points',
    'backup alpha/db --budget 100 --on-busy disk --json',
    'backup alpha/4dea22b3-1d52-d8f3-2516-782e98ab3fa0'
  ])
    .addOption(
      new Option('--method <METHOD>', 'default: live for a running VM, offline for one that is shut off').choices(
        Method.options
      )
    )
    .option('--store <DIR>', 'directory on the host that gets the point', absolutePath)
    .option('--accept-store', 'the store at that place is another one than it was, and that is meant')
    .option('--budget <MS>', 'longest pause that is all right (default 300)', positiveMs)
    .addOption(
      new Option(
        '--on-busy <WHAT>',
        'if the VM is too busy for that: pause it longer, take its disks only, or fail'
      ).choices(OnBusy.options)
    )
    .option('--include <DISKS>', 'only these disks, such as vda,vdb', commaList)
    .option('--exclude <DISKS>', 'all disks but these', commaList)
    .option('--media', 'what lies in its drives too, such as an ISO, each time whole')
    .action((target: string, options: BackupOptions) => {
      const order = { ...hostAndVm(target), ...orderOf(options) }
      perform(options, (session) => backUp(session, order))
    })

/** Names of VMs may hold slashes, names of hosts never do. */
export function hostAndVm(target: string): { host: string; vm: string } {
  const slash = target.indexOf('/')
  if (slash <= 0 || slash === target.length - 1)
    fail({ kind: 'usage', message: `"${target}" does not name a VM: write HOST/VM, as stillpoint vm list does.` })
  return { host: target.slice(0, slash), vm: target.slice(slash + 1) }
}

export function orderOf({
  method,
  store,
  acceptStore,
  budget,
  onBusy,
  include,
  exclude,
  media
}: BackupOptions): Omit<BackupOrder, 'host' | 'vm'> {
  const fault = process.env['STILLPOINT_FAULT'] // the lab's; hosts without its marker file are deaf to it
  return {
    ...(method !== undefined && { method }),
    ...(store !== undefined && { store }),
    ...(acceptStore !== undefined && { acceptStore }),
    ...(budget !== undefined && { budgetMs: budget }),
    ...(onBusy !== undefined && { onBusy }),
    ...(include !== undefined && { includeDisks: include }),
    ...(exclude !== undefined && { excludeDisks: exclude }),
    ...(media === true && { media }),
    ...(fault !== undefined && fault !== '' && { fault })
  }
}

async function backUp(session: Session, order: BackupOrder): Promise<ReturnType<typeof endOfJob>> {
  const { id, domain, store } = await startBackup(session.core, { ...order, signal: session.interrupts.signal })
  const job = { kind: 'backup', host: order.host, id, vm: domain.name } as const
  if (!session.out.json) session.out.note(`Backing up ${domain.name} on ${order.host} (job ${id})`)
  const report = await watchToEnd(session, job)
  const point =
    report?.point === undefined || report.failure !== undefined
      ? undefined
      : await pointFields(session, order.host, store, report)
  return endOfJob(session, job, report, point === undefined ? {} : { point, ...point })
}

/** As `points` would show it; if the host has just gone, as the job's report has it. */
async function pointFields(
  { core }: Session,
  host: string,
  store: string,
  report: JobReport
): Promise<Readonly<Record<string, unknown>>> {
  const found = await placedPoint(core, { kind: 'host', host, dir: store }, report.point ?? '').catch(() => undefined)
  return found === undefined ? pointOfReport(report) : pointJson(found, { host })
}
