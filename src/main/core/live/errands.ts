import { fail } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { reportAtStart } from '../../../shared/job-report.ts'
import { kindWords } from '../../../shared/job-words.ts'
import { partsOf } from '../../../shared/point-name.ts'
import { originalOf, vmOf, type JobSpec } from '../../../shared/model/job.ts'
import { sizeBytesOf, type Manifest } from '../../../shared/model/point.ts'
import type { MarksChange } from '../../../shared/views/point-view.ts'
import type { BackupQuestion, JobView, RestoreQuestion } from '../../../shared/views/job-view.ts'
import type { Core } from '../core.ts'
import { placeNamed } from '../hosts/host-book.ts'
import { submitJob } from '../jobs/jobs.ts'
import { startBackup } from '../jobs/start-backup.ts'
import { readJournal } from '../jobs/read-journal.ts'
import { markPoint } from '../points/mark-point.ts'
import { copyPoint, type CopyOptions } from '../points/copy-point.ts'
import { deletePoint, startRestore, verifyPoint } from '../points/points.ts'
import { manifestOf } from '../points/list-points.ts'
import { placeLabel, type KnownPoint } from '../points/point-places.ts'
import { orderFor, restoreSpec, storeOnTarget, type RestoreOrder } from '../points/restore-order.ts'
import type { Place } from '../settings/settings-schema.ts'
import { isAllOf, type HeldPoint } from './held-points.ts'
import { fetchedNotice } from './job-notice.ts'
import { viewOfReport } from './job-record.ts'
import type { HeldKnown } from './joined-points.ts'
import type { LiveCore } from './live-core.ts'

type Started = Readonly<{ id: string }>

/** Starts a backup on the VM's host. What is left out is as the operator chose it, or by default. */
export async function backUp(live: LiveCore, question: BackupQuestion): Promise<Started> {
  const choices = live.choices.value
  const { host, vm, method, excludeDisks, media } = question
  const store = question.store ?? choices?.defaultStore
  const chosen = {
    budgetMs: question.budgetMs ?? choices?.defaultBudgetMs ?? 300,
    onBusy: question.onBusy ?? choices?.defaultOnBusy ?? 'pause',
    ...(store !== undefined && { store })
  }
  const {
    id,
    domain,
    store: used
  } = await startBackup(live.core, {
    host,
    vm,
    ...chosen,
    ...(method !== undefined && { method }),
    ...(excludeDisks !== undefined && { excludeDisks }),
    ...(media === true && { media })
  })
  const spec = { kind: 'backup', vm: domain.uuid, vmName: domain.name, hostName: host, store: used } as const
  begin(live, host, id, spec as unknown as JobSpec)
  live.jobs.askedFor(id, () => backUp(live, { ...question, ...chosen }))
  return { id }
}

/** Fetches the point first where the target lacks it: under the same job, so that there is one thing to watch. */
export async function restore(live: LiveCore, question: RestoreQuestion): Promise<Started> {
  const point = await requirePoint(live, question.point)
  const { to } = question
  const order = orderFor(point, question)
  const spec = restoreSpec(order)
  if (storeOnTarget(point, to).isThere) {
    const id = await startAndWarn(live, order, { onProgress: () => undefined })
    begin(live, to, id, spec)
    live.jobs.askedFor(id, () => restore(live, question))
    return { id }
  }
  const id = live.jobs.start({
    view: { ...identityOf(spec), kind: 'restore', host: to, point: point.manifest.id, mode: spec.mode },
    run: async ({ id, signal, onProgress }) => {
      await startAndWarn(live, { ...order, id }, { onProgress, signal })
      begin(live, to, id, spec)
      return 'handed over'
    }
  })
  live.jobs.askedFor(id, () => restore(live, question))
  return { id }
}

/** What the copying of its point warns of, the job of the host knows nothing of: it is told here, also where no restore comes of it. */
async function startAndWarn(live: LiveCore, order: RestoreOrder, options: CopyOptions): Promise<string> {
  const warnings: string[] = []
  const onWarning = (text: string): void => void warnings.push(text)
  try {
    return await startRestore(live.core, order, { ...options, onWarning })
  } finally {
    if (warnings.length > 0) live.notices.add(fetchedNotice(order.to, order.point.manifest, warnings))
  }
}

function identityOf(spec: JobSpec): Pick<JobView, 'vm' | 'copyOf'> {
  const original = originalOf(spec)
  return { vm: vmOf(spec), ...(original && { copyOf: original }) }
}

function begin(live: LiveCore, host: string, id: string, spec: JobSpec): void {
  live.jobs.began(host, viewOfReport(reportAtStart(id, spec, new Date().toISOString())))
}

export async function verify(live: LiveCore, name: string, label: string): Promise<Started> {
  const point = await requirePointIn(live, name, label)
  const place = requirePlace(point, label)
  const id = live.jobs.start({
    view: { kind: 'verify', host: hostOf(place), vm: point.manifest.vm, point: point.manifest.id, place: label },
    run: async ({ signal, onProgress }) => {
      const report = await verifyPoint(live.core, point, place, { onProgress, signal })
      return { verify: report, state: report.good ? 'done' : 'failed-needs-you', retryable: !report.good }
    }
  })
  live.jobs.askedFor(id, () => verify(live, name, label))
  return { id }
}

export async function copy(live: LiveCore, name: string, to: string): Promise<Started> {
  const point = await requirePoint(live, name)
  const target = placeNamed(live.core.settings.read(), to)
  const label = placeLabel(target, DEFAULT_STORE)
  const id = live.jobs.start({
    view: { kind: 'copy', host: hostOf(target), vm: point.manifest.vm, point: point.manifest.id, place: label },
    run: async (options) => ({ sizeBytes: sizeBytesOf(await copyPoint(live.core, point, target, options)) })
  })
  live.jobs.askedFor(id, () => copy(live, name, to))
  return { id }
}

export async function remove(live: LiveCore, name: string, label: string): Promise<{ freedBytes: number }> {
  const point = await requirePointIn(live, name, label)
  const place = requirePlace(point, label)
  const freedBytes = await deletePoint(live.core, point, place)
  await live.points.refresh(place.kind === 'host' ? place.host : undefined)
  return { freedBytes }
}

/** In every place that has this very point and answers. */
export async function mark(live: LiveCore, name: string, change: MarksChange): Promise<void> {
  const { places } = await markPoint(live.core, await requirePoint(live, name), change)
  const hosts = new Set(places.map((place) => (place.kind === 'host' ? place.host : undefined)))
  await Promise.all([...hosts].map((host) => live.points.refresh(host)))
}

/**
 * The same once more, as a new job. What was asked for from here is asked for again, whatever its host says that it was. Of
 * others only a backup is begun again, on the same host and by its own order: what that does there is that host's own affair.
 */
export async function retry(live: LiveCore, id: string): Promise<Started> {
  const job = live.jobs.find(id) ?? fail({ kind: 'not-found', what: 'job', name: id })
  const again = live.jobs.again(id)
  if (again !== undefined) return again()
  if (job.kind !== 'backup')
    fail({
      kind: 'usage',
      message: `This ${kindWords(job.kind)} was not asked for here since Stillpoint started. Choose its point and its host once more.`
    })
  const begun = (await readJournal(live.core, job.host, live.jobs.idOnHost(id))).find(({ type }) => type === 'begin')
  if (begun?.type !== 'begin' || begun.spec.kind !== 'backup' || begun.spec.vm !== job.vm.uuid)
    return fail({ kind: 'not-found', what: 'job', name: id, where: job.host })
  const anew = await submitJob(live.core, job.host, begun.spec)
  begin(live, job.host, anew, begun.spec)
  return { id: anew }
}

/** Looks anew where the point is not known: it may have been made a second ago. @throws `not-found`, `ambiguous` */
export async function requirePoint(live: LiveCore, name: string): Promise<KnownPoint> {
  // Until then nobody knows whose word for it is whose.
  await live.points.remembered
  if (live.points.find(name) === undefined)
    await Promise.all(
      [...(live.hosts.all.value ?? []).map(({ name }) => name), undefined].map((host) => live.points.refresh(host))
    )
  const { id, place } = partsOf(name)
  const held = live.points.find(name)
  const point = held && (await allOf(live.core, held))
  return point ?? fail({ kind: 'not-found', what: 'point', name: id, ...(place !== undefined && { where: place }) })
}

/** All that its places say of it, those too that have it with RAM, or without, where the first have it otherwise. */
async function allOf(core: Core, { otherwise, ...held }: HeldKnown): Promise<KnownPoint | undefined> {
  const ask = (manifest: HeldPoint, places: readonly Place[]): Promise<Manifest | undefined> =>
    manifestOf(core, places, manifest, isAllOf(manifest))
  const [manifest, other] = await Promise.all([
    ask(held.manifest, held.places),
    otherwise && ask(otherwise.manifest, otherwise.places).catch(() => undefined)
  ])
  if (manifest === undefined) return undefined
  return { ...held, manifest, ...(otherwise && other && { otherwise: { ...otherwise, manifest: other } }) }
}

/** As the place has it: another may have another one of that id. */
const requirePointIn = (live: LiveCore, name: string, label: string): Promise<KnownPoint> =>
  requirePoint(live, `${label}/${partsOf(name).id}`)

function requirePlace(point: KnownPoint, label: string): Place {
  return (
    point.places.find((place) => placeLabel(place, DEFAULT_STORE) === label) ??
    fail({ kind: 'not-found', what: 'point', name: point.manifest.id, where: label })
  )
}

const THIS_COMPUTER = 'this computer'
const hostOf = (place: Place): string => (place.kind === 'host' ? place.host : THIS_COMPUTER)
