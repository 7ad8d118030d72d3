import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { ENGINE_LIMITS, LONGEST_LINE_BYTES, MOST_ANSWERED } from '../../src/shared/engine-limits.ts'
import { engineVerbs, type EngineVerb } from '../../src/shared/engine-protocol.ts'
import { isFailure } from '../../src/shared/failure.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { FILES, manifestOf } from '../unit/store-points.ts'
import { idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('long answers')

const PACKET_BYTES = 32 << 10

const AT = '2026-11-22T20:17:44.000Z'
const vm = { uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0', name: 'web1' }
const point = (n: number): object => ({ ...manifestOf(FILES), id: idOf(n) })
const fate = (n: number): object => ({
  id: idOf(n),
  takenAt: AT,
  sizeBytes: 1,
  keep: true,
  reasons: ['pinned'],
  memory: 'none',
  freesBytes: 0
})
const question = { id: idOf(1), from: 0, stores: [] }
const many = <T>(count: number, each: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => each(n))
const marksOf = (count: number): object => Object.fromEntries(many(count, (n) => [idOf(n), { pinned: false }]))
const listing = (points: unknown[], marks: object = {}, broken: unknown[] = []): object => ({ points, broken, marks })
const plan = (vms: unknown[]): object => ({ vms, freesBytes: 0, trash: { points: 0, bytes: 0 } })

/** What the engine answers, and how often whoever waits had a turn while it was taken. */
const answered = (verb: EngineVerb, value: unknown): Promise<Heard> =>
  heard(verb, [...resultLines(verb, value)].join(''))

interface Heard {
  readonly result: unknown
  readonly turns: number
  /** Of the longest piece of work without a turn for others, in milliseconds of computing. */
  readonly longestMs: number
}

/** As a host sends it: some KiB at a time. */
async function* packets(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += PACKET_BYTES)
    yield await Promise.resolve(bytes.subarray(from, from + PACKET_BYTES))
}

async function heard(verb: EngineVerb, text: string): Promise<Heard> {
  const placed = { shell: fakeShell(() => ({ stdout: packets(text) })), host: 'alpha', node: '/n', engine: '/e' }
  const pieces = new Pieces()
  try {
    const result = await engineCall(placed, verb, question as never)
    return { result, ...(await pieces.end()) }
  } catch (error) {
    if (!isFailure(error)) throw error
    return { result: error.failure, ...(await pieces.end()) }
  }
}

const computedMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Work between the turns that whoever waits has. */
class Pieces {
  private turns = 0
  private longestMs = 0
  private beganMs = computedMs()
  private isOver = false
  private readonly ended: Promise<void>

  constructor() {
    this.ended = this.turn()
  }

  async end(): Promise<{ turns: number; longestMs: number }> {
    this.isOver = true
    await this.ended
    return { turns: this.turns, longestMs: this.longestMs }
  }

  private async turn(): Promise<void> {
    while (!this.isOver) {
      await setImmediate()
      const nowMs = computedMs()
      this.longestMs = Math.max(this.longestMs, nowMs - this.beganMs)
      this.beganMs = nowMs
      this.turns += 1
    }
  }
}

type Answer = readonly [what: string, verb: EngineVerb, value: unknown, entries: number]

const LONG: readonly Answer[] = [
  ['points', 'points', listing(many(4000, point)), 4000],
  ['points and what is noted of each', 'points', listing(many(1500, point), marksOf(1500)), 3000],
  ['what is noted of points', 'points', listing([], marksOf(20_000)), 20_000],
  [
    'points that cannot be read',
    'points',
    listing(
      [],
      {},
      many(2000, (n) => ({ path: `/p/${n}`, reason: 'x' }))
    ),
    2000
  ],
  ['points of one VM in a plan', 'prune-plan', plan(many(30, () => ({ vm, points: many(300, fate) }))), 9000],
  ['VMs in a plan', 'prune-plan', plan(many(5000, () => ({ vm, points: [fate(1)] }))), 5000],
  ['jobs', 'jobs', many(4000, (n) => jobReport(n)), 4000],
  ['runs', 'runs', many(4000, (n) => runReport(n)), 4000]
]

describe('an answer of thousands', () => {
  it.each(LONG)('is taken in turns, and is the same as at once: %s', async (_, verb, value, entries) => {
    await tally.tried(async () => {
      const { result, turns } = await answered(verb, value)
      expect(result).toEqual(JSON.parse(JSON.stringify(engineVerbs[verb].result.parse(value))))
      expect(turns).toBeGreaterThan(entries / 400)
    })
  })

  const WRONG: readonly unknown[] = [null, 7, 'x', [], {}, { ...point(1), id: '../x' }, { ...point(1), extra: 1 }]
  it.each(WRONG)('is refused wherever one of them is wrong: %j', async (wrong) => {
    for (const at of [0, 199, 399])
      await tally.tried(async () => {
        const points = many<unknown>(400, point)
        points[at] = wrong
        expect((await answered('points', listing(points))).result).toMatchObject({
          kind: 'bad-output',
          detail: expect.stringContaining(`points[${at}]`) as string
        })
      })
  })

  it.each([
    ['a list that is none', listing({ length: 5000 } as never)],
    ['an object for a list', listing(marksOf(500) as never)],
    ['a list for what is noted', listing([], many(500, point))],
    ['something noted of no point', listing([], { ...marksOf(500), '../x': {} })],
    ['something noted that is none', listing([], { ...marksOf(500), [idOf(600)]: 7 })],
    ['no list of what is broken', { points: many(500, point) }],
    ['more points than any host has', listing(many(MOST_ANSWERED.points + 1, () => 7))]
  ])('is refused as a whole: %s', async (_, value) => {
    await tally.tried(async () => {
      expect((await answered('points', value)).result).toMatchObject({ kind: 'bad-output' })
    })
  })

  it('is cut where only its beginning counts', async () => {
    await tally.tried(async () => {
      const broken = many(ENGINE_LIMITS.brokenPoints + 500, (n) => ({ path: `/p/${n}`, reason: 'x' }))
      const { result } = await answered('points', listing([], {}, broken))
      expect(result).toEqual(listing([], {}, broken.slice(0, ENGINE_LIMITS.brokenPoints)))
    })
  })
})

const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')
const begun = { begun: listing([]) }
const more = (of: unknown, entries: unknown): object => ({ of, more: entries })
const broken = (n: number): object => ({ path: `/p/${n}`, reason: 'x' })
const end = (ended: unknown): object => ({ ended })
const run = { begun: { ...runReport(1), vms: [] } }

const NONSENSE: readonly (readonly [what: string, verb: EngineVerb, said: readonly unknown[]])[] = [
  ['a portion of nothing that was begun', 'points', [more(['points'], [point(1)]), end(1)]],
  ['an end of nothing that was begun', 'points', [end(0)]],
  ['portions without an end', 'points', [begun, more(['points'], [point(1)])]],
  ['nothing behind the beginning', 'points', [begun]],
  ['fewer portions than it says', 'points', [begun, more(['points'], [point(1)]), end(2)]],
  ['more portions than it says', 'points', [begun, more(['points'], [point(1)]), end(0)]],
  ['a number that is none', 'points', [begun, end('0')]],
  ['a portion behind the end', 'points', [begun, end(0), more(['points'], [point(1)])]],
  ['an end behind the end', 'points', [begun, end(0), end(0)]],
  ['a result behind the end', 'points', [begun, end(0), { result: listing([]) }]],
  ['a result within portions', 'points', [begun, { result: listing([]) }]],
  ['another beginning', 'points', [begun, begun, end(0)]],
  ['a result behind the result', 'points', [{ result: listing([]) }, { result: listing([]) }]],
  ['a portion behind the result', 'points', [{ result: listing([]) }, more(['points'], [point(1)])]],
  ['a failure behind the result', 'points', [{ result: listing([]) }, { failure: { kind: 'cancelled', what: 'it' } }]],
  [
    'an event within portions',
    'follow',
    [{ begun: jobReport(1) }, { event: { n: 0, at: AT, type: 'note', text: '' } }]
  ],
  ['a beginning of another shape', 'points', [{ begun: [] }, end(0)]],
  ['a beginning that lacks a list', 'points', [{ begun: { points: [] } }, more(['broken'], [broken(1)]), end(1)]],
  ['a list that there is not', 'points', [begun, more(['jobs'], [1]), end(1)]],
  ['a list of every object', 'points', [begun, more(['__proto__'], { a: 1 }), end(1)]],
  ['a list of every list', 'points', [begun, more(['points', 'length'], [1]), end(1)]],
  ['a list within an entry that is not there', 'points', [begun, more(['points', 'files'], [1]), end(1)]],
  ['a list within a record', 'points', [begun, more(['marks', idOf(1)], [1]), end(1)]],
  ['an answer that is no list', 'points', [begun, more([], [1]), end(1)]],
  ['an answer of another kind', 'jobs', [{ begun: [] }, more(['points'], [1]), end(1)]],
  ['no path', 'points', [begun, more('points', [point(1)]), end(1)]],
  ['a path of numbers', 'points', [begun, more([0], [point(1)]), end(1)]],
  [
    'a path without end',
    'runs',
    [
      { begun: [] },
      more(
        many(100_000, () => 'vms'),
        [1]
      ),
      end(1)
    ]
  ],
  ['an empty list', 'points', [begun, more(['points'], []), end(1)]],
  ['an empty record', 'points', [begun, more(['marks'], {}), end(1)]],
  ['an empty text', 'read-small', [{ begun: { manifest: '', domain: '', host: '' } }, more(['host'], ''), end(1)]],
  ['an object for a list', 'points', [begun, more(['points'], { 0: point(1) }), end(1)]],
  ['a list for a record', 'points', [begun, more(['marks'], [point(1)]), end(1)]],
  ['a text for a list', 'points', [begun, more(['points'], 'x'), end(1)]],
  ['nothing for a list', 'points', [begun, more(['points'], null), end(1)]],
  ['an entry that is none', 'points', [begun, more(['points'], [point(1), 7]), end(1)]],
  ['a portion of what had come', 'points', [{ begun: listing([point(1)]) }, more(['points'], [point(2)]), end(1)]],
  ['a name that is none', 'points', [begun, more(['marks'], { x: { pinned: true } }), end(1)]],
  ['a text that is too long', 'read-small', tooLongAText()],
  ['a text that must not be longer', 'runs', [{ begun: [runReport(1)] }, more(['policy', 'id'], '0'), end(1)]],
  ['an end of the list within', 'runs', [run, end(0)]],
  ['a line with more in it', 'points', [{ ...begun, result: 1 }, end(0)]],
  ['a portion with more in it', 'points', [begun, { ...more(['points'], [point(1)]), at: 1 }, end(1)]],
  ['half a portion', 'points', [begun, { of: ['points'] }, end(1)]],
  ['the other half', 'points', [begun, { more: [point(1)] }, end(1)]],
  [
    'too many entries in all',
    'jobs',
    [
      { begun: [] },
      ...many(11, () =>
        more(
          [],
          many(500, (n) => jobReport(n))
        )
      ),
      end(11)
    ]
  ],
  ['portions of one entry', 'points', [begun, ...many(500, (n) => more(['broken'], [broken(n)])), end(500)]],
  ['parts, as once there were', 'points', [{ part: '{"result":[]}' }, { parts: 1 }]]
]

function tooLongAText(): unknown[] {
  const portions = many(9, () => more(['host'], 'x'.repeat(64 << 10)))
  return [{ begun: { manifest: '', domain: '', host: '' } }, ...portions, end(9)]
}

describe('an answer in portions', () => {
  it.each(NONSENSE)('is refused in words with %s', async (_, verb, said) => {
    await tally.tried(async () => {
      const { result } = await heard(verb, lines(...said))
      expect(result).toMatchObject({ kind: 'bad-output', detail: expect.stringMatching(/^[^{]{10}/) as unknown })
    })
  })

  it('is taken, so that it is not the form of all these that is refused', async () => {
    await tally.tried(async () => {
      const said = lines(begun, more(['points'], [point(1)]), more(['broken'], [broken(1)]), end(2))
      expect((await heard('points', said)).result).toEqual(listing([point(1)], {}, [broken(1)]))
    })
  })
})

/** In one line, as much as fits into it. */
function filled(before: string, each: (n: number) => string, after: string, most = 29_000): string {
  const texts: string[] = []
  let left = LONGEST_LINE_BYTES - before.length - after.length
  for (let n = 0; texts.length < most; n += 1) {
    const text = each(n)
    left -= text.length + 1
    if (left < 0) break
    texts.push(text)
  }
  return `${before}${texts.join(',')}${after}\n`
}
const key = (n: number): string => `"${n.toString(36)}":0`
const step = `{"event":{"n":0,"at":"${AT}","type":"step","step":"s","data":{`
const within = (report: object, list: string, each: () => string): string => {
  const [before = '', after = ''] = JSON.stringify({ result: [report] }).split(`"${list}":[]`)
  return filled(`${before}"${list}":[`, each, `]${after}`)
}
const nested = (open: string, close: string, depth: number): string => `${open.repeat(depth)}${close.repeat(depth)}`

/** What costs most for its length. Of those with more values than a line may have nothing else is looked at. */
const DEAR: readonly (readonly [what: string, verb: EngineVerb, text: string])[] = [
  ['names of nothing', 'jobs', filled('{"result":{', key, '}}', 14_000)],
  ['names of lines', 'jobs', filled('{', key, '}', 14_000)],
  ['names in a point', 'points', filled('{"result":{"points":[{', key, '}],"broken":[]}}', 14_000)],
  ['names in the VM of a point', 'import', filled('{"result":{"vm":{', key, '}}}', 14_000)],
  ['names of marks', 'points', filled('{"result":{"points":[],"broken":[],"marks":{', key, '}}}', 14_000)],
  ['names in a step', 'follow', filled(step, key, '}}}', 14_000)],
  ['names without end', 'jobs', filled('{"result":{', key, '}}', Infinity)],
  ['numbers', 'jobs', filled('{"result":[', () => '7', ']}')],
  ['numbers without end', 'jobs', filled('{"result":[', () => '7', ']}', Infinity)],
  ['objects', 'jobs', filled('{"result":[', () => '{}', ']}', 14_000)],
  ['objects without end', 'jobs', filled('{"result":[', () => '{}', ']}', Infinity)],
  ['VMs of a run', 'runs', within(runReport(1), 'vms', () => '{}')],
  ['phases of a job', 'jobs', within(jobReport(1), 'phases', () => '{}')],
  [
    'what a job left',
    'jobs',
    within(jobReport(1, { failure: { kind: 'left-behind', vm: 'v', left: [] } }), 'left', () => '{}')
  ],
  ['files of a point', 'points', filled('{"result":{"broken":[],"points":[{"files":[', () => '7', ']}]}}')],
  ['lists in lists', 'jobs', `{"result":${nested('[', ']', 29_000)}}\n`],
  ['lists in lists without end', 'jobs', `{"result":${nested('[', ']', 500_000)}}\n`],
  ['lists in lists in a step', 'follow', `${step}"a":${nested('[', ']', 29_000)}}}}\n`],
  ['a text', 'read-small', filled('{"result":{"host":"', () => '\\u0001'.repeat(170_000), '"}}')],
  ['a name', 'jobs', filled('{"result":[{"id":"', () => 'a'.repeat(1_000_000), '"}]}')],
  ['events', 'verify', lines({ event: { phase: 'x', doneBytes: 1, totalBytes: 2 } }).repeat(20_000)],
  ['line ends', 'verify', '\n'.repeat(4 << 20)]
]

/** What one `JSON.parse` of four MiB takes: an answer of which the text was in one piece was up to sixteen times as long. */
function atOnceMs(): number {
  const text = `{${many(400_000, key).join(',')}}`
  const beganMs = computedMs()
  JSON.parse(text)
  return computedMs() - beganMs
}

describe('a line that costs much for its length', () => {
  it.each(DEAR)('is no long work in one piece: %s', async (_, verb, text) => {
    await tally.tried(async () => {
      await heard(verb, text) // what is done for the first time takes longer
      const { longestMs, turns } = await heard(verb, text)
      expect(longestMs).toBeLessThan(atOnceMs() / 2)
      expect(turns).toBeGreaterThan(text.length / PACKET_BYTES / 4)
    })
  })
})

describe('an answer as long as can be held', () => {
  it.each<[string, EngineVerb, () => unknown]>([
    ['points', 'points', () => listing(many(5000, point), marksOf(5000))],
    ['jobs', 'jobs', () => many(3000, (n) => jobReport(n, { warnings: many(20, () => 'w'.repeat(200)) }))],
    ['a run', 'runs', () => [runReport(1, { vms: many(9000, () => ({ vm, outcome: 'done' as const })) })]]
  ])('is taken in pieces that are a small part of it: %s', async (_, verb, make) => {
    await tally.tried(async () => {
      const text = [...resultLines(verb, make())].join('')
      const beganMs = computedMs()
      const { result, longestMs, turns } = await heard(verb, text)
      const tookMs = computedMs() - beganMs
      expect(result).not.toHaveProperty('kind')
      expect(longestMs).toBeLessThan(tookMs / 3)
      expect(turns).toBeGreaterThan(text.length / (64 << 10))
    })
  })
})
