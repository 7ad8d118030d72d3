import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { followJob, type Follow } from '../../../src/main/core/jobs/follow-job.ts'
import { FollowTurns } from '../../../src/main/core/jobs/follow-turns.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import { newTimeSortedId } from '../../../src/shared/model/ids.ts'
import { jobReport } from '../../hostile/reports.ts'

const ids = Array.from({ length: 16 }, (_, n) => newTimeSortedId(new Date(n * 1000), (bytes) => new Uint8Array(bytes)))
const at = '2026-11-22T20:17:44.000Z'

/** A host whose jobs say something whenever they are listened to, and end when all of them have said five things. */
class BusyHost {
  open = 0
  most = 0
  readonly said = new Map<string, number>()

  readonly follow: Follow = async ({ id, from }, { onEvent, signal }) => {
    this.open += 1
    this.most = Math.max(this.most, this.open)
    try {
      for (let n = from; ; n += 1) {
        if (signal?.aborted === true) throw new StillpointError({ kind: 'cancelled', what: 'follow' })
        if (ids.every((each) => (this.said.get(each) ?? 0) >= 5)) return { ...jobReport(0), id }
        await onEvent?.({ n, at, type: 'note', text: `${n}` })
        this.said.set(id, n + 1)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    } finally {
      this.open -= 1
    }
  }
}

describe('jobs of one host that run at the same time', () => {
  it('are all followed, a few at a time, and nothing that they say is lost or heard twice', async () => {
    const host = new BusyHost()
    const turns = new FollowTurns(3)
    const heard = new Map(ids.map((id) => [id, [] as number[]]))
    await Promise.all(
      ids.map((id) =>
        followJob(host.follow, id, {
          turns,
          onWatched: (what) => what.type === 'entry' && heard.get(id)?.push(what.entry.n)
        })
      )
    )
    expect(host.most).toBe(3)
    for (const id of ids) expect(heard.get(id)).toEqual(Array.from({ length: host.said.get(id) ?? 0 }, (_, n) => n))
  })

  it('hold no place when nobody wants to follow them any more', async () => {
    const turns = new FollowTurns(1_000_000)
    const first = await Promise.all([1, 2, 3].map(() => turns.next(undefined)))
    const stop = new AbortController()
    const given = turns.next(stop.signal)
    const waits = turns.next(undefined)
    stop.abort()
    expect((await given).signal.aborted).toBe(true)
    first[0]?.end()
    first[0]?.end()
    expect((await waits).signal.aborted).toBe(false)
  })

  it('leave nothing behind of a turn that came: they are followed for days, and wait for thousands of them', async () => {
    const turns = new FollowTurns(1_000_000)
    const first = await turns.next(undefined)
    await Promise.all([turns.next(undefined), turns.next(undefined)])
    const { signal } = new AbortController()
    const waits = turns.next(signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    first.end()
    await waits
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('go on with their turn while nobody waits', async () => {
    const turns = new FollowTurns(1)
    const turn = await turns.next(undefined)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(turn.signal.aborted).toBe(false)
    await Promise.all([turns.next(undefined), turns.next(undefined)])
    const stop = new AbortController()
    const fourth = turns.next(stop.signal)
    expect(turn.signal.aborted).toBe(true)
    turn.end()
    expect((await fourth).signal.aborted).toBe(false)
  })
})
