import { describe, expect, it } from 'vitest'
import { copy, restore, retry } from '../../../src/main/core/live/errands.ts'
import { ended, jobOf } from '../desktop/jobs.ts'
import { POINT, VM } from '../store-points.ts'
import { AskedHosts, endOf, manifest } from './asked-hosts.ts'

const RESTORE = { point: POINT, to: 'beta', mode: 'boot', replace: false } as const

describe('asking for the same again', () => {
  it('goes, for a restore, by where its VM runs now, and is known to have been begun here', async () => {
    const hosts = new AskedHosts({ alpha: [], beta: [manifest()] })
    const live = await hosts.live()
    const { id } = await restore(live, RESTORE)
    const looks = (): number => hosts.asked.filter(({ verb }) => verb === 'twins').length
    expect(looks()).toBe(1)
    const again = await retry(live, id)
    expect(looks()).toBe(2)
    expect(hosts.core.history.begun('beta', again.id)).toMatchObject({
      point: POINT,
      vm: { uuid: VM },
      places: ['beta']
    })
    const submitted = hosts.asked.filter(({ verb }) => verb === 'submit').map(({ question }) => question)
    expect(submitted).toHaveLength(2)
    expect(submitted).toMatchObject(submitted.map(() => ({ spec: { vm: VM, point: POINT, mode: 'boot', twins: [] } })))
  })

  it('takes the same point to the same place, for a copy that failed', async () => {
    const hosts = new AskedHosts({ alpha: [manifest()], beta: [] })
    const live = await hosts.live()
    const { id } = await copy(live, POINT, 'beta')
    expect(await endOf(live, id)).toMatchObject({ state: 'failed-clean', retryable: true })
    const again = await retry(live, id)
    expect(await endOf(live, again.id)).toMatchObject({ kind: 'copy', host: 'beta', point: POINT })
  })

  it('begins a backup of which only its host knows by the order that it keeps', async () => {
    const hosts = new AskedHosts({ alpha: [] })
    const live = await hosts.live()
    const spec = { kind: 'backup', vm: VM, vmName: 'web', hostName: 'alpha', store: '/s', budgetMs: 1, onBusy: 'pause' }
    hosts.journal = () => [{ n: 0, type: 'begin', spec }]
    const { retryable: _, ...known } = ended(jobOf(1, { id: POINT, vm: { uuid: VM, name: 'web' } }), 'failed-clean')
    await live.jobs.heard('alpha', [{ ...known, kind: 'backup', failure: undefined }])
    await retry(live, POINT)
    expect(hosts.asked.find(({ verb }) => verb === 'submit')?.question).toMatchObject({ spec })
  })
})
