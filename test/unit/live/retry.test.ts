import { expect, it } from 'vitest'
import { retry } from '../../../src/main/core/live/errands.ts'
import type { LiveCore } from '../../../src/main/core/live/live-core.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { POINT, VM } from '../store-points.ts'

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

it('a restore that is tried again goes by where its VM runs now, not by where it ran then', async () => {
  const submitted: unknown[] = []
  const gone = fakeShell({ virsh: { exitCode: 1, stderr: `error: failed to get domain '${VM}'` } })
  const call = (verb: string, question: unknown, options?: { onEvent: (entry: object) => void }): Promise<object> => {
    if (verb === 'submit') submitted.push(question)
    else options?.onEvent({ n: 0, type: 'begin', spec })
    return Promise.resolve({})
  }
  const live = {
    core: {
      settings: {
        read: () => ({
          hosts: [
            { name: 'alpha', address: 'alpha' },
            { name: 'beta', address: 'beta' }
          ]
        })
      },
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
    points: { find: () => undefined }
  }
  await retry(live as unknown as LiveCore, POINT)
  const { twins: _, originAway: __, ...rest } = spec
  expect(submitted).toMatchObject([{ spec: { ...rest, twins: [] } }])
  expect(submitted[0]).not.toHaveProperty('spec.originAway')
})
