import type { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { tmpdir } from 'node:os'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JobContext } from '../../../src/engine/jobs/job-context.ts'
import { warningOfUnseen } from '../../../src/engine/retention/between-hosts.ts'
import type * as Clock from '../../../src/engine/retention/clock.ts'
import { makeRoom } from '../../../src/engine/retention/make-room.ts'
import type * as FileSystems from '../../../src/engine/room/file-systems.ts'
import type { Mount } from '../../../src/engine/room/file-systems.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import type { Shell } from '../../../src/shared/shell.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import type * as HostPaths from '../../../src/shared/host-paths.ts'
import { noteVerdict } from '../../../src/store/mark-point.ts'
import { listPoints } from '../../../src/store/point-store.ts'
import { policyOf } from '../made-policies.ts'
import { FILES, LATER_POINT, POINT, VM, makePoint, temporaryStore } from '../store-points.ts'

const state = vi.hoisted(() => ({ dir: '', mount: undefined as Mount | undefined }))
vi.mock('../../../src/engine/room/file-systems.ts', async (original) => ({
  ...(await original<typeof FileSystems>()),
  mountAt: () => Promise.resolve(state.mount)
}))
vi.mock('../../../src/engine/retention/clock.ts', async (original) => ({
  ...(await original<typeof Clock>()),
  hostClockProblem: () => Promise.resolve(undefined)
}))
vi.mock('../../../src/shared/host-paths.ts', async (original) => {
  const { mkdtempSync: make } = await vi.importActual<{ mkdtempSync: typeof mkdtempSync }>('node:fs')
  const { tmpdir: temporary } = await vi.importActual<{ tmpdir: typeof tmpdir }>('node:os')
  state.dir = make(`${temporary()}/stillpoint-state-`)
  return { ...(await original<typeof HostPaths>()), JOBS_DIR: `${state.dir}/jobs`, RUN_DIR: `${state.dir}/run` }
})
afterAll(() => rm(state.dir, { recursive: true, force: true }))

const mountOf = (fsType: string, ...options: string[]): Mount => ({
  id: '1',
  mountPoint: '/points',
  device: '0:50',
  fsType,
  source: 'server:/points',
  options
})
const BLIND = ['cifs', '9p', 'virtiofs'].map((fsType) => mountOf(fsType)).concat(mountOf('nfs', 'nolock'))
const SEEING = [mountOf('ext4'), mountOf('nfs4')]

beforeEach(() => {
  state.mount = undefined
})

interface Room {
  readonly freedBytes: number
  readonly notes: readonly string[]
  readonly left: readonly string[]
}

/** A backup of a policy that keeps one point comes into a full store with two; the newer one is proven, or is to be by `shell`. */
async function roomIn(mount: Mount | undefined, shell?: Shell): Promise<Room> {
  state.mount = mount
  const policy = policyOf({ store: await temporaryStore(), keep: { last: 1, floor: 1, graceHours: 24 } })
  const { store, id, name } = policy
  await makePoint(store, FILES, { policy: { id, name } })
  await makePoint(store, FILES, { id: LATER_POINT, takenAt: '2026-11-22T21:17:44.123Z', policy: { id, name } })
  if (shell === undefined)
    await noteVerdict(store, { point: LATER_POINT, good: true, checkedBytes: 1, problems: [], notes: [] })
  const notes: string[] = []
  const job = {
    id: '20261128T050000Z-00beef',
    shell: shell ?? fakeShell(() => ''),
    signal: new AbortController().signal,
    step: (_: string, __: unknown, work: () => Promise<unknown>) => work(),
    note: (text: string) => void notes.push(text),
    progress: () => undefined
  } as unknown as JobContext
  const freedBytes = await makeRoom({ job, policy, vm: VM, missingBytes: 1 })
  return { freedBytes, notes, left: (await listPoints(store)).points.map((point) => point.id) }
}

describe('a full store whose locks do not hold between hosts', () => {
  it.each(BLIND.map((mount) => [mount.fsType, mount]))(
    'keeps all its points (%s), and it is said why',
    async (_, mount) => {
      const { freedBytes, notes, left } = await roomIn(mount)
      expect({ freedBytes, left: left.toSorted() }).toEqual({ freedBytes: 0, left: [POINT, LATER_POINT] })
      expect(notes).toEqual([expect.stringMatching(/^no room is made in .*locks on .* hold between hosts/)])
    }
  )

  it('keeps them also where nobody knows what file system it is', async () =>
    expect((await roomIn(undefined)).left).toHaveLength(2))

  it.each(SEEING.map((mount) => [mount.fsType, mount]))(
    'is another matter than one where they do (%s)',
    async (_, mount) => expect((await roomIn(mount)).left).toEqual([LATER_POINT])
  )
})

describe('a full store whose newer point has to be checked first', () => {
  it('loses the older one where it is good', async () =>
    expect(
      (
        await roomIn(
          mountOf('ext4'),
          fakeShell(() => '')
        )
      ).left
    ).toEqual([LATER_POINT]))

  it('keeps both where the check does not come to an end, and it is said why', async () => {
    const failure = { kind: 'timeout', what: 'qemu-img', afterMs: 1 } as const
    const stalled: Shell = { label: 'here', run: () => Promise.reject(new StillpointError(failure)) }
    const { freedBytes, notes, left } = await roomIn(mountOf('ext4'), stalled)
    expect({ freedBytes, left: left.toSorted() }).toEqual({ freedBytes: 0, left: [POINT, LATER_POINT] })
    expect(notes).toEqual([expect.stringContaining('could not be checked, and no room is made on its account')])
  })
})

describe('who uses a store is told', () => {
  it.each(BLIND.map((mount) => [mount.fsType, mount]))(
    'that nobody sees there what other hosts do (%s)',
    async (fsType, mount) => {
      state.mount = mount
      expect(await warningOfUnseen('/points')).toMatch(
        `Locks on /points (${fsType}) are not known to hold between hosts`
      )
    }
  )

  it.each(SEEING.map((mount) => [mount.fsType, mount]))('nothing where locks hold (%s)', async (_, mount) => {
    state.mount = mount
    expect(await warningOfUnseen('/points')).toBeUndefined()
  })
})
