import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { LivePoints } from '../../../src/main/core/live/live-points.ts'
import { safetyOf } from '../../../src/shared/safety.ts'
import { DEFAULT_STORE } from '../../../src/shared/host-paths.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { hostView, idAt, jobAt, NOW, PaperLaptop, pointAt, vmView } from './paper-laptop.ts'

const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

function laptop(hosts: readonly string[]): PaperLaptop {
  const made = new PaperLaptop(hosts)
  laptops.push(made)
  return made
}

/** So many that others have their turn while they are told. */
const many = (count: number, pauseMs: number) =>
  Array.from({ length: count }, (_, n) => pointAt(10 + n, { host: { name: 'alpha', machineId: '' }, pauseMs }))

/** A Stillpoint whose history is read as long as that takes, and which says of each point that it is about to be told. */
function watching({ core }: PaperLaptop, isRead: () => Promise<void>, telling: () => void): Core {
  const told = Object.create(core.history.told, {
    heard: {
      value: (id: string) => {
        telling()
        return core.history.told.heard(id)
      }
    }
  }) as typeof core.history.told
  const ofItsOwn = { told: { value: told }, ready: { value: isRead }, once: { value: undefined, writable: true } }
  return { ...core, history: Object.create(core.history, ofItsOwn) as typeof core.history }
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

describe('what was known before a Stillpoint started', () => {
  it('is told with all that is known of it, though telling began before that was', async () => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [])
    on.lists('beta', many(500, 0))
    const before = new LivePoints(on.core)
    await Promise.all(['alpha', 'beta'].map((host) => before.refresh(host)))
    on.hangs('beta')
    const [remembering, telling] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const isRead = async (): Promise<void> => {
      remembering.resolve(undefined)
      await telling.promise
    }
    const points = new LivePoints(watching(on, isRead, () => telling.resolve(undefined)))
    void points.refresh('beta')
    await remembering.promise
    await points.refresh('alpha')
    const told = points.all.value?.points ?? []
    expect(told).toHaveLength(500)
    expect(told.filter(({ notToldBy }) => notToldBy !== 'alpha')).toEqual([])
    expect(points.all.value).toMatchObject({ known: false, knownOf: ['alpha'] })
  })
})

describe('what a host lists', () => {
  /** Resolves when this is all that is told. */
  const told = ({ all }: LivePoints, id: string): Promise<void> =>
    new Promise((resolve) => {
      const stop = all.listen(({ points }) => {
        if (points.map((point) => point.id).join() !== id) return
        resolve()
        queueMicrotask(() => stop())
      })
    })

  it('is told, time after time, while the lines of all hosts wait to be written', async () => {
    const on = laptop(['alpha'])
    on.lists('alpha', [pointAt(30)])
    let written = Promise.resolve()
    const points = new LivePoints(
      watching(
        on,
        () => written,
        () => undefined
      )
    )
    await points.refresh('alpha')
    written = new Promise(() => undefined)
    for (const hours of [5, 1]) {
      on.lists('alpha', [pointAt(hours)])
      void points.refresh('alpha')
      await told(points, idAt(hours))
    }
    expect(seen(points)).toEqual([[idAt(1), [true]]])
  })
})

describe('what is being told as the computer wakes', () => {
  it('is as old as it was: a host that answers in between is known by what is told next', async () => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [pointAt(5)])
    on.lists('beta', many(1500, 0))
    let wake: (() => void) | undefined
    const points = new LivePoints(
      watching(
        on,
        () => on.history.ready(),
        () => wake?.()
      )
    )
    await Promise.all(['alpha', 'beta'].map((host) => points.refresh(host)))
    on.goes('alpha')
    await points.refresh('alpha')
    expect(points.all.value).toMatchObject({ known: true })

    const set = vi.spyOn(points.all, 'set')
    const told: { readonly hasAnswered: boolean; readonly isNew: boolean; readonly isKnown: boolean }[] = []
    set.mockImplementation(({ points: all, known, knownOf = [] }) => {
      const hasAnswered = points.isReachable({ kind: 'host', host: 'alpha', dir: DEFAULT_STORE })
      told.push({
        hasAnswered,
        isNew: all.some(({ id }) => id === idAt(1)),
        isKnown: known || knownOf.includes('alpha')
      })
    })
    const answered = Promise.withResolvers<undefined>()
    wake = () => {
      wake = undefined
      points.wake()
      on.lists('alpha', [pointAt(5), pointAt(1)])
      void points.refresh('alpha').then(() => answered.resolve(undefined))
    }
    on.lists('beta', many(1500, 1))
    await points.refresh('beta')
    await answered.promise
    expect(told.filter(({ hasAnswered, isNew }) => hasAnswered && !isNew)).not.toEqual([])
    expect(told.filter(({ isNew }) => !isNew).map(({ isKnown }) => isKnown)).not.toContain(true)
    expect(told.at(-1)).toEqual({ hasAnswered: true, isNew: true, isKnown: true })
  })
})
