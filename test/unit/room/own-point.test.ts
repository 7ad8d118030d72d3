import { spawnSync } from 'node:child_process'
import { existsSync, type mkdtempSync } from 'node:fs'
import type * as FsPromises from 'node:fs/promises'
import { mkdir, rename, rm } from 'node:fs/promises'
import type { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { CapturePlan } from '../../../src/engine/capture/capture-plan.ts'
import { beginOwnPoint, letGoOfOwnPoint } from '../../../src/engine/capture/own-point.ts'
import type { JobContext } from '../../../src/engine/jobs/job-context.ts'
import { knowStore } from '../../../src/engine/retention/known-stores.ts'
import { failureOf } from '../../../src/shared/failure.ts'
import type * as HostPaths from '../../../src/shared/host-paths.ts'
import type { BackupSpec } from '../../../src/shared/model/job.ts'
import { ownerPath } from '../../../src/store/owner.ts'
import { dropUnfinished } from '../../../src/store/point-store.ts'
import { POINT, VM, temporaryStore } from '../store-points.ts'

const state = vi.hoisted(() => ({ dir: '', isFull: false }))
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof FsPromises>()
  const full = (): Promise<never> => Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
  return {
    ...fs,
    mkdir: (...asked: Parameters<typeof fs.mkdir>) => (state.isFull ? full() : fs.mkdir(...asked)),
    statfs: async (path: string) => Object.assign(await fs.statfs(path), state.isFull && { bavail: 1 })
  }
})
vi.mock('../../../src/shared/host-paths.ts', async (original) => {
  const { mkdtempSync: make } = await vi.importActual<{ mkdtempSync: typeof mkdtempSync }>('node:fs')
  const { tmpdir: temporary } = await vi.importActual<{ tmpdir: typeof tmpdir }>('node:os')
  state.dir = make(`${temporary()}/stillpoint-state-`)
  return {
    ...(await original<typeof HostPaths>()),
    STORES_FILE: `${state.dir}/stores.json`,
    STORE_MOUNTS_FILE: `${state.dir}/store-mounts.json`,
    RUN_DIR: `${state.dir}/run`
  }
})
afterAll(() => rm(state.dir, { recursive: true, force: true }))

const begin = (store: string): Promise<void> => {
  const job = { id: POINT, spec: { store, hostName: 'alpha' } } as unknown as JobContext<BackupSpec>
  return beginOwnPoint(job, { vm: VM } as CapturePlan)
}

describe('the folder of a point that is begun', () => {
  it('is made in the store that this host knows', async () => {
    const store = await temporaryStore()
    await knowStore(store, false)
    await begin(store)
    expect(existsSync(ownerPath(join(store, VM, POINT)))).toBe(true)
  })

  it('is held, which keeps its store from being unmounted, until its job is told to be over', async () => {
    const store = await temporaryStore()
    await knowStore(store, false)
    await begin(store)
    const isFree = (): boolean => spawnSync('flock', ['-n', ownerPath(join(store, VM, POINT)), 'true']).status === 0
    expect(isFree()).toBe(false)
    await letGoOfOwnPoint()
    expect(isFree()).toBe(true)
  })

  it('is none where the store went away since it was looked at: its disk was unmounted, and a folder is below', async () => {
    const store = await temporaryStore()
    await knowStore(store, false)
    await rename(store, join(dirname(store), 'unmounted'))
    await mkdir(store)
    await expect(begin(store)).rejects.toThrow(/store-changed.*carries no identity/)
    await dropUnfinished(join(store, VM, POINT))
    expect(existsSync(join(store, VM))).toBe(false)
  })

  it('is none where the store is full, which is said as that: the next backup makes room', async () => {
    const store = await temporaryStore()
    await knowStore(store, false)
    state.isFull = true
    const failure = await begin(store).then(() => undefined, failureOf)
    state.isFull = false
    expect(failure).toMatchObject({ kind: 'no-room', path: store })
  })
})
