import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { engineCall, type CallOptions } from '../../src/main/core/engine-on-host/engine-call.ts'
import { catchUp } from '../../src/main/core/jobs/catch-up.ts'
import { cancelJob, findJob, listJobs, watchJob } from '../../src/main/core/jobs/jobs.ts'
import { logLines } from '../../src/main/core/jobs/log-lines.ts'
import { pastOf } from '../../src/main/core/jobs/past.ts'
import { readJournal } from '../../src/main/core/jobs/read-journal.ts'
import { Away, type Meanwhile } from '../../src/main/core/live/away.ts'
import { HostNews } from '../../src/main/core/live/host-news.ts'
import { jobNotice } from '../../src/main/core/live/job-notice.ts'
import { LiveJobs } from '../../src/main/core/live/live-jobs.ts'
import { LivePoints } from '../../src/main/core/live/live-points.ts'
import { LivePolicies } from '../../src/main/core/live/live-policies.ts'
import { Notices } from '../../src/main/core/live/notices.ts'
import { downtimes } from '../../src/main/core/points/downtimes.ts'
import { pausePolicy } from '../../src/main/core/policies/policy-errands.ts'
import { readPolicies } from '../../src/main/core/policies/read-policies.ts'
import { History } from '../../src/main/core/settings/history.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import type { EngineVerb, EventOf, QuestionOf } from '../../src/shared/engine-protocol.ts'
import { machineText } from '../../src/main/doors/cli/commands/host.ts'
import { JobId } from '../../src/shared/model/ids.ts'
import type { Inventory } from '../../src/shared/model/host.ts'
import { downtimesOf } from '../../src/shared/downtimes.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { isHostClaimed } from '../../src/shared/point-name.ts'
import type { BackupSpec, JobReport, JobState } from '../../src/shared/model/job.ts'
import type { Policy, RunReport } from '../../src/shared/model/policy.ts'
import { safeText } from '../../src/shared/safe-text.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { eventually } from '../patience.ts'
import { pointAt } from '../unit/live/paper-laptop.ts'
import { policyOf, runOf } from '../unit/made-policies.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('whose job')

const GOODS = '20261125T100001Z-00000a'
const EVILS = '20261125T110000Z-00000b'
const AT = '2026-11-25T10:00:01.000Z'
const VM = { uuid: '00000000-0000-4000-8000-000000000001', name: 'web1' }
const SPEC: BackupSpec = {
  kind: 'backup',
  vm: VM.uuid,
  vmName: VM.name,
  hostName: 'good',
  store: '/s',
  budgetMs: 300,
  onBusy: 'pause'
}

const report = (id: string, host: string, state: JobState = 'done', more: Partial<JobReport> = {}): JobReport => ({
  id,
  kind: 'backup',
  host,
  vm: VM,
  state,
  startedAt: AT,
  ...(!['running', 'queued'].includes(state) && { endedAt: '2026-11-25T10:05:00.000Z' }),
  point: id,
  method: 'live',
  pauses: [],
  pauseMs: 48,
  phases: [],
  warnings: [],
  ...more
})

/** A host as its engine answers, over the very reading that a real one meets. */
class Host {
  readonly name: string
  jobs: JobReport[] = []
  points: Manifest[] = []
  runs: RunReport[] = []
  lastRun: RunReport | undefined
  /** What it is called in its policies. */
  policyHost = ''
  /** Lines of the answer to `follow` and `cancel`; undefined: as the report of that job. */
  lines: ((id: string) => unknown[]) | undefined
  readonly asked: { readonly verb: string; readonly id: string | undefined }[] = []
  private readonly shell = fakeShell(async (call) => {
    const verb = call.argv[2] ?? ''
    const question = JSON.parse((await call.stdin()).toString()) as { readonly id?: string }
    this.asked.push({ verb, id: question.id })
    const lines = this.answer(verb, question.id ?? '')
    // What it has no end for it does not answer for long.
    return lines === undefined
      ? { delayMs: 600_000 }
      : { stdout: lines.map((line) => `${JSON.stringify(line)}\n`).join('') }
  })

  constructor(name: string) {
    this.name = name
  }

  readonly call = <V extends EngineVerb>(verb: V, question: QuestionOf<V>, options?: CallOptions<EventOf<V>>) =>
    engineCall({ shell: this.shell, host: this.name, node: '/n', engine: '/e' }, verb, question, options)

  idsAsked(verb: string): (string | undefined)[] {
    return this.asked.flatMap((each) => (each.verb === verb ? [each.id] : []))
  }

  private answer(verb: string, id: string): unknown[] | undefined {
    if (verb === 'jobs') return [{ result: this.jobs }]
    if (verb === 'runs') return [{ result: this.runs }]
    if (verb === 'points') return [{ result: { points: this.points, broken: [], marks: {} } }]
    if (verb === 'policies') return [{ result: this.listing() }]
    if (verb === 'policy-put') return [{ result: this.policy() }]
    if (this.lines !== undefined) return this.lines(id)
    const job = this.jobs.find((each) => each.id === id)
    if (job === undefined) return [{ failure: { kind: 'not-found', what: 'job', name: id } }]
    if (verb === 'cancel') return [{ result: { ...job, state: 'cancelled', endedAt: AT } }]
    return job.endedAt === undefined ? undefined : [{ result: job }]
  }

  private policy(): Policy {
    return policyOf({ hostName: this.policyHost })
  }

  private listing(): unknown {
    const policies = [{ policy: this.policy(), ...(this.lastRun && { lastRun: this.lastRun }) }]
    return { policies, broken: [], timeZone: 'UTC', parallel: 1, channels: {}, outbox: [] }
  }
}

let folder = ''
let good = new Host('good')
let evil = new Host('evil')
let core: Core
const ends: (() => void)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-whose-'))
  good = new Host('good')
  evil = new Host('evil')
  core = coreOver(good, evil)
})
afterEach(() => {
  ends.splice(0).forEach((end) => end())
  rmSync(folder, { recursive: true })
})

function coreOver(...hosts: readonly Host[]): Core {
  const settings = openSettings(folder)
  settings.update((before) => ({
    ...before,
    hosts: hosts.map(({ name }) => ({ name, address: name, addedAt: '2026-01-01T00:00:00.000Z' }))
  }))
  const history = new History(join(folder, 'history.jsonl'))
  const engine = (name: string): Promise<unknown> => Promise.resolve(hosts.find((host) => host.name === name))
  return { folder, settings, history, connections: { engine } } as unknown as Core
}

/** The live core's part that hears of jobs and runs, as it is when hosts are first heard: it knows what its history has. */
async function live() {
  const told: JobView[] = []
  const meanwhile: Meanwhile[] = []
  const notices = new Notices(join(folder, 'notices.json'))
  const ended = (all: readonly JobView[]): Promise<void> => {
    told.push(...all)
    notices.addEach(all.map((job) => jobNotice(job, undefined)))
    return Promise.resolve()
  }
  const jobs = new LiveJobs(core, (job) => void ended([job]))
  const away = new Away((each) => meanwhile.push(each), 0)
  const policies = new LivePolicies(core)
  policies.follow(['evil', 'good'])
  const parts = { core, jobs, policies, points: new LivePoints(core), notices, away, ended }
  ends.push(() => jobs.stop())
  await Promise.all([jobs.remembered, policies.remembered])
  return { ...parts, told, meanwhile, news: new HostNews(parts) }
}

const whose = (reports: readonly { readonly host: string; readonly id: string }[]): string[] =>
  reports.map(({ host, id }) => `${host} ${id}`).sort()

/** What a host may call itself in what it reports. */
const CLAIMED = [
  'good',
  'GOOD',
  'good ',
  '',
  'this computer',
  'evil/../good',
  '__proto__',
  'constructor',
  '\u202edoog',
  'go\u200bod',
  'good\0evil',
  'x'.repeat(5000)
]

const inATitle = (claim: string): string => JSON.stringify(safeText(claim.slice(0, 20)))
const titled = CLAIMED.map((claim) => ({ claim, as: inATitle(claim) }))

/** Every door through which a job or a run of a host comes, and the hosts that it is said to be of there. */
const DOORS: Readonly<Record<string, () => Promise<readonly (string | undefined)[]>>> = {
  'the list of jobs': async () => (await listJobs(core)).jobs.map(({ host }) => host),
  'the list of jobs of one host': async () => (await listJobs(core, 'evil')).jobs.map(({ host }) => host),
  'the job of an id': async () => [(await findJob(core, EVILS)).host],
  'a job that is watched': async () => [(await watchJob(core, 'evil', EVILS, { onWatched: () => undefined })).host],
  'a job that is cancelled': async () => [(await cancelJob(core, 'evil', EVILS)).host],
  'the history, by a list': async () => {
    await listJobs(core)
    return (await core.history.jobs()).map(({ host }) => host)
  },
  'the history, by a watch': async () => {
    await watchJob(core, 'evil', EVILS, { onWatched: () => undefined })
    return (await core.history.jobs()).map(({ host }) => host)
  },
  'the history, by a cancel': async () => {
    await cancelJob(core, 'evil', EVILS)
    return (await core.history.jobs()).map(({ host }) => host)
  },
  'the history, after a contact': async () => {
    await catchUp('evil', evil.call, core.history)
    return [...(await core.history.jobs()), ...(await core.history.runs())].map(({ host }) => host)
  },
  'past jobs and runs': async () => {
    const { jobs, runs } = await pastOf(core, { vm: undefined, host: undefined, policy: undefined, since: undefined })
    return [...jobs, ...runs].map(({ host }) => host)
  },
  downtime: async () => {
    const { entries } = await downtimes(core, undefined)
    return entries.filter((entry) => !isHostClaimed(entry)).map(({ host }) => host)
  },
  "a window's downtime": async () => {
    const window = await live()
    await window.news.contact('evil')
    await window.points.refresh('good')
    await window.points.refresh('evil')
    const entries = downtimesOf(window.jobs.all.value ?? [], window.points.all.value?.points ?? [])
    return entries.filter((entry) => !isHostClaimed(entry)).map(({ host }) => host)
  },
  'the last run of a policy': async () =>
    (await readPolicies(core, 'evil')).policies.map(({ lastRun }) => lastRun?.host),
  'a policy in its list': async () => (await readPolicies(core, 'evil')).policies.map(({ policy }) => policy.hostName),
  'a policy that is changed': async () => [(await pausePolicy(core, { host: 'evil', id: policyOf().id })).hostName],
  "a window's jobs": async () => {
    const window = await live()
    await window.news.contact('evil')
    return (window.jobs.all.value ?? []).map(({ host }) => host)
  },
  "a window's runs": async () => {
    const window = await live()
    await window.news.contact('evil')
    return (window.policies.runs.value ?? []).map(({ host }) => host)
  },
  'what ended under the eyes of a window': async () => {
    const window = await live()
    await window.news.moved('evil', ['jobs', 'runs'])
    return window.told.map(({ host }) => host)
  },
  'the story of a job': async () => {
    evil.lines = (id) => [
      { event: { n: 0, at: AT, type: 'begin', id, spec: { ...SPEC, hostName: 'good' }, bootId: 'b', engine: 'e' } },
      { result: report(id, 'good') }
    ]
    const [begun] = logLines(await readJournal(core, 'evil', EVILS))
    return [begun?.text.split(' ')[0]]
  }
}

describe('a job or a run is of the host that tells it, whatever name it says', () => {
  it.each(Object.keys(DOORS).flatMap((door) => titled.map((claim) => ({ door, ...claim }))))(
    '$door: $as',
    async ({ door, claim }) => {
      await tally.tried(async () => {
        evil.jobs = [report(EVILS, claim)]
        evil.points = [pointAt(1, { host: { name: claim.slice(0, 255), machineId: '' } })]
        evil.runs = [runOf({ host: claim })]
        evil.lastRun = runOf({ host: claim })
        evil.policyHost = claim.slice(0, 255)
        const hosts = (await DOORS[door]?.()) ?? []
        expect(hosts).not.toEqual([])
        expect(new Set(hosts)).toEqual(new Set(['evil']))
      })
    }
  )

  it.each(titled)('a cancel by its id goes to the host that has it, which calls itself $as', async ({ claim }) => {
    await tally.tried(async () => {
      evil.jobs = [report(EVILS, claim, 'running')]
      good.jobs = [report(GOODS, 'good', 'running')]
      const { host, id } = await findJob(core, EVILS)
      await cancelJob(core, host, id)
      expect([evil.idsAsked('cancel'), good.idsAsked('cancel')]).toEqual([[EVILS], []])
    })
  })

  it.each(titled)('what it calls itself is no word in notices: $as', async ({ claim }) => {
    await tally.tried(async () => {
      const window = await live()
      await window.news.contact('evil')
      evil.runs = [runOf({ host: claim, state: 'failed', reason: 'the clock', missedCount: 2 })]
      await window.news.moved('evil', ['runs'])
      const said = (window.notices.all.value ?? []).map(({ title }) => title)
      expect(said).toContain('The run of nightly on evil failed')
      if (claim !== '') expect(said.join()).not.toContain(claim === 'good' ? 'on good' : claim)
    })
  })
})

describe('a host that is added or looked at in the terminal', () => {
  const machine = (hostname: string): string =>
    machineText('evil', { hostname, os: 'Debian', cpus: 1, memoryBytes: 1 << 30 } as Inventory)

  it.each(titled)('has our name for it before its own, which is $as', async ({ claim }) => {
    await tally.tried(() => {
      const calls = claim === '' ? '' : ` (calls itself ${claim})`
      expect(machine(claim)).toBe(`evil${calls}: Debian, 1 CPUs, 1.0 GiB RAM`)
    })
  })

  it('has one name where both are the same', () => {
    expect(machine('evil')).toBe('evil: Debian, 1 CPUs, 1.0 GiB RAM')
  })
})

const OTHERS: Readonly<Record<string, (id: string) => unknown[]>> = {
  'a report of another job': () => [{ result: report(GOODS, 'good') }],
  'the beginning of another job': (id) => [
    { event: { n: 0, at: AT, type: 'begin', id: GOODS, spec: SPEC, bootId: 'b', engine: 'e' } },
    { result: report(id, 'evil') }
  ],
  'the end of another job': (id) => [
    { event: { n: 0, at: AT, type: 'end', report: report(GOODS, 'good') } },
    { result: report(id, 'evil') }
  ]
}

describe('an answer about another job than was asked for', () => {
  it.each(Object.keys(OTHERS))('is refused where a job is watched: %s', async (name) => {
    await tally.tried(async () => {
      evil.lines = OTHERS[name]
      const watching = watchJob(core, 'evil', EVILS, { onWatched: () => undefined })
      await expect(watching).rejects.toMatchObject({ failure: { kind: 'bad-output' } })
      expect(await core.history.jobs()).toEqual([])
    })
  })

  it('is refused where a job is cancelled', async () => {
    await tally.tried(async () => {
      evil.lines = OTHERS['a report of another job']
      await expect(cancelJob(core, 'evil', EVILS)).rejects.toMatchObject({ failure: { kind: 'bad-output' } })
      expect(await core.history.jobs()).toEqual([])
    })
  })

  it.each(Object.keys(OTHERS))('moves nothing in a window: %s', async (name) => {
    await tally.tried(async () => {
      good.jobs = [report(GOODS, 'good', 'failed-clean')]
      evil.jobs = [report(EVILS, 'evil', 'running')]
      evil.lines = OTHERS[name]
      const window = await live()
      await window.news.contact('good')
      await window.news.contact('evil')
      await eventually(() => expect(evil.idsAsked('follow')).not.toEqual([]))
      expect(whose(window.jobs.all.value ?? [])).toEqual([`evil ${EVILS}`, `good ${GOODS}`])
      expect(window.jobs.find(GOODS)).toMatchObject({ host: 'good', state: 'failed-clean' })
      expect(window.jobs.find(EVILS)).toMatchObject({ host: 'evil', state: 'running' })
    })
  })
})

const STATES: readonly JobState[] = ['running', 'stalled', 'done', 'failed-clean', 'failed-needs-you', 'cancelled']
const twice = STATES.flatMap((mine) =>
  STATES.flatMap((forged) => (['evil', 'good'] as const).map((first) => ({ mine, forged, first })))
)
const isOver = (state: JobState): boolean => !['running', 'stalled'].includes(state)

describe('two hosts with a job of one id', () => {
  it.each(twice)("each keep theirs: good's is $mine, evil's $forged, $first first", async ({ mine, forged, first }) => {
    await tally.tried(async () => {
      const open = (state: JobState): Partial<JobReport> => (isOver(state) ? {} : { endedAt: undefined })
      good.jobs = [report(GOODS, 'good', mine, open(mine))]
      evil.jobs = [report(GOODS, 'good', forged, { ...open(forged), warnings: ['forged'] })]
      const window = await live()
      for (const host of first === 'evil' ? ['evil', 'good'] : ['good', 'evil']) await window.news.moved(host, ['jobs'])
      const shown = window.jobs.all.value ?? []
      expect(shown.map(({ host, state }) => `${host} ${state}`).sort()).toEqual([`evil ${forged}`, `good ${mine}`])
      expect(new Set(shown.map(({ id }) => JobId.parse(id))).size).toBe(2)
      const ended = [...(isOver(forged) ? ['evil'] : []), ...(isOver(mine) ? ['good'] : [])]
      expect(window.told.map(({ host }) => host).sort()).toEqual(ended)
      expect(window.notices.all.value ?? []).toHaveLength(ended.length)
      expect((await core.history.jobs()).map(({ host }) => host).sort()).toEqual(ended)
      expect(whose((await listJobs(core)).jobs)).toEqual([`evil ${GOODS}`, `good ${GOODS}`])
    })
  })

  it.each(['evil', 'good'] as const)(
    'are cancelled, followed and read each on its own host, %s first',
    async (first) => {
      await tally.tried(async () => {
        good.jobs = [report(GOODS, 'good', 'running')]
        evil.jobs = [report(GOODS, 'good', 'running')]
        const window = await live()
        for (const host of first === 'evil' ? ['evil', 'good'] : ['good', 'evil'])
          await window.news.moved(host, ['jobs'])
        const mine = window.jobs.all.value?.find(({ host }) => host === 'good')?.id ?? ''
        await eventually(() => expect([good.idsAsked('follow'), evil.idsAsked('follow')]).toEqual([[GOODS], [GOODS]]))
        expect(window.jobs.idOnHost(mine)).toBe(GOODS)
        await window.jobs.cancel(mine)
        expect([good.idsAsked('cancel'), evil.idsAsked('cancel')]).toEqual([[GOODS], []])
      })
    }
  )

  it('are told apart in the terminal by their host', async () => {
    await tally.tried(async () => {
      good.jobs = [report(GOODS, 'good', 'running')]
      evil.jobs = [report(GOODS, 'good', 'running')]
      await expect(findJob(core, GOODS)).rejects.toMatchObject({
        failure: { kind: 'ambiguous', what: 'job', candidates: [`good/${GOODS}`, `evil/${GOODS}`] }
      })
      expect((await findJob(core, `good/${GOODS}`)).host).toBe('good')
      expect((await findJob(core, `evil/${GOODS.slice(0, 12)}`)).host).toBe('evil')
      good.jobs = []
      await expect(findJob(core, 'evi')).rejects.toMatchObject({ failure: { kind: 'not-found' } })
    })
  })

  it('have both an end after a new start, each told once', async () => {
    await tally.tried(async () => {
      evil.jobs = [report(GOODS, 'good', 'done')]
      await (await live()).news.contact('evil')
      good.jobs = [report(GOODS, 'good', 'failed-clean')]
      const again = await live()
      await again.news.moved('good', ['jobs'])
      await again.news.moved('evil', ['jobs'])
      expect(again.told.map(({ host, state }) => `${host} ${state}`)).toEqual(['good failed-clean'])
      const third = await live()
      await third.news.moved('good', ['jobs'])
      expect(third.told).toEqual([])
      expect(third.jobs.all.value).toHaveLength(2)
    })
  })

  it.each(['evil', 'good'] as const)('and two runs of one id are two runs, %s first', async (first) => {
    await tally.tried(async () => {
      good.runs = [runOf({ host: 'good', state: 'failed', reason: 'the store was away' })]
      evil.runs = [runOf({ host: 'good' })]
      const window = await live()
      for (const host of first === 'evil' ? ['evil', 'good'] : ['good', 'evil']) await window.news.moved(host, ['runs'])
      const runs = window.policies.runs.value ?? []
      expect(runs.map(({ host, state }) => `${host} ${state}`).sort()).toEqual(['evil done', 'good failed'])
      expect(new Set(runs.map(({ id }) => id)).size).toBe(2)
      expect(await core.history.runs()).toHaveLength(2)
      expect((window.notices.all.value ?? []).map(({ title }) => title)).toContain('The run of nightly on good failed')
    })
  })

  it('a backup that evil claims takes the place of no downtime of another VM', async () => {
    await tally.tried(async () => {
      good.jobs = [report(GOODS, 'good', 'done')]
      evil.jobs = [report(GOODS, 'good', 'done', { pauseMs: 1, vm: { ...VM, name: 'forged' } })]
      const { entries } = await downtimes(core, 'good/web1')
      expect(entries).toMatchObject([{ host: 'good', vm: 'web1', pauseMs: 48 }])
    })
  })
})

describe('a host that was here by another name', () => {
  it('has each of its jobs once in every list, and keeps them all in the history', async () => {
    await core.history.addJobs([report(GOODS, 'once-called'), report(EVILS, 'long-gone')])
    good.jobs = [report(GOODS, 'whatever')]
    expect(whose((await listJobs(core)).jobs)).toEqual([`good ${GOODS}`, `long-gone ${EVILS}`])
    expect(await core.history.jobs()).toHaveLength(3)
    const { jobs } = await live()
    expect(whose(jobs.all.value ?? [])).toEqual([`good ${GOODS}`, `long-gone ${EVILS}`])
  })
})
