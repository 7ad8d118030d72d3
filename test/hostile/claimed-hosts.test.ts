import { rmSync } from 'node:fs'
import { MantineProvider } from '@mantine/core'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { afterEach, describe, expect, it } from 'vitest'
import { LivePoints } from '../../src/main/core/live/live-points.ts'
import { downtimeCommand } from '../../src/main/doors/cli/commands/downtime.ts'
import { pointsCommand, showCommand } from '../../src/main/doors/cli/commands/points.ts'
import { downtimeCsv } from '../../src/renderer/features/downtime/csv.ts'
import { DowntimeFigures } from '../../src/renderer/features/downtime/downtime-figures.tsx'
import { DowntimeTable } from '../../src/renderer/features/downtime/downtime-table.tsx'
import { ALL_DOWNTIMES, figuresOf, filtered, hostsOf } from '../../src/renderer/features/downtime/downtime-view.ts'
import { COLUMNS } from '../../src/renderer/features/overview/vm-columns.tsx'
import { NO_FILTER, filtered as overviewFiltered } from '../../src/renderer/features/overview/filter-view.ts'
import { whyOf } from '../../src/renderer/features/overview/attention-view.ts'
import { PointFacts } from '../../src/renderer/features/vm/point-facts.tsx'
import { groupsOf } from '../../src/renderer/features/restore/point-groups.ts'
import { downtimesOf, type Downtime } from '../../src/shared/downtimes.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { downtimeRows, pointsOfTrend } from '../../src/renderer/features/vm/trend-view.ts'
import { vmKnown } from '../../src/renderer/features/vm/vm-view.ts'
import { safeText } from '../../src/shared/safe-text.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import { pointsSaid } from '../unit/cli/points-said.ts'
import { hostView, hoursAgo, idAt, jobAt, NOW, PaperLaptop, pointAt, vmView } from '../unit/live/paper-laptop.ts'
import { VM } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('hosts that points say they were taken on')
const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

/** Names that are no host of ours, though some of them look as if they were. */
const UNKNOWN = [
  'nobody',
  'Good',
  'good ',
  ' good',
  'g\u043e\u043ed',
  'good\u200b',
  'good.example.org',
  'good:/srv',
  ''
]

const [GOODS, ANOTHERS] = ['a'.repeat(32), 'e'.repeat(32)]
const HOURS_MS = 7_200_000

const takenOn = (name: string, machineId = ANOTHERS): Manifest =>
  pointAt(1, { host: { name, machineId }, pauseMs: HOURS_MS })

/** A host that lists a point which it says was taken on a host of that name. */
function listing(host: string, machineId = ANOTHERS): PaperLaptop {
  const laptop = new PaperLaptop(['good', 'bad'])
  laptops.push(laptop)
  laptop.lists('good', [])
  laptop.lists('bad', [takenOn(host, machineId)])
  return laptop
}

/** Points that say they are of the good host, and why that is nothing but their word. */
const CLAIMS: Readonly<Record<string, () => PaperLaptop>> = {
  'of the id of another machine': () => {
    const laptop = listing('good')
    laptop.knows('good', GOODS)
    return laptop
  },
  'which never told of it': () => listing('good'),
  'of its own machine, which never told of it': () => {
    const laptop = listing('good', GOODS)
    laptop.knows('good', GOODS)
    return laptop
  },
  'of its machine alone, which never told of it': () => {
    const laptop = listing('nobody', GOODS)
    laptop.knows('good', GOODS)
    return laptop
  }
}

async function viewOf(laptop: PaperLaptop): Promise<PointView> {
  const { points } = await laptop.sees([hostView('good', { vms: [vmView()] }), hostView('bad')])
  const [view] = points?.points ?? []
  if (view === undefined) throw new Error('no point is shown')
  return view
}

/** On the page of its VM, and where a point is chosen for a restore. */
const inTheWindow = (point: PointView): string[] => [
  renderToStaticMarkup(createElement(MantineProvider, {}, createElement(PointFacts, { point, manifest: undefined }))),
  ...groupsOf([point], '').map(({ host }) => safeText(host))
]

describe('a host that a point says it was taken on', () => {
  it.each(UNKNOWN)('is told as the word of the point in the window, where it is none of ours: %j', async (host) => {
    await tally.tried(async () => {
      const view = await viewOf(listing(host))
      expect(view).toMatchObject({ host, isHostUnknown: true })
      for (const shown of inTheWindow(view)) expect(shown).toContain(`says: ${safeText(host)}`)
    })
  })

  it.each(UNKNOWN)('is told as the word of the point in the terminal, where it is none of ours: %j', async (host) => {
    await tally.tried(async () => {
      const { lines, result } = await pointsSaid(listing(host))
      expect(lines.join('\n')).toContain(`  says: ${safeText(host)}/web <1>  `)
      expect(result).toMatchObject({ points: [{ host, isHostUnknown: true }] })
      const shown = await pointsSaid(listing(host), showCommand, [idAt(1)])
      expect(shown.lines[0]?.endsWith(`, which says: taken on ${host}`)).toBe(true)
      expect(shown.result).toMatchObject({ isHostUnknown: true, point: { isHostUnknown: true } })
    })
  })

  it('is called by its name where it is one of ours', async () => {
    const view = await viewOf(listing('bad'))
    expect(view).not.toHaveProperty('isHostUnknown')
    expect(inTheWindow(view).join('\n')).not.toContain('says:')
    const { lines, result } = await pointsSaid(listing('bad'))
    expect(lines.join('\n')).toContain('  bad/web <1>  ')
    expect(JSON.stringify(result)).not.toContain('isHostUnknown')
  })

  it.each(Object.keys(CLAIMS))(
    'is told as the word of the point at every door, where it is one of ours %s',
    async (why) => {
      await tally.tried(async () => {
        const laptop = CLAIMS[why]?.() ?? expect.fail()
        const view = await viewOf(laptop)
        for (const shown of inTheWindow(view)) expect(shown).toContain('says: good')
        const { lines, result } = await pointsSaid(laptop)
        expect(lines.join('\n')).toContain('  says: good/web <1>  ')
        const claim = view.isHostUnknown === true ? { isHostUnknown: true } : { notToldBy: 'good' }
        expect(view).toMatchObject({ host: 'good', ...claim })
        expect(result).toMatchObject({ points: [{ host: 'good', ...claim }] })
        const shown = await pointsSaid(laptop, showCommand, [idAt(1)])
        expect(shown.lines[0]).toContain(', which says: taken on good')
        expect(shown.result).toMatchObject({ host: 'good', ...claim })
      })
    }
  )

  it.each(Object.keys(CLAIMS))(
    'has no such point among its own in the terminal, and how to list it is said: %s',
    async (why) => {
      await tally.tried(async () => {
        for (const of of ['good', 'good/web <1>']) {
          const { lines, notes, result } = await pointsSaid(CLAIMS[why]?.() ?? expect.fail(), pointsCommand, [of])
          expect([lines, result]).toMatchObject([['No points.'], { points: [], claiming: 1 }])
          expect(notes.join('\n')).toContain(`To list it: stillpoint points 'says: ${of}'`)
          const claiming = await pointsSaid(CLAIMS[why]?.() ?? expect.fail(), pointsCommand, [`says: ${of}`])
          expect(claiming.result).toMatchObject({ points: [{ id: idAt(1) }] })
        }
      })
    }
  )

  it.each(Object.keys(CLAIMS))('has no VM in the overview that only such a point remembers: %s', async (why) => {
    await tally.tried(async () => {
      const { vms } = await (CLAIMS[why]?.() ?? expect.fail()).sees([hostView('good'), hostView('bad')])
      expect(vms).toMatchObject([{ host: 'good', safety: 'gone' }])
      expect(overviewFiltered(vms, { ...NO_FILTER, host: 'good' })).toEqual([])
      for (const row of vms) {
        const cells = COLUMNS.filter(({ key }) => key === 'host').map(({ cell }) => cell(row))
        expect(renderToStaticMarkup(createElement(MantineProvider, {}, ...cells))).toContain('says: good')
        expect(whyOf(row, NOW)).toContain('It was on good, as only its point says.')
      }
    })
  })

  it('is told as the word of the point from when that host is taken out', async () => {
    const laptop = listing('bad')
    laptop.lists('good', [takenOn('good')])
    laptop.lists('bad', [takenOn('good')])
    expect(await viewOf(laptop)).not.toHaveProperty('isHostUnknown')
    laptop.core.settings.update((before) => ({ ...before, hosts: before.hosts.filter(({ name }) => name === 'bad') }))
    expect(await viewOf(laptop)).toMatchObject({ isHostUnknown: true })
  })
})

describe('a host that another Stillpoint calls otherwise', () => {
  it('has our name at every door: its machine is known', async () => {
    const laptop = listing('bad')
    laptop.knows('good', GOODS)
    laptop.lists('bad', [])
    laptop.lists('good', [takenOn('prod-1', GOODS)])
    const view = await viewOf(laptop)
    expect(view).toMatchObject({ host: 'good' })
    const points = await pointsSaid(laptop, pointsCommand, ['good/web <1>'])
    expect(points.lines.join('\n')).toContain('  good/web <1>  ')
    const downtime = await pointsSaid(laptop, downtimeCommand, ['good/web <1>'])
    expect(downtime.lines[1]?.startsWith('good/web <1>  ')).toBe(true)
    const said = JSON.stringify([view, points, downtime])
    for (const other of ['says:', 'prod-1', 'isHostUnknown', 'notToldBy']) expect(said).not.toContain(other)
  })
})

describe('a host whose machine has another id than when it was added', () => {
  const claims = async (laptop: PaperLaptop): Promise<unknown> => {
    const { isHostUnknown, notToldBy, host } = await viewOf(laptop)
    return { host, isClaimed: isHostUnknown === true || notToldBy !== undefined }
  }
  /** `bad` lists a point that says it was taken on `good`, which had another id when it was added. */
  const madeAnew = (): PaperLaptop => {
    const laptop = listing('good')
    laptop.knows('good', GOODS)
    return laptop
  }
  const copied = { point: idAt(1), vm: 'web <1>', uuid: VM, at: hoursAgo(0.1), sizeBytes: 1, ms: 1 }

  it('has its own points by its name, at every door', async () => {
    const laptop = madeAnew()
    laptop.lists('good', [takenOn('good')])
    laptop.lists('bad', [])
    expect(await claims(laptop)).toEqual({ host: 'good', isClaimed: false })
    const { lines, notes, result } = await pointsSaid(laptop, pointsCommand, ['good/web <1>'])
    expect(lines.join('\n')).toContain('  good/web <1>  ')
    expect(notes).toEqual([])
    expect(result).toMatchObject({ points: [{ host: 'good' }], claiming: 0 })
  })

  it('has them also where only another host has them still: it told of its backup, or they were copied from it', async () => {
    const reported = madeAnew()
    await reported.history.addJobs([jobAt(1, 'good')])
    const fetched = madeAnew()
    await fetched.history.addCopy({ ...copied, from: 'good', to: 'bad' })
    for (const laptop of [reported, fetched]) expect(await claims(laptop)).toEqual({ host: 'good', isClaimed: false })
  })

  it('has those of the id that it had before, though the other machine of that id is one of ours', async () => {
    const laptop = listing('bad')
    laptop.knows('good', ANOTHERS)
    laptop.knows('bad', GOODS)
    laptop.lists('good', [takenOn('good', GOODS)])
    laptop.lists('bad', [])
    expect(await claims(laptop)).toEqual({ host: 'good', isClaimed: false })
  })

  it('has none of a machine that is ours under another name now, though it told of them when it bore that name', async () => {
    const laptop = listing('bad')
    laptop.knows('good', ANOTHERS)
    laptop.knows('bad', GOODS)
    await laptop.history.addJobs([jobAt(1, 'good')])
    laptop.lists('good', [])
    laptop.lists('bad', [takenOn('good', GOODS)])
    expect(await claims(laptop)).toEqual({ host: 'bad', isClaimed: false })
  })

  it('has none that another host lists under its name, also where that one was copied to it', async () => {
    await tally.tried(async () => expect(await claims(madeAnew())).toMatchObject({ isClaimed: true }))
    await tally.tried(async () => {
      const laptop = madeAnew()
      laptop.lists('good', [takenOn('good')])
      await laptop.history.addCopy({ ...copied, from: 'bad', to: 'good' })
      await laptop.history.addCopy({ ...copied, from: 'good', to: 'good:/srv/other' })
      expect(await claims(laptop)).toMatchObject({ isClaimed: true })
    })
  })

  it('has them as the word of the point from the moment when it is taken out', async () => {
    const laptop = madeAnew()
    await laptop.history.addJobs([jobAt(1, 'good')])
    const points = new LivePoints(laptop.core)
    for (const host of ['good', 'bad']) await points.refresh(host)
    expect(points.all.value?.points).toMatchObject([{ host: 'good' }])
    expect(points.all.value?.points[0]).not.toHaveProperty('isHostUnknown')
    laptop.core.settings.update((before) => ({ ...before, hosts: before.hosts.filter(({ name }) => name === 'bad') }))
    await points.follow()
    expect(points.all.value?.points).toMatchObject([{ host: 'good', isHostUnknown: true }])
  })
})

/** What the page of downtime has of these: its figures and its table. */
function pageOf(entries: readonly Downtime[]): string {
  const figures = figuresOf(entries, 'backup', 300)
  const table = createElement(DowntimeTable, { entries, budgetMs: 300, onOpen: () => undefined })
  const parts = [createElement(DowntimeFigures, { backups: figures, restores: undefined, budgetMs: 300 }), table]
  return renderToStaticMarkup(createElement(MantineProvider, {}, ...parts))
}

/** Each point that names a host which is not its own, and what that is called. */
const NAMED = [
  ...Object.entries(CLAIMS).map(([why, make]) => ({ why: `good, ${why}`, make, host: 'good' })),
  ...UNKNOWN.map((host) => ({ why: JSON.stringify(host), make: () => listing(host), host }))
]

describe('how long a VM stood still, as a point says that names a host', () => {
  it.each(NAMED)('is told in the terminal as its word, and is none of the host: $why', async ({ make, host }) => {
    await tally.tried(async () => {
      const { lines, result } = await pointsSaid(make(), downtimeCommand)
      expect(lines[1]?.startsWith(`says: ${safeText(host)}/web <1>  `)).toBe(true)
      const { entries } = result as { readonly entries: readonly Downtime[] }
      expect(entries).toMatchObject([{ host, pauseMs: HOURS_MS }])
      expect(entries.filter((entry) => entry.isHostUnknown !== true && entry.notToldBy !== 'good')).toEqual([])
      const ofGood = await pointsSaid(make(), downtimeCommand, ['good/web <1>'])
      expect(ofGood).toMatchObject({ lines: ['Nothing measured yet.'], result: { entries: [] } })
      const claiming = await pointsSaid(make(), downtimeCommand, [`says: ${host}/web <1>`])
      expect(claiming.result).toMatchObject({ entries: [{ host }] })
    })
  })

  it.each(NAMED)(
    'is told in the window and its file as its word, and is none of the host: $why',
    async ({ make, host }) => {
      await tally.tried(async () => {
        const entries = downtimesOf([], [await viewOf(make())])
        expect(entries).toMatchObject([{ host, pauseMs: HOURS_MS }])
        const page = pageOf(entries)
        expect(page.split('says: ').length - 1).toBeGreaterThan(1)
        expect(page).not.toMatch(/\bon good/i)
        expect(downtimeCsv(entries).split('\r\n')[1]).toContain(`,backup,says: ${safeText(host)},`)
        expect(hostsOf(entries)).toEqual([])
        expect(filtered(entries, { ...ALL_DOWNTIMES, host: 'good' }, NOW)).toEqual([])
      })
    }
  )

  it.each(NAMED)('is no word about the VM on the page of the VM: $why', async ({ make }) => {
    await tally.tried(async () => {
      const hosts = [hostView('good', { vms: [vmView()] }), hostView('bad')]
      const points = { points: [await viewOf(make())], broken: [], known: true }
      const known = vmKnown({ hosts, points, jobs: [] }, VM, 'good') ?? expect.fail()
      const ownJob = { ...jobAt(1, 'good', { pauseMs: 48 }), retryable: false }
      expect(known.points).toHaveLength(1)
      expect(downtimeRows(pointsOfTrend(known), [ownJob], undefined)).toMatchObject([{ pauseMs: 48 }])
    })
  })

  it('stands beside what the host itself tells of that VM', async () => {
    await tally.tried(async () => {
      const laptop = CLAIMS['of the id of another machine']?.() ?? expect.fail()
      laptop.did('good', [jobAt(5, 'good', { pauseMs: 48 })])
      laptop.did('bad', [jobAt(1, 'bad', { pauseMs: 1 })])
      const { result } = await pointsSaid(laptop, downtimeCommand, [`good/${VM}`])
      expect(result).toMatchObject({ entries: [{ host: 'good', pauseMs: 48 }] })
    })
  })
})
