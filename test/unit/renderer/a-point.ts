import type { PointView } from '../../../src/shared/views/point-view.ts'

export const uuid = '11111111-2222-4333-8444-555555555555'
const GIB = 1024 ** 3
let serial = 0

/** A point as lists show it: live, with RAM, in its host's own store. */
export function aPoint(change: Partial<PointView> = {}): PointView {
  const id = `20261122T201744Z-${(serial++).toString(16).padStart(6, '0')}`
  return {
    id,
    vm: { uuid, name: 'web1' },
    host: 'alpha',
    takenAt: '2026-11-22T20:17:44.000Z',
    method: 'live',
    hasMemory: true,
    disks: [{ target: 'vda', source: '/images/web1.qcow2' }],
    sizeBytes: 9 * GIB,
    pauseMs: 48,
    warnings: [],
    places: [aPlace('alpha')],
    marks: { pinned: false },
    ...change
  }
}

export const aPlace = (label: string): PointView['places'][number] => ({
  kind: 'host',
  host: label,
  dir: '/var/lib/stillpoint/points',
  label,
  reachable: true
})
