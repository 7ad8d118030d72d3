import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { verdictOf } from '../../src/renderer/features/vm/point-words.ts'
import { suggested } from '../../src/renderer/features/restore/point-groups.ts'
import type { PointListing } from '../../src/shared/engine-protocol.ts'
import type { Safety } from '../../src/shared/safety.ts'
import { hasSoundCopy } from '../../src/shared/told-by.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import { hostView, hoursAgo, idAt, jobAt, PaperLaptop, pointAt, vmView } from '../unit/live/paper-laptop.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('verdicts on copies of a point')
const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

type Says = 'damaged' | 'good' | 'nothing' | 'no copy'
const marksOf = (says: Says): PointListing['marks'] =>
  says === 'damaged' || says === 'good'
    ? { [idAt(5)]: { pinned: false, verified: { at: hoursAgo(1), good: says === 'good' } } }
    : {}

async function seen(
  own: Says,
  others: Says
): Promise<{ readonly safety?: Safety; readonly points: readonly PointView[] }> {
  const laptop = new PaperLaptop(['good', 'bad'])
  laptops.push(laptop)
  for (const [host, says] of [
    ['good', own],
    ['bad', others]
  ] as const) {
    laptop.lists(host, says === 'no copy' ? [] : [pointAt(5)])
    laptop.marked(host, marksOf(says))
  }
  const { vms, points } = await laptop.sees(
    [hostView('good', { vms: [vmView()] }), hostView('bad')],
    [jobAt(5, 'good')]
  )
  const [vm] = vms
  return { ...(vm && { safety: vm.safety }), points: points?.points ?? [] }
}

const CASES: readonly (readonly [own: Says, others: Says, safety: Safety, shown: string | undefined])[] = [
  ['nothing', 'damaged', 'good', 'damaged on bad'],
  ['good', 'damaged', 'good', 'damaged on bad'],
  ['damaged', 'good', 'none', 'damaged on good'],
  ['damaged', 'nothing', 'none', 'damaged on good'],
  ['damaged', 'damaged', 'none', 'damaged'],
  ['nothing', 'nothing', 'good', undefined],
  ['good', 'nothing', 'good', 'verified'],
  ['no copy', 'damaged', 'none', 'damaged'],
  ['no copy', 'nothing', 'good', undefined]
]

describe('what two hosts say of their copies of a point', () => {
  it.each(CASES)('the own host %s, another %s: its VM is %s, the point %s', async (own, others, safety, shown) => {
    await tally.tried(async () => {
      const { safety: found, points } = await seen(own, others)
      expect(found).toBe(safety)
      expect(points.map(verdictOf).map((verdict) => verdict?.label)).toEqual([shown])
    })
  })

  it('a copy on this computer makes up for damage on the host, a copy on another does not', async () => {
    await tally.tried(async () => {
      const [point] = (await seen('damaged', 'nothing')).points
      const here = { kind: 'local', dir: '/mnt/usb', label: '/mnt/usb', reachable: true } as const
      const sound = point && { ...point, places: [...point.places, here] }
      expect([point, sound].map((each) => each && hasSoundCopy(each, new Set(['good'])))).toEqual([false, true])
    })
  })

  it('the newest is offered for a restore, whatever another says of its own copy of it', async () => {
    await tally.tried(async () => {
      const { points } = await seen('nothing', 'damaged')
      const group = { uuid: '', name: '', host: 'good', points }
      expect(suggested(group)?.id).toBe(idAt(5))
    })
  })
})
