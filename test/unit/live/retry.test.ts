import { expect, it } from 'vitest'
import { retry } from '../../../src/main/core/live/errands.ts'
import type { LiveCore } from '../../../src/main/core/live/live-core.ts'
import type { KnownPoint } from '../../../src/main/core/points/point-places.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { FILES, manifestOf, POINT, VM } from '../store-points.ts'

const twin = { host: 'alpha', machineId: '', name: 'web', state: 'running', autostart: false, images: [] }
const spec: RestoreSpec = {
  kind: 'restore',
  vm: VM,
  vmName: 'web',
  hostName: 'beta',
  point: POINT,
  store: '/srv/points',
  mode: 'boot',
  replace: false,
  twins: [twin],
  originAway: 'gamma'
}

it('a restore that is tried again goes by where its VM runs now, and is known to have been begun here', async () => {
  const submitted: { id: string }[] = []
  const begun: unknown[] = []
  const places = [{ kind: 'host', host: 'alpha', dir: '/srv/points' }] as const
  const known: KnownPoint[] = []
  const gone = fakeShell({ virsh: { exitCode: 1, stderr: `error: failed to get domain '${VM}'` } })
  const call = (verb: string, question: unknown, options?: { onEvent: (entry: object) => void }): Promise<object> => {
    if (verb === 'submit') submitted.push(question as { id: string })
    else options?.onEvent({ n: 0, type: 'begin', spec })
    return Promise.resolve({})
  }
  const live = {
    core: {
      history: { addBegun: (line: unknown) => Promise.resolve(void begun.push(line)) },
      settings: { read: () => ({ hosts: [{ name: 'alpha' }, { name: 'beta' }] }) },
      connections: {
        engine: () => Promise.resolve({ call }),
        connected: () => Promise.resolve({ shell: gone })
      }
    },
    jobs: {
      find: () => ({ kind: 'restore', host: 'beta', point: POINT, vm: { uuid: VM, name: 'web' } }),
      idOnHost: (id: string) => id,
      began: () => 0
    },
    points: { find: () => known[0] }
  }
  await retry(live as unknown as LiveCore, POINT)
  const { twins: _, originAway: __, ...rest } = spec
  expect(submitted).toMatchObject([{ spec: { ...rest, twins: [] } }])
  expect(submitted[0]).not.toHaveProperty('spec.originAway')
  expect(begun).toEqual([])

  known.push({ manifest: manifestOf(FILES), places, marks: { pinned: false } })
  await retry(live as unknown as LiveCore, POINT)
  expect(begun).toMatchObject([
    { host: 'beta', job: submitted[1]?.id, point: POINT, vm: { uuid: VM }, places: ['alpha:/srv/points'] }
  ])
})
