import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import type { LiveCore } from '../../../src/main/core/live/live-core.ts'
import { LiveJobs } from '../../../src/main/core/live/live-jobs.ts'
import { LivePoints } from '../../../src/main/core/live/live-points.ts'
import { Notices } from '../../../src/main/core/live/notices.ts'
import { History } from '../../../src/main/core/settings/history.ts'
import { openSettings } from '../../../src/main/core/settings/settings-file.ts'
import { fail } from '../../../src/shared/failure.ts'
import { DEFAULT_STORE } from '../../../src/shared/host-paths.ts'
import type { Manifest } from '../../../src/shared/model/point.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { FILES, manifestOf } from '../store-points.ts'

interface Question {
  readonly point?: string
  readonly store?: string
}

interface Asked {
  readonly host: string
  readonly verb: string
  readonly question: Question
}

/** Hosts on paper, each with the points of its own store; what they are asked is noted. */
export class AskedHosts {
  readonly asked: Asked[] = []
  readonly core: Core
  /** What a host says of a job that is followed from its beginning. */
  journal: (host: string, id: string) => readonly object[] = () => []
  private readonly stores: Readonly<Record<string, readonly Manifest[]>>

  constructor(stores: Readonly<Record<string, readonly Manifest[]>>) {
    this.stores = stores
    const folder = mkdtempSync(join(tmpdir(), 'stillpoint-asked-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const settings = openSettings(folder)
    settings.update((before) => ({
      ...before,
      hosts: Object.keys(stores).map((name) => ({ name, address: name, addedAt: '2026-01-01T00:00:00.000Z' }))
    }))
    const gone = fakeShell({ virsh: { exitCode: 1, stderr: 'error: failed to get domain' } })
    const engine = (host: string): Promise<unknown> =>
      Promise.resolve({
        call: (verb: string, question: Question, options?: { onEvent?: (entry: object) => void }) =>
          this.answer(host, verb, question, options?.onEvent),
        exportPoint: (question: Question) => this.export(host, question)
      })
    const connected = (host: string): Promise<unknown> => {
      this.asked.push({ host, verb: 'twins', question: {} })
      return Promise.resolve({ shell: gone })
    }
    const history = new History(join(folder, 'history.jsonl'))
    this.core = { folder, settings, history, connections: { engine, connected } } as unknown as Core
  }

  /** As a door has it; every store has been asked once. */
  async live(): Promise<LiveCore> {
    const points = new LivePoints(this.core)
    const jobs = new LiveJobs(this.core, () => undefined)
    onTestFinished(() => jobs.stop())
    const hosts = { all: { value: Object.keys(this.stores).map((name) => ({ name })) } }
    await jobs.remembered
    await Promise.all([...Object.keys(this.stores), undefined].map((host) => points.refresh(host)))
    this.asked.length = 0
    const notices = new Notices(join(this.core.folder, 'notices.json'))
    return { core: this.core, points, jobs, hosts, notices, choices: { value: undefined } } as unknown as LiveCore
  }

  /** `host verb` of all that was asked, but for looks at stores and jobs. */
  did(): string[] {
    return this.asked
      .filter(({ verb }) => !['points', 'follow', 'twins'].includes(verb))
      .map(({ host, verb }) => `${host} ${verb}`)
  }

  private answer(host: string, verb: string, question: Question, onEvent?: (entry: object) => void): Promise<unknown> {
    this.asked.push({ host, verb, question })
    const points = this.stores[host] ?? []
    if (verb === 'points')
      return Promise.resolve({ points: question.store ? [] : this.of(host), broken: [], marks: {} })
    if (verb === 'follow') return this.follow(host, question as { readonly id: string }, onEvent)
    const had = points.some(({ id }) => id === question.point)
    if (question.point !== undefined && !had && verb !== 'import' && verb !== 'import-state')
      return Promise.reject(notFound(question.point))
    if (verb === 'import') return Promise.resolve(points[0])
    if (verb === 'import-state') return Promise.resolve({ have: {} })
    if (verb === 'preflight') return Promise.resolve([])
    if (verb === 'verify') return Promise.resolve({ good: true, checkedBytes: 0, problems: [], notes: [] })
    if (verb === 'delete') return Promise.resolve({ freedBytes: 1 })
    return Promise.resolve(verb === 'mark' ? { pinned: true } : {})
  }

  private of(host: string): readonly Manifest[] {
    return this.stores[host] ?? []
  }

  private follow(host: string, { id }: { readonly id: string }, onEvent?: (entry: object) => void): Promise<unknown> {
    const entries = this.journal(host, id)
    if (entries.length === 0) return Promise.reject(notFound(id))
    entries.forEach((entry) => onEvent?.(entry))
    return Promise.resolve({})
  }

  private async *export(host: string, question: Question): AsyncGenerator<Uint8Array> {
    this.asked.push({ host, verb: 'export', question })
    yield await Promise.resolve(Buffer.from(DEFAULT_STORE))
  }
}

const notFound = (name: string): Error => {
  try {
    return fail({ kind: 'not-found', what: 'job', name })
  } catch (error) {
    return error as Error
  }
}

export const manifest = (change: Partial<Manifest> = {}): Manifest => manifestOf(FILES, change)

/** Resolves with a job of this computer's own that has ended. */
export const endOf = (live: LiveCore, id: string): Promise<JobView> =>
  new Promise((resolve) => {
    const stop = live.jobs.all.listen((jobs) => {
      const job = jobs.find((each) => each.id === id)
      if (job?.endedAt === undefined) return
      resolve(job)
      queueMicrotask(() => stop())
    })
  })
