import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { LivePoints } from '../../../src/main/core/live/live-points.ts'
import { safetyOf } from '../../../src/shared/safety.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { hostView, idAt, jobAt, NOW, PaperLaptop, pointAt, vmView } from './paper-laptop.ts'

const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

function laptop(hosts: readonly string[]): PaperLaptop {
  const made = new PaperLaptop(hosts)
  laptops.push(made)
  return made
}

const seen = ({ all }: LivePoints) =>
  (all.value?.points ?? []).map(({ id, places }) => [id, places.map(({ reachable }) => reachable)])

describe('what a host said last', () => {
  it('stays as it was when the host goes in that minute: what came, and what was deleted', async () => {
    const on = laptop(['alpha'])
    const points = new LivePoints(on.core)
    on.lists('alpha', [pointAt(30)])
    await points.refresh('alpha')
    on.lists('alpha', [pointAt(5)])
    await points.refresh('alpha')
    expect(seen(points)).toEqual([[idAt(5), [true]]])
    for (const _ of [1, 2]) {
      on.goes('alpha')
      await points.refresh('alpha')
      expect(seen(points)).toEqual([[idAt(5), [false]]])
    }
    on.lists('alpha', [pointAt(5), pointAt(1)])
    await points.refresh('alpha')
    expect(seen(points)).toEqual([
      [idAt(5), [true]],
      [idAt(1), [true]]
    ])
  })

  it('is known to whoever starts anew in that minute', async () => {
    const on = laptop(['alpha'])
    const points = new LivePoints(on.core)
    on.lists('alpha', [pointAt(30)])
    await points.refresh('alpha')
    on.lists('alpha', [pointAt(5)])
    await points.refresh('alpha')
    on.goes('alpha')
    const again = new LivePoints(on.core)
    await again.refresh('alpha')
    expect(seen(again)).toEqual([[idAt(5), [false]]])
  })
})

describe('a copy on another host, of a point that its own no longer has', () => {
  it('counts from the beginning, also where that host has still to answer', async () => {
    const on = laptop(['alpha', 'beta'])
    await on.history.addJobs([jobAt(5, 'alpha')])
    on.lists('alpha', [])
    on.lists('beta', [pointAt(5)])
    const before = new LivePoints(on.core)
    await Promise.all(['alpha', 'beta'].map((host) => before.refresh(host)))
    on.hangs('beta')
    const points = new LivePoints(on.core)
    void points.refresh('beta')
    await points.refresh('alpha')
    const hosts = [hostView('alpha', { vms: [vmView()] }), hostView('beta', { state: 'connecting', asOf: undefined })]
    const now = { points: points.all.value, jobs: [], choices: DEFAULT_CHOICES }
    expect(points.all.value).toMatchObject({ known: false, knownOf: ['alpha'] })
    expect(safetyOf({ hosts, ...now }, NOW)).toMatchObject([{ host: 'alpha', safety: 'good' }])
  })
})
