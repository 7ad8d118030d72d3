import { EventEmitter } from 'node:events'
import { rmSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import * as z from 'zod'
import { afterEach, describe, expect, it } from 'vitest'
import { LivePoints } from '../../src/main/core/live/live-points.ts'
import { LiveValue } from '../../src/main/core/live/live-value.ts'
import { openPushes, type Pushes } from '../../src/main/doors/pushes.ts'
import { talkTo } from '../../src/main/doors/serve/client.ts'
import { contract } from '../../src/shared/contract.ts'
import { push, type Stop } from '../../src/shared/contract-shape.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { PointsView } from '../../src/shared/views/point-view.ts'
import { PoliciesView } from '../../src/shared/views/policy-view.ts'
import { eventually } from '../patience.ts'
import { policyOf } from '../unit/made-policies.ts'
import { PaperLaptop } from '../unit/live/paper-laptop.ts'
import { manifestOf, OTHER_VM } from '../unit/store-points.ts'
import { longestPieceMs } from './cpu-time.ts'
import { runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('what windows are told')

const ends: Stop[] = []
afterEach(() => ends.splice(0).forEach((end) => end()))

const told = { points: { changed: contract.points.changed }, policies: { changed: contract.policies.changed } }

interface Windows {
  readonly pushes: Pushes
  /** What each of them has been told last of a channel. */
  lastOf(channel: string): readonly unknown[]
  /** Resolves when all of them have been told something more. */
  hear(): Promise<void>
}

/** Two windows on the real way to them, without a network. */
function windowsOn(sources: { points?: LiveValue<PointsView>; policies?: LiveValue<PoliciesView> }): Windows {
  const { points = new LiveValue<PointsView>(), policies = new LiveValue<PoliciesView>() } = sources
  const handlers = {
    points: { changed: (listener: (value: PointsView) => void) => points.listen(listener) },
    policies: { changed: (listener: (value: PoliciesView) => void) => policies.listen(listener) }
  }
  const pushes = openPushes(told, handlers as never, (bug) => expect.fail(bug.message))
  const frames: unknown[][] = [[], []]
  for (const heard of frames) {
    const socket = Object.assign(new EventEmitter(), {
      bufferedAmount: 0,
      send: (frame: unknown) => void heard.push(frame)
    })
    talkTo(socket as unknown as WebSocket, () => Promise.reject(new Error('nothing is asked')), pushes)
    ends.push(() => socket.emit('close'))
  }
  ends.push(() => pushes.stop())
  const parsed = (heard: unknown[]): { push: string; value: unknown }[] =>
    heard.map((frame) => JSON.parse(String(frame)) as { push: string; value: unknown })
  return {
    pushes,
    lastOf: (channel) => frames.map((heard) => parsed(heard).findLast((frame) => frame.push === channel)?.value),
    hear: async () => {
      const before = frames.map(({ length }) => length)
      while (frames.some(({ length }, n) => length === before[n])) await setImmediate()
    }
  }
}

const idOf = (n: number): string => `20261122T201744Z-${n.toString(16).padStart(6, '0')}`
const at = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString()
const claiming = (n: number): Manifest =>
  manifestOf(
    {},
    {
      id: idOf(n),
      takenAt: at(n),
      vm: { uuid: OTHER_VM, name: 'x' },
      host: { name: 'claimed', machineId: '' }
    }
  )

function flooded(): { laptop: PaperLaptop; points: LivePoints; windows: Windows } {
  const laptop = new PaperLaptop(['bad'])
  ends.push(() => rmSync(laptop.folder, { recursive: true }))
  laptop.lists(
    'bad',
    Array.from({ length: 12_000 }, (_, n) => claiming(n))
  )
  const points = new LivePoints(laptop.core)
  return { laptop, points, windows: windowsOn({ points: points.all }) }
}

/** What is done to them when they are told already, or not. */
const NEWS: Readonly<Record<string, (all: ReturnType<typeof flooded>) => Promise<void>>> = {
  'all of them are new': ({ points }) => points.refresh('bad'),
  'the mark of one is another': async ({ laptop, points }) => {
    laptop.marked('bad', { [idOf(11_999)]: { pinned: true } })
    await points.refresh('bad')
  },
  'a host of the name that all of them claim is new': async ({ laptop, points }) => {
    laptop.core.settings.update((before) => ({
      ...before,
      hosts: [...before.hosts, { name: 'claimed', address: 'claimed', addedAt: at(0) }]
    }))
    await points.follow()
  }
}

describe('a host that lists points without end, while windows are open', () => {
  it.each(Object.keys(NEWS))('holds nobody up when %s', async (what) => {
    await tally.tried(async () => {
      const tries: ReturnType<typeof flooded>[] = []
      for (let n = 0; n < 5; n += 1) {
        const each = flooded()
        if (what !== 'all of them are new') {
          const heard = each.windows.hear()
          await each.points.refresh('bad')
          await heard
        }
        tries.push(each)
      }
      let last: ReturnType<typeof flooded> | undefined
      const piece = await longestPieceMs(() => {
        const each = tries.pop() ?? expect.fail('no more tries')
        last = each
        return () => Promise.all([each.windows.hear(), NEWS[what]?.(each)])
      })
      const heard = last?.windows.lastOf('points.changed') ?? []
      const whole = JSON.stringify(PointsView.parse(last?.points.all.value))
      expect(last?.points.all.value?.points.length).toBeGreaterThan(5000)
      expect(heard.map((value) => JSON.stringify(value) === whole)).toEqual([true, true])
      expect(piece).toBeLessThan(50)
    })
  })
})

/** What fits into an answer: each of a hundred policies of a host means a thousand VMs, and has been run. */
const policies = (): PoliciesView => ({
  hosts: [
    {
      host: 'bad',
      asOf: at(0),
      reachable: true,
      broken: [],
      timeZone: 'UTC',
      parallel: 1,
      channels: {},
      outbox: [],
      policies: Array.from({ length: 100 }, (_, n) => ({
        policy: policyOf({
          id: n.toString(16).padStart(12, '0'),
          vms: { kind: 'chosen', vms: Array.from({ length: 1000 }, () => ({ uuid: OTHER_VM, name: 'x' })) }
        }),
        lastRun: runReport(1, {
          vms: Array.from({ length: 400 }, () => ({ vm: { uuid: OTHER_VM, name: 'x' }, outcome: 'done' as const }))
        })
      }))
    }
  ],
  known: true
})

describe('a host whose policies are long, while windows are open', () => {
  it('holds nobody up when they are told', async () => {
    await tally.tried(async () => {
      const tries = Array.from({ length: 5 }, () => {
        const source = new LiveValue<PoliciesView>()
        return { source, value: policies(), windows: windowsOn({ policies: source }) }
      })
      let last: (typeof tries)[number] | undefined
      const piece = await longestPieceMs(() => {
        const { source, value, windows } = (last = tries.pop() ?? expect.fail('no more tries'))
        return () => {
          source.set(value)
          return windows.hear()
        }
      })
      const heard = last?.windows.lastOf('policies.changed') ?? []
      const whole = JSON.stringify(PoliciesView.parse(last?.value))
      expect(heard.map((value) => JSON.stringify(value) === whole)).toEqual([true, true])
      expect(piece).toBeLessThan(50)
    })
  })
})

describe('a long list in which an entry does not fit', () => {
  it('is told without it, or with what is said instead, and no other entry is lost', async () => {
    await tally.tried(async () => {
      const names = Array.from({ length: 1000 }, (_, n) => ({ name: String(n).padStart(100) }))
      const value = new LiveValue<readonly { name: unknown }[]>()
      const schema = z.array(z.object({ name: z.string() })).readonly()
      const bugs: unknown[] = []
      const listen = { changed: (listener: (names: never) => void) => value.listen(listener as never) }
      const pushes = openPushes(
        { out: { changed: push(schema) }, instead: { changed: { ...push(schema), instead: () => ({ name: 'odd' }) } } },
        { out: listen, instead: listen },
        (bug) => bugs.push(bug)
      )
      for (const _ of 'again') {
        value.set([...names, { name: 7 }, { name: 'last' }])
        await eventually(() => {
          const [out, instead] = ['out', 'instead'].map(
            (channel) => JSON.parse(pushes.latest(`${channel}.changed`)?.json ?? '[]') as unknown
          )
          expect(out).toEqual([...names, { name: 'last' }])
          expect(instead).toEqual([...names, { name: 'odd' }, { name: 'last' }])
        })
      }
      expect(bugs).toHaveLength(2)
      pushes.stop()
    })
  })
})
