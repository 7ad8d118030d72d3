import type { Browser } from '@playwright/test'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engineVerbs, type EngineVerb } from '../../src/shared/engine-protocol.ts'
import { buildIfStale } from '../contract/built-window.ts'
import { launch, openPage, shoot } from '../e2e/browser.ts'
import { Attacks, judge } from './attacks.ts'
import type { Measured, Outcome } from './core-process.ts'
import { GoodHost, jobReport, line, newId, type Asked } from './good-host.ts'
import { GoodNews, medianOf, tableOf, type SeenChange } from './good-news.ts'
import { HostileHost } from './hostile-host.ts'
import { inventoryLies } from './inventory-lies.ts'
import { engineLies, flooding, plainLies, repeated, says, streams, type Lie } from './lies.ts'
import { tallyOf } from './tally.ts'
import { WatchedCore } from './watched-core.ts'
import { wrongAnswers } from './wrong-answers.ts'

const tally = tallyOf('one hostile host beside a good one')
const good = new GoodHost('good', 1)
const hostile = new HostileHost('hostile', 2)
let core: WatchedCore
let news: GoodNews
let before: Measured
let calm: readonly SeenChange[]

beforeAll(async () => {
  buildIfStale()
  await Promise.all([good.start(), hostile.start()])
  core = new WatchedCore(good, hostile)
  news = new GoodNews(good, core)
  for (const { name } of [good, hostile])
    await core.untilSeen(name, `${name} at first`, ({ state, jobs, points, runs }) =>
      [state === 'up', Object.keys(jobs).length === 1, points.length === 1, runs.length === 1].every(Boolean)
    )
  for (const verb of VERBS) await core.ask(questionFor(verb, ENOUGH_MS))
  calm = await news.rounds(8)
  console.log(`in peace, seen of the good host\n${tableOf(calm)}`)
  before = await core.measure()
})

afterAll(async () => {
  await core.stop()
  await Promise.all([good.stop(), hostile.stop()])
})

const VERBS = Object.keys(engineVerbs) as EngineVerb[]
/** For those that end by themselves. */
const ENOUGH_MS = 60_000
/** For those that do not. */
const BRIEFLY_MS = 300
/** All lies in all places take many minutes. Else each lie is told somewhere, and each question is answered with some. */
const IS_EVERYTHING = process.env['STILLPOINT_HOSTILE_ALL'] !== undefined
/** Where every lie is told; elsewhere one of so many. */
const FULLY: readonly EngineVerb[] = IS_EVERYTHING ? ['points', 'jobs', 'follow'] : ['jobs']
const ELSEWHERE = IS_EVERYTHING ? 4 : 16

/** Without everything: one of so many, another one for another place. */
const someOf = <T>(all: readonly T[], oneOf: number, place: number): readonly T[] =>
  IS_EVERYTHING ? all : all.filter((_, n) => (n + place) % oneOf === 0)

const questionFor = (verb: EngineVerb, withinMs: number) => {
  const id = hostile.jobs[0]?.id ?? ''
  const question = { id, from: 0, stores: ['/srv/points'], store: '/srv/points', point: id, have: {} }
  return { do: 'call' as const, host: hostile.name, verb, question, withinMs }
}

const noAnswers = (verb: EngineVerb): readonly Lie[] => {
  const all = engineLies(good.name)
  if (FULLY.includes(verb)) return all
  return all.filter(({ isHeavy }, n) => !isHeavy && (n + VERBS.indexOf(verb)) % ELSEWHERE === 0)
}

const others = () => ({
  ...{ host: good.name, id: good.jobs[0]?.id ?? '', uuid: good.vms[0]?.uuid ?? '', vm: good.vms[0]?.name ?? '' }
})

const wrongIn = (verb: EngineVerb): readonly Lie[] => {
  if (verb === 'export') return [] // a stream, of which nothing is read here
  const right = hostile.resultOf(verb, { id: hostile.jobs[0]?.id ?? '' })
  return someOf(wrongAnswers(right, others()), 3, VERBS.indexOf(verb)).map(({ name, value }) =>
    says(name, line({ result: value }))
  )
}

/** Attacks of a kind, with the good host changing all the while. */
async function seenThrough(name: string, work: (attacks: Attacks) => Promise<void>): Promise<void> {
  const attacks = new Attacks(tally, () => news.expectRight())
  const changes = await news.during(() => work(attacks))
  console.log(`${name}: seen of the good host meanwhile\n${tableOf(changes)}`)
  console.log(`${name}: ${attacks.table}`)
  expect(attacks.problems).toEqual([])
  expectSoonSeen(changes)
  await expectNotHeld(attacks.longestHeldMs)
}

/** What was asked for when it changed may come too early; what is asked next knows. */
const LOOKS_AT_MOST = 3
const SOON_MS = 2_000
const CALM_MS = 500

/** By the core's own looks. By the clock as far as this machine keeps time: it is asked what the same takes in peace. */
function expectSoonSeen(changes: readonly SeenChange[]): void {
  expect(changes.filter(({ looks }) => looks > LOOKS_AT_MOST)).toEqual([])
  const slowness = Math.max(1, medianOf(calm.map(({ ms }) => ms)) / CALM_MS)
  expect(medianOf(changes.map(({ ms }) => ms))).toBeLessThan(SOON_MS * slowness)
}

const HELD_AT_MOST_MS = 50
/** What the core's yardstick takes on a machine that has nothing else to do. */
const YARDSTICK_MS = 6

async function expectNotHeld(heldMs: number): Promise<void> {
  const { yardstickMs } = await core.measure()
  expect(heldMs).toBeLessThan(HELD_AT_MOST_MS * Math.max(1, yardstickMs / YARDSTICK_MS))
}

const MiB = 2 ** 20

/** V8 and glibc keep pages of what was large once, and use them again: 120 to 230 MiB, which an end has to be seen of. */
const KEPT_AT_MOST = 400

/** What is held is what counts. What the process has taken of the machine is printed besides. */
async function expectSmall(when: string): Promise<void> {
  const now = await core.measure()
  const held = (now.heldBytes - before.heldBytes) / MiB
  const written = (now.folderBytes - before.folderBytes) / MiB
  const taken = (now.rssBytes - before.rssBytes) / MiB
  console.log(
    `${when}: ${held.toFixed(1)} MiB more held, ${taken.toFixed(1)} MiB more taken of the machine, ${written.toFixed(2)} MiB more in the settings folder`
  )
  expect(held).toBeLessThan(64)
  expect(taken).toBeLessThan(KEPT_AT_MOST)
  expect(written).toBeLessThan(16)
}

const MOVES_ONE_OF = 20

/** Has the core ask again by itself, as often as it takes. */
async function askedInTheEnd(asked: Asked, move: () => void): Promise<void> {
  const guard = AbortSignal.timeout(120_000)
  const so = { isAsked: false }
  const asking = hostile.untilAsked(asked).then(() => (so.isAsked = true))
  for (let n = 0; !so.isAsked; n++) {
    guard.throwIfAborted()
    // Whoever moves without a pause ends each watch before it has begun.
    if (n % MOVES_ONE_OF === 0) move()
    await core.refresh(hostile.name)
    await Promise.race([asking, sleep(100)])
  }
}

/** What the core asks by itself, when it hears that something has moved, or when it comes into contact. */
async function lieToTheWatch(asked: Asked, lie: Lie, move: () => void): Promise<undefined> {
  hostile.lieAbout(asked, lie)
  await askedInTheEnd(asked, move)
  hostile.lieAbout(asked, undefined)
}

const moved = (): void => hostile.say('folders', 'policies\njobs\nruns\n')

/** That end by themselves, in a moment. */
const BRIEFLY = plainLies.filter(({ hangs, isHeavy }) => !hangs && !isHeavy)

const STREAMS: readonly Lie[] = [
  streams('floods with what moved', async (command) => {
    for (let n = 0; n < 400 && !command.isOver(); n++) await command.out(repeated('jobs\nruns\npolicies\n', 64 << 10))
  }),
  streams('floods with dots', async (command) => {
    for (let n = 0; n < 400 && !command.isOver(); n++) await command.out(repeated('.\n', 64 << 10))
  }),
  streams('has one line of 64 MB', async (command) => {
    for (let n = 0; n < 64 && !command.isOver(); n++) await command.out(repeated('jobs', MiB))
  }),
  streams('has bytes that are no text', (command) => command.out(Buffer.from([0xff, 0x0a, 0xfe, 0x00, 0x0a, 0xc0]))),
  streams('names folders that there are not', (command) => command.out('../../etc\n__proto__\nconstructor\nJOBS\n')),
  streams('complains without end', (command) =>
    flooding('err', 'error: no\n', 64 * MiB)(command, () => Promise.resolve(''))
  ),
  streams('drips words', async (command) => {
    for (const letter of 'jobs\nruns\n'.repeat(10)) await command.out(letter)
  })
]

describe('one hostile host beside a good one', () => {
  it.each([
    ['with what is no answer', noAnswers],
    ['with one thing wrong in what is right', wrongIn]
  ])('answers each question of the engine %s', async (kind, liesOf) => {
    await seenThrough(`questions ${kind}`, async (attacks) => {
      const about = (verb: EngineVerb) => async (): Promise<void> => {
        for (const lie of liesOf(verb))
          await attacks.attack(`${verb} ${lie.name}`, async () => {
            hostile.lieAbout(verb, lie)
            const outcome = await core.ask(questionFor(verb, lie.hangs ? BRIEFLY_MS : ENOUGH_MS))
            hostile.lieAbout(verb, undefined)
            judge(outcome, hostile.name, !lie.isNoAnswer || verb === 'export')
            return outcome
          })
      }
      await attacks.all(VERBS.map(about))
    })
    await expectSmall(`after questions ${kind}`)
  })

  it('answers a look at it with lies', async () => {
    const mark = 'mark-0'
    const lies = [
      ...plainLies.filter(({ hangs }) => !hangs),
      ...inventoryLies(hostile.inventory(mark), mark, IS_EVERYTHING ? 4 : 1)
    ]
    await seenThrough('looks', async (attacks) => {
      for (const lie of lies)
        await attacks.attack(`the look ${lie.name}`, async () => {
          hostile.lieAbout('inventory', lie)
          const outcome = await core.ask({ do: 'inventory', host: hostile.name })
          hostile.lieAbout('inventory', undefined)
          judge(outcome, hostile.name, !lie.isNoAnswer)
          return outcome
        })
    })
    await expectSmall('after looks')
  })

  it('lies to the watch that the core keeps on it', async () => {
    const brief = engineLies(good.name).filter(({ hangs, isHeavy }) => !hangs && !isHeavy)
    const oneOf = IS_EVERYTHING ? 6 : 18
    const asked = (['jobs', 'runs', 'policies'] as const).map((what, place) => ({
      what,
      lies: brief.filter((_, n) => n % oneOf === place)
    }))
    await seenThrough('the watch', async (attacks) => {
      for (const { what, lies } of asked)
        for (const lie of lies)
          await attacks.attack(`watched ${what} ${lie.name}`, () => lieToTheWatch(what, lie, moved))
      for (const [place, what] of (['folders', 'events'] as const).entries())
        for (const lie of someOf(
          [...STREAMS, ...BRIEFLY.filter((_, n) => n % (IS_EVERYTHING ? 4 : 8) === 0)],
          2,
          place
        ))
          await attacks.attack(`the watch of ${what} ${lie.name}`, () =>
            lieToTheWatch(what, lie, () => hostile.endWatches())
          )
    })
    await expectSmall('after the watch')
  })

  it('lies when somebody logs in, when the engine is looked for, and when it is put there', async () => {
    const ask = async (about: Asked, lie: Lie, order: () => Promise<Outcome>): Promise<Outcome> => {
      hostile.lieAbout(about, lie)
      const outcome = await order()
      hostile.lieAbout(about, undefined)
      judge(outcome, hostile.name, true)
      return outcome
    }
    const logIn = () => core.ask({ do: 'login', host: hostile.name })
    const missing = BRIEFLY.find(({ name }) => name === 'says that there is no such program')
    await seenThrough('the beginning', async (attacks) => {
      for (const lie of someOf(BRIEFLY, 3, 0))
        await attacks.attack(`the login ${lie.name}`, () => ask('login', lie, logIn))
      hostile.lieAbout('parallel', missing)
      const callAgain = () => core.ask(questionFor('parallel', ENOUGH_MS))
      for (const lie of someOf(BRIEFLY, 3, 1))
        await attacks.attack(`the look for the engine ${lie.name}`, () => ask('present', lie, callAgain))
      hostile.lieAbout('present', says('has the runtime only', 'x86_64\nplain\nno\nyes\nyes\n'))
      for (const lie of someOf(BRIEFLY, 3, 2))
        await attacks.attack(`the upload ${lie.name}`, () => ask('upload', lie, callAgain))
      hostile.lieAbout('present', undefined)
      hostile.lieAbout('parallel', undefined)
    })
    await expectSmall('after the beginning')
  })

  it('says as its own what is the good one’s', async () => {
    const theirs = (id: string, state: 'failed-clean' | 'running' | 'done') =>
      jobReport({ uuid: others().uuid, name: others().vm }, state, { id, host: good.name })
    const ids = good.jobs.map(({ id }) => id)
    const results: [Asked, string, unknown][] = [
      ['jobs', 'its jobs as failed', ids.map((id) => theirs(id, 'failed-clean'))],
      ['jobs', 'its jobs as running', ids.map((id) => theirs(id, 'running'))],
      ['jobs', 'its jobs as done, each twice', [...ids, ...ids].map((id) => theirs(id, 'done'))],
      ['runs', 'its runs as failed', good.runs.map((run) => ({ ...run, state: 'failed', reason: 'no' }))],
      ['runs', 'its runs as open', good.runs.map(({ endedAt: _, ...run }) => ({ ...run, state: 'running' }))],
      ['policies', 'its policies', good.resultOf('policies', {})],
      ['points', 'its points', { points: good.points, broken: [], marks: {} }],
      ['points', 'none', { points: [], broken: [], marks: {} }]
    ]
    await seenThrough('claims', async (attacks) => {
      for (const [asked, what, value] of results)
        await attacks.attack(`claims ${what}`, () =>
          lieToTheWatch(asked, says(what, line({ result: value })), () => {
            if (asked === 'points') hostile.addJob('done')
            else moved()
          })
        )
    })
  })

  it('makes a day’s worth of noise: a job every three seconds, and something moves at every moment', async () => {
    const DAY_S = 86_400
    const AT_ONCE = 4_800
    let jobs = 0
    hostile.lieAbout('jobs', {
      ...says('thousands of jobs that are new', ''),
      tell: async (command) => {
        const warnings = Array.from({ length: 4 }, () => 'it is not as it should be '.repeat(10))
        const failure = { kind: 'usage' as const, message: 'no '.repeat(100) }
        const made = Array.from({ length: AT_ONCE }, () =>
          jobReport(hostile.vms[0] ?? { uuid: '', name: '' }, 'failed-clean', { warnings, failure })
        )
        jobs += made.length
        await command.begin()
        await command.out(line({ result: made }))
        command.exit(0)
      }
    })
    await seenThrough('noise', (attacks) =>
      attacks.attack('a day of noise', async () => {
        while (jobs < DAY_S / 3) await askedInTheEnd('jobs', moved)
        hostile.lieAbout('jobs', undefined)
        return undefined
      })
    )
    await expectSmall(`after ${jobs} jobs, as many as a day has with one every three seconds`)
  })

  it('leaves the window painting: the good host’s rows change while the other floods', async () => {
    const browser: Browser = await launch()
    const over = new AbortController()
    const flood = (async () => {
      while (!over.signal.aborted) {
        await hostile.sayAsFastAsHeard('folders', repeated('jobs\nruns\npolicies\n', 32 << 10))
        await hostile.sayAsFastAsHeard('events', repeated('event\n', 32 << 10))
        await sleep(5)
      }
    })()
    try {
      const { page, problems } = await openPage(browser, await core.openDoor())
      const vm = good.vms[1] ?? { uuid: '', name: '', state: 'running' as const }
      await page.getByRole('navigation').getByRole('button', { name: 'Hosts', exact: true }).click()
      await page.getByRole('article').filter({ hasText: good.name }).first().waitFor()
      await page.getByRole('navigation').getByRole('button', { name: 'Overview', exact: true }).click()
      const row = page.getByRole('row').filter({ hasText: vm.name })
      await row.waitFor()
      await tally.tried(async () => {
        for (const _ of [1, 2]) {
          good.turn(vm)
          await core.untilSeen(good.name, 'the VM turned', ({ vms }) => vms[vm.name] === vm.state)
          await row.filter({ hasText: vm.state === 'running' ? /running/i : /off/i }).waitFor()
        }
      })
      await shoot(page, 'beside-a-hostile-host')
      expect(problems).toEqual([])
    } finally {
      over.abort()
      await flood
      await browser.close()
    }
  })

  it('is seen again as it is, once it answers rightly', async () => {
    await core.refresh(hostile.name)
    const { id } = hostile.addJob('done', { id: newId() })
    await core.untilSeen(hostile.name, 'its new job', ({ state, jobs }) => state === 'up' && jobs[id] === 'done')
    await expectSmall('in the end')
  })
})
