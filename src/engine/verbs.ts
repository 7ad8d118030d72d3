import { fail } from '../shared/failure.ts'
import {
  engineVerbs,
  PROTOCOL_VERSION,
  type EngineVerb,
  type EventOf,
  type PointListing,
  type QuestionOf,
  type ResultOf
} from '../shared/engine-protocol.ts'
import { isEnded, type JobReport } from '../shared/model/job.ts'
import { joinMarks } from '../shared/point-marks.ts'
import type { Shell } from '../shared/shell.ts'
import { markPoint } from '../store/mark-point.ts'
import { findPoint, listPoints } from '../store/point-store.ts'
import { readPointTexts } from '../store/point-texts.ts'
import { exportPoint, importState } from '../store/point-stream.ts'
import { verifyPoint } from '../store/verify-point.ts'
import { doctor } from './doctor/doctor.ts'
import { letGo } from './doctor/kept-aside.ts'
import { removeAll } from './doctor/remove-all.ts'
import { bootId, hostIdentity } from './host-facts.ts'
import { importHere } from './import-here.ts'
import { prepareHost } from './prepare-host.ts'
import { cancelJob } from './jobs/cancel.ts'
import { followJob } from './jobs/follow.ts'
import { jobIds, readReport } from './jobs/job-directory.ts'
import { submitJob } from './jobs/submit.ts'
import { unrecovered } from './jobs/unit-state.ts'
import { unitObstacle } from './jobs/unit-trial.ts'
import { recoverEverything } from './recover/recover-host.ts'
import { recoverJob } from './recover/recover.ts'
import { listPolicies, putPolicy, removePolicy, setParallel } from './policy/policies.ts'
import { startRun } from './policy/start-run.ts'
import { listRuns } from './policy/runs.ts'
import { deleteUnread } from './retention/delete-point.ts'
import { whileReading } from './retention/point-lock.ts'
import { planPrune } from './retention/prune.ts'
import { noteVerdictAlone, whileAloneIn } from './retention/store-lock.ts'
import { putChannels, testChannel } from './tell/channels.ts'
import { readPolicy } from './policy/policy-file.ts'
import { preflightRestore } from './restore/plan-restore.ts'
import { ENGINE_VERSION } from './version.ts'
import { write, writeEvent, writeResult } from './wire.ts'

interface Asked<V extends EngineVerb> {
  readonly question: QuestionOf<V>
  readonly rest: AsyncIterable<Uint8Array>
  readonly shell: Shell
  readonly tell: (event: EventOf<V>) => Promise<void>
}
/** `export` answers with a stream of its own. */
type Handlers = { readonly [V in Exclude<EngineVerb, 'export'>]: (asked: Asked<V>) => Promise<ResultOf<V>> }

const handlers: Handlers = {
  async probe({ shell }) {
    await prepareHost(shell)
    const { hostname, machineId } = await hostIdentity(shell)
    return { protocol: PROTOCOL_VERSION, engine: ENGINE_VERSION, bootId: await bootId(), hostname, machineId }
  },
  'try-unit': async ({ shell }) => ({ obstacle: await unitObstacle(shell) }),
  async submit({ question: { id, spec, fault }, shell }) {
    await submitJob(shell, id, spec, fault)
    return { id }
  },
  async follow({ question: { id, from }, shell, tell }) {
    const entries = followJob(shell, id, from)
    for (;;) {
      const { done, value } = await entries.next()
      if (done === true) return value
      await tell(value)
    }
  },
  cancel: ({ question, shell }) => cancelJob(shell, question.id),
  jobs: ({ question, shell }) => listJobs(shell, question),
  points: ({ question }) => listAll(question.stores, question.vm),
  async verify({ question: { store, point }, shell, tell }) {
    const { dir } = await findPoint([store], point)
    const onProgress = (doneBytes: number, totalBytes: number): void =>
      void tell({ phase: 'checking the point', doneBytes, totalBytes })
    const report = await whileReading(dir, () => verifyPoint(dir, shell, { onProgress }))
    return noteVerdictAlone(store, report)
  },
  delete: ({ question: { store, point } }) => whileAloneIn(store, () => deleteUnread(store, point)),
  mark: ({ question: { store, point, ...change } }) => whileAloneIn(store, () => markPoint(store, point, change)),
  'read-small': ({ question: { store, point } }) => readPointTexts(store, point),
  preflight({ question: { spec, files }, shell }) {
    return spec.kind === 'restore'
      ? preflightRestore(shell, spec, files)
      : fail({ kind: 'usage', message: 'restores only' })
  },
  'import-state': async ({ question: { store, point } }) => ({ have: await importState(store, point) }),
  import({ question: { store, point }, rest, tell }) {
    const onProgress = (doneBytes: number, totalBytes: number): void =>
      void tell({ phase: 'receiving the point', doneBytes, totalBytes })
    return importHere(store, point, rest, onProgress)
  },
  policies: ({ shell }) => listPolicies(shell),
  'policy-put': ({ question: { policy, acceptStore = false }, shell }) => putPolicy(shell, policy, acceptStore),
  'policy-remove': ({ question: { id }, shell }) => removePolicy(shell, id),
  'policy-run': ({ question: { id }, shell }) => startRun(shell, id),
  runs: ({ question }) => Promise.resolve(listRuns(question)),
  'prune-plan': async ({ question: { id }, shell }) => planPrune(shell, await readPolicy(id)),
  parallel: ({ question: { parallel } }) => setParallel(parallel),
  'channels-put': ({ question: { change }, shell }) => putChannels(shell, change),
  'channels-test': ({ question: { channel } }) => testChannel(channel),
  async recover({ question: { id }, shell }) {
    if (id === undefined) return [...(await recoverEverything(shell)).reports]
    const report = await recoverJob(shell, id)
    return report === undefined ? [] : [report]
  },
  doctor: ({ question, shell }) => doctor(shell, question.stores, question.repair),
  'let-go': ({ question, shell }) => letGo(shell, question),
  'remove-all': ({ shell }) => removeAll(shell)
}

export const isVerb = (command: string): command is EngineVerb => Object.hasOwn(engineVerbs, command)

/** Checks the question, answers it on stdout. What goes wrong is thrown. */
export async function answer(
  verb: EngineVerb,
  asked: unknown,
  rest: AsyncIterable<Uint8Array>,
  shell: Shell
): Promise<void> {
  const question = engineVerbs[verb].question.safeParse(asked)
  if (!question.success)
    return fail({ kind: 'bad-output', what: `question to ${verb}`, detail: question.error.message })
  if (verb === 'export') return exportTo(question.data as QuestionOf<'export'>)
  const handler = handlers[verb] as (asked: Asked<EngineVerb>) => Promise<unknown>
  const result = await handler({ question: question.data, rest, shell, tell: writeEvent })
  await writeResult(verb, result)
}

async function exportTo({ store, point, have }: QuestionOf<'export'>): Promise<void> {
  const { dir } = await findPoint([store], point)
  await whileReading(dir, async () => {
    for await (const chunk of exportPoint(dir, { have })) await write(chunk)
  })
}

/** The last ones, or those younger than one. */
async function listJobs(
  shell: Shell,
  { after, limit = after === undefined ? 200 : Infinity }: QuestionOf<'jobs'>
): Promise<JobReport[]> {
  const reports: JobReport[] = []
  const ids = jobIds().filter((id) => after === undefined || id > after)
  for (const id of ids.reverse().slice(0, limit)) {
    const report = readReport(id)
    if (report !== undefined) reports.push(isEnded(report.state) ? report : ((await unrecovered(shell, id)) ?? report))
  }
  return reports
}

async function listAll(stores: readonly string[], vm: string | undefined): Promise<PointListing> {
  const listings = await Promise.all([...new Set(stores)].map(listPoints))
  const points = listings
    .flatMap((listing) => listing.points)
    .filter((point) => vm === undefined || point.vm.uuid === vm)
  return {
    points: points.sort((a, b) => a.id.localeCompare(b.id)),
    broken: listings.flatMap((listing) => listing.broken),
    marks: Object.fromEntries(
      points.flatMap(({ id }) => {
        const marks = listings.flatMap((listing) => listing.marks[id] ?? [])
        return marks.length === 0 ? [] : [[id, joinMarks(marks)]]
      })
    )
  }
}
