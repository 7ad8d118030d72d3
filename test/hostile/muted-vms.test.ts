import { describe, expect, it } from 'vitest'
import { openNotices } from '../../src/main/desktop/open-notices.ts'
import { overallOf, safetyOf, type VmSafety } from '../../src/shared/safety.ts'
import { DEFAULT_CHOICES, type Choices } from '../../src/shared/views/settings-view.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import { seenOf } from '../unit/desktop/jobs.ts'
import { hostView, NOW, pointAt, vmView } from '../unit/live/paper-laptop.ts'
import { POINT, VM } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('choices about VMs of one UUID on two hosts')

const at = NOW.toISOString()
const of = (name: string): HostView => hostView(name, { vms: [{ ...vmView(), name: `${name}'s` }] })
const orders = [
  ['good', 'evil'],
  ['evil', 'good']
]
const CHOSEN = {
  muted: (host?: string): Partial<Choices> => ({
    muted: [{ ...(host && { host }), uuid: VM, name: 'x', reason: 'x', at }]
  }),
  acknowledged: (host?: string): Partial<Choices> => ({
    acknowledged: [{ ...(host && { host }), uuid: VM, what: 'silent:-', at }]
  })
}
const cases = orders.flatMap((order) => (['muted', 'acknowledged'] as const).map((what) => ({ order, what })))

const seenWith = (order: readonly string[], choices: Partial<Choices>): readonly VmSafety[] =>
  safetyOf(
    {
      hosts: order.map(of),
      points: { points: [], broken: [], known: true },
      jobs: [],
      choices: { ...DEFAULT_CHOICES, ...choices }
    },
    NOW
  )
const isCalm = ({ safety, isAcknowledged }: VmSafety): boolean => safety === 'muted' || isAcknowledged
const calm = (vms: readonly VmSafety[]): string[] => vms.filter(isCalm).map(({ host }) => host)

describe('a VM that another host shows under its UUID', () => {
  it.each(cases)('is not $what with it: $order', async ({ order, what }) => {
    await tally.tried(() => {
      const vms = seenWith(order, CHOSEN[what]('evil'))
      expect(calm(vms)).toEqual(['evil'])
      expect(overallOf(order.map(of), vms)).toBe('danger')
      expect(calm(seenWith(order, CHOSEN[what]('good')))).toEqual(['good'])
    })
  })

  it.each(cases)(
    'is not $what by a choice that names no host, which holds where one host has it: $order',
    async ({ order, what }) => {
      await tally.tried(() => {
        expect(calm(seenWith(order, CHOSEN[what]()))).toEqual([])
        expect(calm(seenWith(order.slice(0, 1), CHOSEN[what]()))).toEqual(order.slice(0, 1))
      })
    }
  )

  it.each([{ muted: CHOSEN.muted('evil').muted }, { acknowledged: [{ host: 'evil', uuid: VM, what: POINT, at }] }])(
    'does not have its failures silenced in the tray: %o',
    async (change) => {
      await tally.tried(() => {
        const about = [{ what: 'job', job: POINT, kind: 'backup', host: 'good', vm: VM, endedAt: at }] as const
        const notice = { id: 'n', at, severity: 'failure', title: 'x', text: '', acknowledged: false, about } as const
        const choices = { ...DEFAULT_CHOICES, ...change } as Choices
        expect(openNotices(seenOf({ notices: [notice], choices, hosts: [of('evil'), of('good')] }))).toHaveLength(1)
      })
    }
  )

  it('while it is gone from its own host is not good by that', async () => {
    await tally.tried(() => {
      const { id, takenAt, vm } = pointAt(1)
      const place = { kind: 'host', host: 'good', dir: '/', label: 'good', reachable: true } as const
      const point = {
        id,
        takenAt,
        vm,
        host: 'good',
        method: 'live',
        hasMemory: false,
        sizeBytes: 1,
        pauseMs: 1,
        warnings: []
      } as const
      const points = [{ ...point, disks: [{ target: 'vda', source: 'x' }], places: [place], marks: { pinned: false } }]
      const hosts = [hostView('good'), of('evil')]
      const known = { hosts, points: { points, broken: [], known: true }, jobs: [], choices: DEFAULT_CHOICES }
      expect(overallOf(hosts, safetyOf(known, NOW))).toBe('danger')
    })
  })
})
