import { fail } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { reportAtStart } from '../../../shared/job-report.ts'
import { originalOf, vmOf, type JobSpec } from '../../../shared/model/job.ts'
import type { MarksChange } from '../../../shared/views/point-view.ts'
import type { BackupQuestion, JobView, RestoreQuestion } from '../../../shared/views/job-view.ts'
import { twinsOf } from '../hosts/twins.ts'
import { submitJob } from '../jobs/jobs.ts'
import { startBackup } from '../jobs/start-backup.ts'
import { readJournal } from '../jobs/read-journal.ts'
import { markPoint } from '../points/mark-point.ts'
import { copyPoint } from '../points/copy-point.ts'
import { deletePoint, placeNamed, startRestore, submitRestore, verifyPoint } from '../points/points.ts'
import { placeLabel, type KnownPoint } from '../points/point-places.ts'
import { orderFor, restoreSpec, storeOnTarget } from '../points/restore-order.ts'
import type { Place } from '../settings/settings-schema.ts'
import { viewOfReport } from './job-record.ts'
import type { LiveCore } from './live-core.ts'

type Started = Readonly<{ id: string }>

/** Starts a backup on the VM's host. What is left out is as the operator chose it, or by default. */
export async function backUp(live: LiveCore, question: BackupQuestion): Promise<Started> {
  const choices = live.choices.value
  const { host, vm, method, excludeDisks, media } = question
  const store = question.store ?? choices?.defaultStore
  const {
    id,
    domain,
    store: used
  } = await startBackup(live.core, {
    host,
    vm,
    budgetMs: question.budgetMs ?? choices?.defaultBudgetMs ?? 300,
    onBusy: question.onBusy ?? choices?.defaultOnBusy ?? 'pause',
    ...(store !== undefined && { store }),
    ...(method !== undefined && { method }),
    ...(excludeDisks !== undefined && { excludeDisks }),
    ...(media === true && { media })
  })
  const spec = { kind: 'backup', vm: domain.uuid, vmName: domain.name, hostName: host, store: used } as const
  begin(live, host, id, spec as unknown as JobSpec)
  return { id }
}

/** Fetches the point first where the target lacks it: under the same job, so that there is one thing to watch. */
export async function restore(live: LiveCore, question: RestoreQuestion): Promise<Started> {
  const point = await requirePoint(live, question.point)
  const { to } = question
  const order = orderFor(point, question)
  const spec = restoreSpec(order)
  if (storeOnTarget(point, to).isThere) {
    const id = await startRestore(live.core, order, { onProgress: () => undefined })
    begin(live, to, id, spec)
    return { id }
  }
  const id = live.jobs.start({
    view: { ...identityOf(spec), kind: 'restore', host: to, point: point.manifest.id, mode: spec.mode },
    run: async ({ id, signal, onProgress }) => {
      await startRestore(live.core, { ...order, id }, { onProgress, signal })
      begin(live, to, id, spec)
      return 'handed over'
    }
  })
  return { id }
}

function identityOf(spec: JobSpec): Pick<JobView, 'vm' | 'copyOf'> {
  const original = originalOf(spec)
  return { vm: vmOf(spec), ...(original && { copyOf: original }) }
}

function begin(live: LiveCore, host: string, id: string, spec: JobSpec): void {
  live.jobs.began(host, viewOfReport(reportAtStart(id, spec, new Date().toISOString())))
}

export async function verify(live: LiveCore, pointId: string, label: string): Promise<Started> {
  const point = await requirePoint(live, pointId)
  const place = requirePlace(point, label)
  const id = live.jobs.start({
    view: { kind: 'verify', host: hostOf(place), vm: point.manifest.vm, point: pointId, place: label },
    run: async ({ signal, onProgress }) => {
      const report = await verifyPoint(live.core, point, place, { onProgress, signal })
      return { verify: report, state: report.good ? 'done' : 'failed-needs-you', retryable: !report.good }
    }
  })
  return { id }
}

export async function copy(live: LiveCore, pointId: string, to: string): Promise<Started> {
  const point = await requirePoint(live, pointId)
  const target = placeNamed(live.core, to)
  const label = placeLabel(target, DEFAULT_STORE)
  const id = live.jobs.start({
    view: { kind: 'copy', host: hostOf(target), vm: point.manifest.vm, point: pointId, place: label },
    run: async ({ signal, onProgress }) => {
      const manifest = await copyPoint(live.core, point, target, { onProgress, signal })
      return { sizeBytes: manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
    }
  })
  return { id }
}

export async function remove(live: LiveCore, pointId: string, label: string): Promise<{ freedBytes: number }> {
  const point = await requirePoint(live, pointId)
  const place = requirePlace(point, label)
  const freedBytes = await deletePoint(live.core, point, place)
  await live.points.refresh(place.kind === 'host' ? place.host : undefined)
  return { freedBytes }
}

/** In every place that has the point and answers. */
export async function mark(live: LiveCore, pointId: string, change: MarksChange): Promise<void> {
  const { places } = await markPoint(live.core, await requirePoint(live, pointId), change)
  const hosts = new Set(places.map((place) => (place.kind === 'host' ? place.host : undefined)))
  await Promise.all([...hosts].map((host) => live.points.refresh(host)))
}

/** The same once more, as a new job. */
export async function retry(live: LiveCore, id: string): Promise<Started> {
  const job = live.jobs.find(id) ?? fail({ kind: 'not-found', what: 'job', name: id })
  if (job.kind === 'verify') return verify(live, job.point ?? '', job.place ?? '')
  if (job.kind === 'copy') return copy(live, job.point ?? '', job.place ?? '')
  if (job.kind === 'restore' && live.points.find(job.point ?? '') !== undefined && !(await isOnHost(live, job)))
    return restore(live, questionOf(job))
  const begun = (await readJournal(live.core, job.host, live.jobs.idOnHost(id))).find(({ type }) => type === 'begin')
  if (begun?.type !== 'begin') return fail({ kind: 'not-found', what: 'job', name: id, where: job.host })
  const spec = await asOfNow(live, job, begun.spec)
  const point = spec.kind === 'restore' ? live.points.find(spec.point) : undefined
  const again =
    spec.kind === 'restore' && point !== undefined
      ? await submitRestore(live.core, point, job.host, spec)
      : await submitJob(live.core, job.host, spec)
  begin(live, job.host, again, spec)
  return { id: again }
}

/** Where else the VM runs may have changed since it was asked. */
async function asOfNow(live: LiveCore, { host }: JobView, spec: JobSpec): Promise<JobSpec> {
  if (spec.kind !== 'restore' || spec.copy !== undefined) return spec
  const { twins: _, originAway: __, ...rest } = spec
  return { ...rest, ...(await twinsOf(live.core, spec.vm, host, live.points.find(spec.point)?.manifest.host)) }
}

/** What a restore was asked for whose point did not get there. */
function questionOf({ point = '', host, vm, mode = 'resume', copyOf }: JobView): RestoreQuestion {
  const question = { point, to: host, replace: false }
  return copyOf === undefined
    ? { ...question, mode }
    : { ...question, mode: 'copy', newName: vm.name, start: mode !== 'define' }
}

/** False: it ended while its point was still on its way. */
const isOnHost = (live: LiveCore, job: JobView): Promise<boolean> =>
  readJournal(live.core, job.host, live.jobs.idOnHost(job.id)).then(
    () => true,
    () => false
  )

/** Looks anew where the point is not known: it may have been made a second ago. */
export async function requirePoint(live: LiveCore, id: string): Promise<KnownPoint> {
  if (live.points.find(id) === undefined)
    await Promise.all(
      [...(live.hosts.all.value ?? []).map(({ name }) => name), undefined].map((host) => live.points.refresh(host))
    )
  return live.points.find(id) ?? fail({ kind: 'not-found', what: 'point', name: id })
}

function requirePlace(point: KnownPoint, label: string): Place {
  return (
    point.places.find((place) => placeLabel(place, DEFAULT_STORE) === label) ??
    fail({ kind: 'not-found', what: 'point', name: point.manifest.id, where: label })
  )
}

const THIS_COMPUTER = 'this computer'
const hostOf = (place: Place): string => (place.kind === 'host' ? place.host : THIS_COMPUTER)
