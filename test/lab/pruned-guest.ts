import { buildSync } from 'esbuild'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { FreshPoint } from '../../src/engine/retention/prune.ts'
import { DEFAULT_STORE, runtimePath } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import type { KeepRules, Policy } from '../../src/shared/model/policy.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { copyPoint, daysAgo, TEMPLATES } from './point-copies.ts'
import type { PruneAnswer } from './prune-entry.ts'

const NIGHTLY = { id: 'abcdef012345', name: 'nightly' }
const ENTRY = '/var/lib/stillpoint/engine/prune-entry.mjs'

export interface PruneOptions {
  readonly store?: string
  readonly fresh?: readonly FreshPoint[]
  readonly know?: boolean
  readonly clock?: Date
  readonly fault?: string
}

/** A guest whose points under one policy are made by copying, and pruned by the engine's own function on its host. */
export class PrunedGuest {
  readonly host: LabHost
  readonly engine: BareEngine
  readonly guest: Guest
  /** Of the points, newest first. */
  ids: string[] = []

  private constructor(engine: BareEngine, guest: Guest) {
    this.host = guest.host
    this.engine = engine
    this.guest = guest
  }

  static async on(host: LabHost): Promise<PrunedGuest> {
    const engine = await BareEngine.on(host)
    buildSync({
      entryPoints: [join(import.meta.dirname, 'prune-entry.ts')],
      outfile: join(host.tree, ENTRY),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      define: { __ENGINE_BUILT_AT__: JSON.stringify('2026-11-01') }
    })
    return new PrunedGuest(engine, await host.defineGuest({ name: 'pruned', ramMiB: 96, diskMiB: 8 }))
  }

  async remove(): Promise<void> {
    await this.guest.undefine()
    await this.empty()
    await this.host.must(['rm', '-rf', TEMPLATES, ENTRY, '/var/lib/stillpoint/stores.json'])
  }

  /** Without points, listed or in the trash. */
  async empty(): Promise<void> {
    await this.host.must(['rm', '-rf', `${DEFAULT_STORE}/${this.guest.uuid}`, `${DEFAULT_STORE}/.trash`])
  }

  /** Something to make copies of, which is itself no point of a store. */
  async takeTemplate(method: 'live' | 'offline'): Promise<Manifest> {
    const report = await this.engine.backup(this.guest, { method, policy: NIGHTLY })
    const path = `${DEFAULT_STORE}/${this.guest.uuid}/${report.point ?? report.state}`
    const manifest = JSON.parse(await this.host.readFile(`${path}/manifest.json`)) as Manifest
    await this.host.must(['mkdir', '-p', TEMPLATES])
    await this.host.must(['mv', path, TEMPLATES])
    return manifest
  }

  /** One point a night, the newest of them just now. */
  async nights(count: number, template: Manifest, store = DEFAULT_STORE): Promise<void> {
    this.ids = []
    for (let night = 0; night < count; night++)
      this.ids.push(await copyPoint(this.host, template, store, daysAgo(night + 0.001)))
  }

  /** Undefined if it was killed. */
  async prune(keep: Partial<KeepRules>, options: PruneOptions = {}): Promise<PruneAnswer | undefined> {
    const { store, clock, fault, know = true } = options
    const fresh = options.fresh ?? [{ vm: this.guest.uuid, point: this.ids[0] ?? '' }]
    const env = [
      ...(clock === undefined ? [] : [`STILLPOINT_CLOCK=${clock.toISOString()}`]),
      ...(fault === undefined ? [] : [`STILLPOINT_FAULT=${fault}`])
    ]
    const stdin = JSON.stringify({ policy: policyWith(keep, store), fresh, know })
    const { stdout, stderr } = await this.host.run(['env', ...env, runtimePath('lab'), ENTRY], { stdin })
    expect(stderr).toBe('')
    return stdout === '' ? undefined : (JSON.parse(stdout) as PruneAnswer)
  }

  /** Newest first. */
  async listed(store = DEFAULT_STORE): Promise<string[]> {
    const { points, broken } = await this.engine.ask('points', { stores: [store], vm: this.guest.uuid })
    expect(broken).toEqual([])
    return points.map(({ id }) => id).reverse()
  }

  async trashed(store = DEFAULT_STORE): Promise<string[]> {
    const { stdout } = await this.host.run(`ls -d ${store}/.trash/*/*/ 2>/dev/null | xargs -r -n1 basename | sort -r`)
    return stdout.split('\n').filter((line) => line !== '')
  }
}

const policyWith = (keep: Partial<KeepRules>, store = DEFAULT_STORE): Policy => ({
  ...NIGHTLY,
  version: 1,
  hostName: 'alpha',
  store,
  budgetMs: 300,
  onBusy: 'pause',
  vms: { kind: 'all', exclude: [] },
  schedule: { calendar: '*-*-* 02:00', jitterSeconds: 0 },
  keep: { floor: 2, graceHours: 24, ...keep },
  tell: { onSuccess: false, onFailure: true, digest: 'none', mailTo: [] },
  changedAt: '2026-11-22T20:17:44.000Z'
})
