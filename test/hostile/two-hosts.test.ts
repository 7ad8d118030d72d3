import type { Browser } from '@playwright/test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engineVerbs, type EngineVerb } from '../../src/shared/engine-protocol.ts'
import type { Failure } from '../../src/shared/failure.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import { buildIfStale } from '../contract/built-window.ts'
import { launch, openPage, shoot } from '../e2e/browser.ts'
import { Attacks, inLanes, judge, type Allowed } from './attacks.ts'
import type { Measured, Outcome, Seen } from './core-process.ts'
import { stretchFromNow, stretchOf } from './cpu-time.ts'
import { grownBy, heldMsIn, tableOf, type Before, type Figures } from './figures.ts'
import { GoodHost, jobReport, line, newId, type Asked } from './good-host.ts'
import { GoodNews } from './good-news.ts'
import { HostileHost } from './hostile-host.ts'
import { inventoryLies, type InventoryLie } from './inventory-lies.ts'
import { engineLies, flooding, plainLies, repeated, says, streams, type Lie } from './lies.ts'
import {
  expectSeenInTime,
  expectSoonSeen,
  expectSoonSeenWithin,
  FEW,
  isCalm,
  type TimedChange
} from './seen-in-time.ts'
import { tallyOf } from './tally.ts'
import { buildCore, WatchedCore } from './watched-core.ts'
import { digestOf, takenAs, wrongAnswers } from './wrong-answers.ts'

const tally = tallyOf('hostile hosts beside a good one')
const good = new GoodHost('good', 1)
/** Three, since most of an attack is waiting: they attack at the same time. */
const hostile = new HostileHost('hostile', 2)
const liars = [hostile, new HostileHost('hostile-too', 3), new HostileHost('hostile-as-well', 4)] as const
const built = mkdtempSync(join(tmpdir(), 'stillpoint-core-'))
let core: WatchedCore
/** It has the good host alone: on a machine that has other things to do as well, all takes as much longer in it. */
let beside: WatchedCore
let news: GoodNews
let before: Before
const figures: Figures[] = []

beforeAll(async () => {
  buildIfStale()
  const [program, alone] = await Promise.all([
    buildCore(built),
    good.openBeside(),
    good.start(),
    ...liars.map((each) => each.start())
  ])
  core = new WatchedCore(program, [good, ...liars])
  beside = new WatchedCore(program, [alone])
  news = new GoodNews(good, core, beside)
  const isWhole = ({ state, jobs, points, runs }: Seen): boolean =>
    [state === 'up', Object.keys(jobs).length === 1, points.length === 1, runs.length === 1].every(Boolean)
  await Promise.all([good, ...liars].map(({ name }) => core.untilSeen(name, `${name} at first`, isWhole)))
  await beside.untilSeen(good.name, `${good.name} at first, beside`, isWhole)
  await warmUp()
  before = await measureBoth('collects')
})

afterAll(async () => {
  await Promise.all([core.stop(), beside.stop()])
  await Promise.all([good, ...liars].map((each) => each.stop()))
  rmSync(built, { recursive: true })
  console.info(tableOf(figures, before))
})

/** What a good host says, asked as often of both as it takes until no more memory comes of it. */
async function warmUp(): Promise<void> {
  for (let n = 0; n < 3; n++) {
    const questions = VERBS.flatMap((verb) =>
      [core, beside].map((each) => async () => {
        await each.ask(questionFor(good, verb, ENOUGH_MS))
      })
    )
    await inLanes(LANES * 2, questions)
    await news.rounds(4)
  }
}

async function measureBoth(how: 'collects' | 'as it is'): Promise<Before> {
  const [ofCore, ofBeside] = await Promise.all([core.measure(how), beside.measure(how)])
  return { core: ofCore, beside: ofBeside }
}

const VERBS = Object.keys(engineVerbs) as EngineVerb[]
/** Questions that a host is asked at a time, over one connection. */
const LANES = 4
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

const questionFor = (of: GoodHost, verb: EngineVerb, withinMs: number) => {
  const id = of.jobs[0]?.id ?? ''
  const question = { id, from: 0, stores: ['/srv/points'], store: '/srv/points', point: id, have: {} }
  return { do: 'call' as const, host: of.name, verb, question, withinMs }
}

const noAnswers = (verb: EngineVerb): readonly Lie[] => {
  const all = engineLies(good.name)
  if (FULLY.includes(verb)) return all
  return all.filter(({ isHeavy }, n) => !isHeavy && (n + VERBS.indexOf(verb)) % ELSEWHERE === 0)
}

const others = () => ({
  ...{ host: good.name, id: good.jobs[0]?.id ?? '', uuid: good.vms[0]?.uuid ?? '', vm: good.vms[0]?.name ?? '' }
})

/** A lie that is refused, or put right. */
interface WrongAnswer extends Lie {
  readonly allowed: Allowed
}

const wrongIn = (verb: EngineVerb, liar: HostileHost): readonly WrongAnswer[] => {
  if (verb === 'export') return [] // a stream, of which nothing is read here
  const right = liar.resultOf(verb, { id: liar.jobs[0]?.id ?? '' })
  return someOf(wrongAnswers(right, others()), 3, VERBS.indexOf(verb)).map(({ name, value }) => ({
    ...says(name, line({ result: value })),
    allowed: { digest: takenAs(verb, value, liar.name) }
  }))
}

const allowedOf = (verb: EngineVerb, lie: Lie | WrongAnswer): Allowed => {
  if ('allowed' in lie) return lie.allowed
  return lie.isNoAnswer && verb !== 'export' ? 'no answer' : 'an answer'
}

/** Attacks of a kind, with the good host changing all the while, and what they came to. */
async function seenThrough(
  name: string,
  work: (attacks: Attacks) => Promise<void>,
  mostMB: number = MOST_MB.ofAttacks
): Promise<void> {
  const attacks = new Attacks(tally, () => news.expectRight())
  const { processor } = await core.measure('as it is')
  const began = performance.now()
  const stretch = stretchFromNow()
  const changesBefore = news.changes.length
  let [meanwhile, attackMs] = [0, 0]
  const changes = await news.during(async () => {
    await work(attacks)
    meanwhile = news.changes.length - changesBefore
    attackMs = performance.now() - began
  }, FEW)
  const stretched = stretch()
  const seconds = (performance.now() - began) / 1000
  const now = await measureBoth('as it is')
  const { core: live } = await measureBoth('collects')
  const coreStretched = stretchOf(processor, now.core.processor)
  const { count, longestHeld } = attacks
  const part = { name, attacks: count, seconds, changes, longestHeld, stretched: coreStretched, live, ...now }
  figures.push(part)
  expect(attacks.problems).toEqual([])
  expect(changes.length).toBeGreaterThanOrEqual(FEW)
  expect(changes.filter(({ looks }) => looks > LOOKS_AT_MOST)).toEqual([])
  expectSeenInTime(changes, stretched)
  expectSoonSeenWithin({ changes, meanwhile, attackMs, stretched: Math.max(stretched, coreStretched) })
  expectNotHeld(part)
  expectSmall(now, mostMB)
  expect(grownBy(live.heldBytes, before.core.heldBytes), 'MB in use more').toBeLessThan(MOST_MB.inUse)
}

/** What was asked for when it changed may come too early; what is asked next knows. */
const LOOKS_AT_MOST = 3

const HELD_AT_MOST_MS = 50

/**
 * On a machine of its own. What comes while a core waits for a processor is there all at once when it has one, and all of it is taken
 * in one turn: so the bound is as much wider as it had to wait in that part, and as the same work took longer meanwhile.
 */
function expectNotHeld(part: Figures): void {
  const boundMs = HELD_AT_MOST_MS * part.stretched * part.core.slowness
  expect(heldMsIn(part), `ms that the loop was held, of ${boundMs.toFixed(0)} at most`).toBeLessThan(boundMs)
}

/**
 * Of memory. A core may grow by less than 64 MB in what is in use, heap and buffers, at the end of each kind of attack, once all garbage
 * is collected: that is what hosts make it hold. A day of noise makes it 23, by old objects (14), large ones (3) and buffers (4); young
 * objects take 2 at most. What the machine gives it has a second bound, for what is held for a moment only is seen nowhere else; it is
 * wider from the day of noise on, since what was freed is not all given back: 38 MB of that day alone, 56 to 72 behind all other attacks,
 * which stay below 64 of that too (about 50).
 */
const MOST_MB = { inUse: 64, ofAttacks: 64, fromNoiseOn: 96 } as const

/**
 * Of the machine's memory at every moment, as the kernel counts it, without what the good host alone has made the core beside it
 * grow in the same time.
 */
function expectSmall(now: Before, mostMB: number): void {
  const grown = ({ peakRssBytes }: Measured, { rssBytes }: Measured): number => grownBy(peakRssBytes, rssBytes)
  const ofGoodHost = Math.max(0, grown(now.beside, before.beside))
  expect(grown(now.core, before.core) - ofGoodHost, 'MB of memory more').toBeLessThan(mostMB)
  expect(grownBy(now.core.folderBytes, before.core.folderBytes), 'MB more on the disk').toBeLessThan(16)
}

/** One after the other of each hostile host, all of them at the same time. */
const byLiars = async <T>(all: readonly T[], attack: (each: T, liar: HostileHost) => Promise<void>): Promise<void> => {
  await Promise.all(
    liars.map(async (liar, place) => {
      for (const each of all.filter((_, n) => n % liars.length === place)) await attack(each, liar)
    })
  )
}

/** For what would never come: far more than it takes on the slowest machine. */
const GUARD_MS = 300_000
const MOVES_ONE_OF = 20
const REFRESHES_ONE_OF = 5

/** Has the core ask again by itself, as often as it takes. */
async function askedInTheEnd(liar: HostileHost, asked: Asked, move: () => void): Promise<void> {
  const guard = AbortSignal.timeout(GUARD_MS)
  const so = { isAsked: false }
  const asking = liar.untilAsked(asked).then(() => (so.isAsked = true))
  for (let n = 0; !so.isAsked; n++) {
    guard.throwIfAborted()
    // Whoever moves without a pause ends each watch before it has begun.
    if (n % MOVES_ONE_OF === 0) move()
    if (n % REFRESHES_ONE_OF === 1) await core.refresh(liar.name)
    await Promise.race([asking, sleep(100)])
  }
}

/** What the core asks by itself, when it hears that something has moved, or when it comes into contact. */
async function lieToTheWatch(liar: HostileHost, asked: Asked, lie: Lie, move: () => void): Promise<undefined> {
  liar.lieAbout(asked, lie)
  await askedInTheEnd(liar, asked, move)
  liar.lieAbout(asked, undefined)
}

const MiB = 2 ** 20

/** Four hours' worth of one every three seconds. */
const JOBS_AT_ONCE = 4_800
/** As many as are told one by one (`HostNews`), and how often. */
const DRIP = { jobs: 20, answers: 15 } as const
const NO: Failure = { kind: 'usage', message: 'no '.repeat(100) }

/** More than a notice may hold, and dear to put into words. */
const FAT: Failure = {
  kind: 'preflight',
  problems: Array.from({ length: 100 }, () => ({ text: '\u202e'.repeat(300), fix: '\u202e'.repeat(300) }))
}

/** So many, all of them new, each time. `onSaid`: before they are told. */
function saysNewJobs(
  liar: HostileHost,
  count: number,
  onSaid: (jobs: readonly JobReport[]) => void,
  failure: Failure = NO
): Lie {
  const warnings = Array.from({ length: 4 }, () => 'it is not as it should be '.repeat(10))
  const made = (): JobReport => jobReport(liar.vms[0] ?? { uuid: '', name: '' }, 'failed-clean', { warnings, failure })
  return {
    ...says('thousands of jobs that are new', ''),
    tell: async (command) => {
      const jobs = Array.from({ length: count }, made)
      onSaid(jobs)
      await command.begin()
      for (const text of resultLines('jobs', jobs)) await command.out(text)
      command.exit(0)
    }
  }
}

const moved = (liar: HostileHost): void => liar.say('folders', 'policies\njobs\nruns\n')

const HEAVY_LOOK =
  inventoryLies('', '', 1).find(({ name }) => name === 'has 100,000 file systems') ??
  expect.fail('there is no such lie')

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

describe('hostile hosts beside a good one', () => {
  it.each([
    ['no answer', noAnswers],
    ['one thing wrong', wrongIn]
  ])('answer each question of the engine with %s', async (kind, liesOf) => {
    await seenThrough(kind, async (attacks) => {
      const tell = (liar: HostileHost, verb: EngineVerb, lie: Lie | WrongAnswer): Promise<void> =>
        attacks.attack(`${verb} ${lie.name}`, async () => {
          liar.lieAbout(verb, lie)
          const outcome = await core.ask(questionFor(liar, verb, lie.hangs ? BRIEFLY_MS : ENOUGH_MS))
          liar.lieAbout(verb, undefined)
          judge(outcome, liar.name, allowedOf(verb, lie))
          return outcome
        })
      const about = (liar: HostileHost, verb: EngineVerb) => async (): Promise<void> => {
        for (const lie of liesOf(verb, liar).filter(({ isHeavy }) => !isHeavy)) await tell(liar, verb, lie)
      }
      await Promise.all(
        liars.map((liar, place) =>
          inLanes(
            LANES,
            VERBS.filter((_, n) => n % liars.length === place).map((verb) => about(liar, verb))
          )
        )
      )
      for (const verb of VERBS)
        for (const lie of liesOf(verb, hostile).filter(({ isHeavy }) => isHeavy)) await tell(hostile, verb, lie)
    })
  })

  it('answer a look at them with lies', async () => {
    const mark = 'mark-0'
    const lies: readonly InventoryLie[] = [
      ...plainLies.filter(({ hangs }) => !hangs),
      ...inventoryLies(hostile.inventory(mark), mark, IS_EVERYTHING ? 4 : 1)
    ]
    await seenThrough('looks', async (attacks) => {
      await byLiars(lies, (lie, liar) =>
        attacks.attack(`the look ${lie.name}`, async () => {
          liar.lieAbout('inventory', lie)
          const outcome = await core.ask({ do: 'inventory', host: liar.name })
          liar.lieAbout('inventory', undefined)
          judge(outcome, liar.name, lie.isNoAnswer ? 'no answer' : 'an answer')
          if (lie.shows !== undefined)
            expect(outcome).toMatchObject({ is: 'answer', text: expect.stringContaining(lie.shows) as unknown })
          return outcome
        })
      )
    })
  })

  it('lie to the watch that the core keeps on them', async () => {
    const brief = engineLies(good.name).filter(({ hangs, isHeavy }) => !hangs && !isHeavy)
    const oneOf = IS_EVERYTHING ? 6 : 18
    const toQuestions = (['jobs', 'runs', 'policies'] as const).flatMap((what, place) =>
      brief.filter((_, n) => n % oneOf === place).map((lie) => ({ what, lie, move: moved }))
    )
    const briefly = BRIEFLY.filter((_, n) => n % (IS_EVERYTHING ? 4 : 8) === 0)
    const toStreams = (['folders', 'events'] as const).flatMap((what, place) =>
      someOf([...STREAMS, ...briefly], 2, place).map((lie) => ({
        what,
        lie,
        move: (liar: HostileHost) => liar.endWatches()
      }))
    )
    await seenThrough('the watch', (attacks) =>
      byLiars<(typeof toQuestions)[number] | (typeof toStreams)[number]>(
        [...toQuestions, ...toStreams],
        ({ what, lie, move }, liar) =>
          attacks.attack(`the watch of ${what} ${lie.name}`, () => lieToTheWatch(liar, what, lie, () => move(liar)))
      )
    )
  })

  it('lie when somebody logs in, when the engine is looked for, and when it is put there', async () => {
    /** Whatever else was a lie, that is what `true` says, and the engine once it is there. */
    const answers = { login: { stdout: '', stderr: '', exitCode: 0 }, present: {}, upload: {} }
    const ask = async (
      liar: HostileHost,
      about: keyof typeof answers,
      lie: Lie,
      order: () => Promise<Outcome>
    ): Promise<Outcome> => {
      liar.lieAbout(about, lie)
      const outcome = await order()
      liar.lieAbout(about, undefined)
      judge(outcome, liar.name, { digest: digestOf(answers[about]) })
      return outcome
    }
    const missing = BRIEFLY.find(({ name }) => name === 'says that there is no such program')
    const callAgain = (liar: HostileHost) => () => core.ask(questionFor(liar, 'parallel', ENOUGH_MS))
    const [toLogIn, toLookFor, toPut] = liars
    await seenThrough('the beginning', async (attacks) => {
      const logIns = async (): Promise<void> => {
        for (const lie of someOf(BRIEFLY, 3, 0))
          await attacks.attack(`the login ${lie.name}`, () =>
            ask(toLogIn, 'login', lie, () => core.ask({ do: 'login', host: toLogIn.name }))
          )
      }
      const looksForEngine = async (): Promise<void> => {
        toLookFor.lieAbout('parallel', missing)
        for (const lie of someOf(BRIEFLY, 3, 1))
          await attacks.attack(`the look for the engine ${lie.name}`, () =>
            ask(toLookFor, 'present', lie, callAgain(toLookFor))
          )
        toLookFor.lieAbout('parallel', undefined)
      }
      const uploads = async (): Promise<void> => {
        toPut.lieAbout('parallel', missing)
        toPut.lieAbout('present', says('has the runtime only', 'x86_64\nplain\nno\nyes\nyes\n'))
        for (const lie of someOf(BRIEFLY, 3, 2))
          await attacks.attack(`the upload ${lie.name}`, () => ask(toPut, 'upload', lie, callAgain(toPut)))
        toPut.lieAbout('present', undefined)
        toPut.lieAbout('parallel', undefined)
      }
      await Promise.all([logIns(), looksForEngine(), uploads()])
    })
  })

  it('say as their own what is the good one’s', async () => {
    const theirs = (id: string, state: 'failed-clean' | 'running' | 'done') =>
      jobReport({ uuid: others().uuid, name: others().vm }, state, { id, host: good.name })
    const ids = good.jobs.map(({ id }) => id)
    const withStore = (store: string): PolicyListing => {
      const listing = good.resultOf('policies', {})
      return { ...listing, policies: listing.policies.map((state) => ({ policy: { ...state.policy, store } })) }
    }
    const results: [Asked, string, unknown][] = [
      ['jobs', 'its jobs as failed', ids.map((id) => theirs(id, 'failed-clean'))],
      ['jobs', 'its jobs as running', ids.map((id) => theirs(id, 'running'))],
      ['jobs', 'its jobs as done, each twice', [...ids, ...ids].map((id) => theirs(id, 'done'))],
      ['runs', 'its runs as failed', good.runs.map((run) => ({ ...run, state: 'failed', reason: 'no' }))],
      ['runs', 'its runs as open', good.runs.map(({ endedAt: _, ...run }) => ({ ...run, state: 'running' }))],
      ['policies', 'its policies', good.resultOf('policies', {})],
      ...[1, 2, 3].map((n): [Asked, string, unknown] => [
        'policies',
        `a store of its own, ${n}`,
        withStore(`/srv/new-${n}`)
      ]),
      ['points', 'its points', { points: good.points, broken: [], marks: {} }],
      ['points', 'none', { points: [], broken: [], marks: {} }]
    ]
    await seenThrough('claims', (attacks) =>
      byLiars(results, ([asked, what, value], liar) =>
        attacks.attack(`claims ${what}`, () =>
          lieToTheWatch(liar, asked, says(what, line({ result: value })), () => {
            if (asked === 'points') liar.addJob('done')
            else moved(liar)
          })
        )
      )
    )
  })

  it('drip: twenty jobs that failed in each answer, each with much to say', async () => {
    const said: (readonly JobReport[])[] = []
    hostile.lieAbout(
      'jobs',
      saysNewJobs(hostile, DRIP.jobs, (jobs) => said.push(jobs), FAT)
    )
    await seenThrough('a drip', (attacks) =>
      attacks.attack('a drip', async () => {
        while (said.length < DRIP.answers) await askedInTheEnd(hostile, 'jobs', () => moved(hostile))
        hostile.lieAbout('jobs', undefined)
        await askedInTheEnd(hostile, 'jobs', () => moved(hostile))
        const isOneByOne = ({ notices }: Seen): boolean => said.at(-1)?.every(({ id }) => notices.includes(id)) === true
        await core.untilSeen(hostile.name, 'the last of the drip', isOneByOne)
        return undefined
      })
    )
  })

  it('make a day’s worth of noise: a job every three seconds, and something moves at every moment', async () => {
    const DAY_S = 86_400
    let jobs = 0
    hostile.lieAbout(
      'jobs',
      saysNewJobs(hostile, JOBS_AT_ONCE, () => (jobs += JOBS_AT_ONCE))
    )
    await seenThrough(
      'a day of noise',
      (attacks) =>
        attacks.attack('a day of noise', async () => {
          while (jobs < DAY_S / 3) await askedInTheEnd(hostile, 'jobs', () => moved(hostile))
          hostile.lieAbout('jobs', undefined)
          // The core is through with what it heard last when it asks for what comes after.
          await askedInTheEnd(hostile, 'jobs', () => moved(hostile))
          return undefined
        }),
      MOST_MB.fromNoiseOn
    )
  })

  it('leave the window painting: the good host’s rows change while others flood', async () => {
    const browser: Browser = await launch()
    const over = new AbortController()
    const [ofJobs, ofLooks, ofMoves] = liars
    const untilOver = async (again: () => Promise<unknown>, pauseMs = 5): Promise<void> => {
      while (!over.signal.aborted) {
        await again()
        await sleep(pauseMs)
      }
    }
    /** How often each of them was heard. */
    const said = { jobs: 0, looks: 0, moves: 0 }
    const haveAllBeenHeard = (before: typeof said): boolean =>
      said.jobs > before.jobs && said.looks > before.looks && said.moves > before.moves
    ofJobs.lieAbout(
      'jobs',
      saysNewJobs(ofJobs, JOBS_AT_ONCE / 8, () => (said.jobs += 1))
    )
    ofLooks.lieAbout('inventory', {
      ...HEAVY_LOOK,
      tell: async (command, right) => {
        said.looks += 1
        await HEAVY_LOOK.tell(command, right)
      }
    })
    const floods = [
      untilOver(() => ofJobs.sayAsFastAsHeard('folders', 'jobs\n')),
      untilOver(() => core.refresh(ofLooks.name)),
      untilOver(async () => {
        const folders = await ofMoves.sayAsFastAsHeard('folders', repeated('jobs\nruns\npolicies\n', 32 << 10))
        const events = await ofMoves.sayAsFastAsHeard('events', repeated('event\n', 32 << 10))
        said.moves += Math.min(folders, events)
      }),
      // A host that has lied is left alone for up to a minute: the flood would be none.
      untilOver(async () => {
        for (const { name } of liars) if (core.seen(name)?.state !== 'up') await core.refresh(name)
      }, 500)
    ]
    try {
      await seenThrough(
        'a window',
        async () => {
          const guard = AbortSignal.timeout(GUARD_MS)
          while (!haveAllBeenHeard({ jobs: 0, looks: 0, moves: 0 })) {
            guard.throwIfAborted()
            await sleep(100)
          }
          const { page, problems } = await openPage(browser, await core.openDoor())
          // One that changes in no other way.
          const vm = good.vms[2] ?? { uuid: '', name: '', state: 'running' as const }
          await page.getByRole('navigation').getByRole('button', { name: 'Hosts', exact: true }).click()
          await page.getByRole('article').filter({ hasText: good.name }).first().waitFor()
          await page.getByRole('navigation').getByRole('button', { name: 'Overview', exact: true }).click()
          const row = page.getByRole('row').filter({ hasText: vm.name })
          await row.waitFor()
          const turned = async (): Promise<TimedChange> => {
            const waitedBefore = await core.waitedMs()
            const began = performance.now()
            good.turn(vm)
            const isSo = ({ vms }: Seen): boolean => vms[vm.name] === vm.state
            const inBeside = beside.untilSeen(good.name, 'the VM turned, beside', isSo)
            await row.filter({ hasText: vm.state === 'running' ? /running/i : /off/i }).waitFor({ timeout: ENOUGH_MS })
            const ms = performance.now() - began
            const waitedMs = (await core.waitedMs()) - waitedBefore
            return { what: 'a row of the window changes', ms, waitedMs, besideMs: await inBeside }
          }
          await tally.tried(async () => {
            const stretch = stretchFromNow()
            const changesBefore = news.changes.length
            const [rows, saidBefore]: [TimedChange[], typeof said] = [[], { ...said }]
            const isOver = (): boolean =>
              rows.length >= FEW && news.changes.length - changesBefore >= FEW && haveAllBeenHeard(saidBefore)
            const guard = AbortSignal.timeout(GUARD_MS)
            while (!isOver()) {
              guard.throwIfAborted()
              rows.push(await turned())
            }
            const stretched = stretch()
            console.info('rows of the window', JSON.stringify({ stretched, rows, said, saidBefore }))
            expectSeenInTime(rows, stretched)
            // On a busy machine a browser has more to wait for than a core.
            if (isCalm(stretched)) expectSoonSeen(rows, stretched)
          })
          await shoot(page, 'beside-a-hostile-host')
          expect(problems).toEqual([])
        },
        MOST_MB.fromNoiseOn
      )
    } finally {
      over.abort()
      await Promise.all(floods)
      ofJobs.lieAbout('jobs', undefined)
      ofLooks.lieAbout('inventory', undefined)
      await browser.close()
    }
  })

  it('are seen again as they are, once they answer rightly; and nothing of what they said is held', async () => {
    await seenThrough(
      'in the end',
      async () => {
        await byLiars(liars, async (liar) => {
          await core.refresh(liar.name)
          const { id } = liar.addJob('done', { id: newId() })
          await core.untilSeen(liar.name, 'its new job', ({ state, jobs }) => state === 'up' && jobs[id] === 'done')
        })
      },
      MOST_MB.fromNoiseOn
    )
    const { core: now } = await measureBoth('collects')
    const held = grownBy(now.heldBytes, before.core.heldBytes)
    console.info(`held in the end: ${held.toFixed(1)} MB more`)
    expect(held).toBeLessThan(64)
  })
})
