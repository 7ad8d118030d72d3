import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Core } from '../../../src/main/core/core.ts'
import { LiveJobs } from '../../../src/main/core/live/live-jobs.ts'
import { LivePoints } from '../../../src/main/core/live/live-points.ts'
import { History } from '../../../src/main/core/settings/history.ts'
import { openSettings } from '../../../src/main/core/settings/settings-file.ts'
import type { Place } from '../../../src/main/core/settings/settings-schema.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import { DEFAULT_STORE } from '../../../src/shared/host-paths.ts'
import type { PointListing } from '../../../src/shared/engine-protocol.ts'
import type { JobReport } from '../../../src/shared/model/job.ts'
import type { Manifest } from '../../../src/shared/model/point.ts'
import { safetyOf, type VmSafety } from '../../../src/shared/safety.ts'
import type { HostView, VmView } from '../../../src/shared/views/host-view.ts'
import type { PointsView } from '../../../src/shared/views/point-view.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { ended, jobOf } from '../desktop/jobs.ts'
import { FILES, manifestOf, VM } from '../store-points.ts'

export const NOW = new Date('2026-11-25T10:00:00.000Z')
export const hoursAgo = (hours: number): string => new Date(NOW.getTime() - hours * 3_600_000).toISOString()
export const idAt = (hours: number, tail = '00000a'): string =>
  `${hoursAgo(hours).replaceAll(/[-:]|\.\d+/g, '')}-${tail}`

/** A point of the VM, named and taken then. */
export const pointAt = (hours: number, more: Partial<Manifest> = {}): Manifest =>
  manifestOf(FILES, { id: idAt(hours), jobId: idAt(hours), takenAt: hoursAgo(hours), ...more })

/** What a host says of the backup that took it, or of another job of that time. */
export function jobAt(hours: number, host: string, more: Partial<JobReport> = {}): JobReport {
  const begun = jobOf(1, { id: idAt(hours), host, vm: { uuid: VM, name: 'web' }, startedAt: hoursAgo(hours) })
  const { retryable: _, ...report } = ended(begun, more.state ?? 'done', hoursAgo(hours - 0.2))
  return { ...report, point: idAt(hours), ...more } as JobReport
}

export const vmView = (uuid: string = VM): VmView => ({
  uuid,
  name: 'web',
  state: 'running',
  ramBytes: 1,
  vcpus: 1,
  autostart: false,
  agent: 'absent',
  disks: []
})

export const hostView = (name: string, more: Partial<HostView> = {}): HostView => ({
  name,
  address: name,
  addedAt: hoursAgo(1000),
  state: 'up',
  asOf: NOW.toISOString(),
  vms: [],
  ...more
})

/** A Stillpoint whose hosts are on paper: what their stores list, and what they report. */
export class PaperLaptop {
  readonly folder = mkdtempSync(join(tmpdir(), 'stillpoint-laptop-'))
  readonly core: Core
  readonly history: History
  /** By host and directory; a host that has none does not answer. */
  private readonly stores = new Map<string, readonly Manifest[]>()
  private readonly reports = new Map<string, readonly JobReport[]>()
  private readonly marks = new Map<string, PointListing['marks']>()
  private readonly hanging = new Set<string>()

  constructor(hosts: readonly string[], places: readonly Place[] = []) {
    const settings = openSettings(this.folder)
    settings.update((before) => ({
      ...before,
      hosts: hosts.map((name) => ({ name, address: `${name}.example.org`, addedAt: '2026-01-01T00:00:00.000Z' })),
      places: [...places]
    }))
    this.history = new History(join(this.folder, 'history.jsonl'))
    const call =
      (host: string) =>
      (
        verb: string,
        { stores: [dir = DEFAULT_STORE] = [] }: { readonly stores?: readonly string[] }
      ): Promise<unknown> => {
        if (this.hanging.has(host)) return new Promise(() => undefined)
        const points = this.stores.get(`${host}:${dir}`)
        if (points === undefined)
          return Promise.reject(new StillpointError({ kind: 'host-unreachable', host, reason: 'no route' }))
        if (verb === 'jobs') return Promise.resolve(this.reports.get(host) ?? [])
        return Promise.resolve({ points, broken: [], marks: this.marks.get(`${host}:${dir}`) ?? {} })
      }
    const connections = { engine: (host: string) => Promise.resolve({ call: call(host) }) }
    this.core = { folder: this.folder, settings, history: this.history, connections } as unknown as Core
  }

  lists(host: string, points: readonly Manifest[], dir: string = DEFAULT_STORE): void {
    this.stores.set(`${host}:${dir}`, points)
  }

  /** What a host says of its jobs when it is asked for all of them. */
  did(host: string, jobs: readonly JobReport[]): void {
    this.reports.set(host, jobs)
  }

  /** A host that is known by the id of its machine too. */
  knows(host: string, machineId: string): void {
    this.core.settings.update((before) => ({
      ...before,
      hosts: before.hosts.map((each) => (each.name === host ? { ...each, machineId } : each))
    }))
  }

  /** From now on it neither answers nor fails. */
  hangs(host: string): void {
    this.hanging.add(host)
  }

  /** From now on it does not answer. */
  goes(host: string): void {
    for (const store of this.stores.keys()) if (store.startsWith(`${host}:`)) this.stores.delete(store)
  }

  /** A store more in the settings, as when a policy has named it. */
  learns(place: Place): void {
    this.core.settings.update((before) => ({ ...before, places: [...before.places, place] }))
  }

  /** What a host's own store says that checks of its points have found. */
  marked(host: string, marks: PointListing['marks'], dir: string = DEFAULT_STORE): void {
    this.marks.set(`${host}:${dir}`, marks)
  }

  /** As a Stillpoint that has just started on this folder sees it, which hears the reports from their hosts. */
  async sees(
    hosts: readonly HostView[],
    heard: readonly JobReport[] = []
  ): Promise<{ readonly vms: readonly VmSafety[]; readonly points: PointsView | undefined }> {
    const core = { ...this.core, history: new History(join(this.folder, 'history.jsonl')) }
    const jobs = new LiveJobs(core, () => undefined)
    const points = new LivePoints(core)
    await jobs.remembered
    for (const { name } of hosts) {
      await jobs.heard(
        name,
        heard.filter(({ host }) => host === name)
      )
      await points.refresh(name)
    }
    await points.refresh(undefined)
    await core.history.ready()
    const seen = { hosts, points: points.all.value, jobs: jobs.all.value, choices: DEFAULT_CHOICES }
    jobs.stop()
    return { vms: safetyOf(seen, NOW), points: seen.points }
  }
}
