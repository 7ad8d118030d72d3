import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { History, HISTORY_LIMITS, type HistoryRemark, type Limits } from '../../src/main/core/settings/history.ts'
import { catchUp, type AskPast } from '../../src/main/core/jobs/catch-up.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'
import { idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('the history')

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-history-'))
  path = join(folder, 'history.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function opened(limits: Partial<Limits> = {}, now?: () => Date): { history: History; remarks: HistoryRemark[] } {
  const history = new History(path, { ...HISTORY_LIMITS, ...limits }, now)
  const remarks: HistoryRemark[] = []
  history.listen((remark) => remarks.push(remark))
  return { history, remarks }
}

const titles = (remarks: readonly HistoryRemark[]): string[] => remarks.map(({ title }) => title)
const lineOf = (n: number): string => JSON.stringify({ type: 'job', report: jobReport(n) })
const damagedFile = (): string => readFileSync(join(folder, 'history.damaged.jsonl'), 'utf8')
const bytesIn = (): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

const GOOD = lineOf(1)
const DAMAGED: readonly (readonly [string, string | Buffer])[] = [
  ['words', 'garbage'],
  ['half a line', GOOD.slice(0, 80)],
  ['the other half', GOOD.slice(80)],
  ['a number', '7'],
  ['null', 'null'],
  ['an array', '[]'],
  ['a string', '"job"'],
  ['an empty object', '{}'],
  ['a type that is no word', '{"type":7}'],
  ['an empty type', '{"type":""}'],
  ['NUL', Buffer.alloc(5000)],
  ['every byte but the line end', Buffer.from(Array.from({ length: 256 }, (_, n) => (n === 10 ? 11 : n)))],
  ['an image', Buffer.from('89504e470d1a1a00deadbeef', 'hex')],
  ['UTF-16', Buffer.from(GOOD, 'utf16le')],
  ['invalid UTF-8', Buffer.from([0xff, 0xfe, 0xc0, 0x80])],
  ['two reports on one line', GOOD + GOOD],
  ['brackets without end', '['.repeat(200_000)],
  ['a deep object', '{"a":'.repeat(50_000)],
  ['a number too large', '1e999999'],
  ['half a megabyte of x', 'x'.repeat(500_000)],
  ['more than a line may have', 'y'.repeat(3 << 20)],
  ['a report far too long', `{"type":"job","x":"${'z'.repeat(3 << 20)}"}`]
]

const STRANGE: readonly (readonly [string, string])[] = [
  ['a kind of entry that is not known', '{"type":"moon","phase":3}'],
  ['a job in a state that is not known', GOOD.replace('"done"', '"levitating"')],
  ['a job without a host', GOOD.replace('"host"', '"hosts"')],
  ['a job with another id', GOOD.replace(/"id":"[^"]*"/, '"id":"job-1"')],
  ['a job with a text for a number', GOOD.replace('"pauseMs":40', '"pauseMs":"40"')],
  ['a run without VMs', '{"type":"run","report":{"id":"20261122T201744Z-000001"}}'],
  ['a copy of a place', '{"type":"copy","copy":null}'],
  ['a type of the prototype', '{"type":"__proto__","report":{}}'],
  ['a type of the constructor', '{"type":"constructor"}']
]

describe('lines that cannot be read', () => {
  it.each(DAMAGED)('are set aside and said once, and hide nothing else: %s', async (_, damaged) => {
    for (const where of [0, 1, 2])
      await tally.tried(async () => {
        rmSync(folder, { recursive: true })
        mkdirSync(folder)
        const good: Buffer[] = [lineOf(1), lineOf(2)].map((line) => Buffer.from(`${line}\n`))
        good.splice(where, 0, Buffer.concat([Buffer.from(damaged), Buffer.from('\n')]))
        writeFileSync(path, Buffer.concat(good))
        const { history, remarks } = opened()
        expect(await history.jobs()).toEqual([jobReport(1), jobReport(2)])
        expect(titles(remarks)).toEqual(['1 line of the history could not be read'])
        expect(damagedFile().slice(0, 2)).toBe(Buffer.from(damaged).toString('utf8').concat('\n').slice(0, 2))
        const again = opened()
        expect(await again.history.jobs()).toHaveLength(2)
        expect(again.remarks).toEqual([])
        expect(await again.history.addJobs([jobReport(1), jobReport(3)])).toEqual([jobReport(3)])
      })
  })

  it.each(STRANGE)(
    'stay where they are if a newer Stillpoint may have written them, and that is said: %s',
    async (_, strange) => {
      await tally.tried(async () => {
        writeFileSync(path, `${strange}\n${GOOD}\n`)
        const { history, remarks } = opened()
        expect(await history.jobs()).toEqual([jobReport(1)])
        await history.addJobs([jobReport(2)])
        expect(titles(remarks)).toEqual(['A newer Stillpoint has written into the history'])
        expect(readFileSync(path, 'utf8').split('\n')[0]).toBe(strange)
        expect(readdirSync(folder)).toEqual(['history.jsonl'])
      })
    }
  )

  it('leave a strange line in place where a damaged one is taken out beside it', async () => {
    const [strange] = STRANGE[0] === undefined ? [''] : [STRANGE[0][1]]
    writeFileSync(path, `${strange}\ngarbage\n${GOOD}\n`)
    await opened().history.jobs()
    const left = readdirSync(folder)
      .filter((name) => /^history-/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
    expect(left).toEqual([`${strange}\n${GOOD}\n`])
  })

  it('are torn ones too: the next entry begins a line of its own', async () => {
    for (let cut = 1; cut < GOOD.length; cut += 17)
      await tally.tried(async () => {
        rmSync(folder, { recursive: true })
        mkdirSync(folder)
        writeFileSync(path, `${lineOf(7)}\n${GOOD.slice(0, cut)}`)
        const { history } = opened()
        await history.addJobs([jobReport(2)])
        expect(await history.jobs()).toEqual([jobReport(7), jobReport(2)])
      })
  })

  it('take no more room where they are set aside than is allowed', async () => {
    await tally.tried(async () => {
      writeFileSync(path, `${'garbage\n'.repeat(50_000)}${GOOD}\n`)
      const { history, remarks } = opened({ damagedBytes: 10_000 })
      expect(await history.jobs()).toHaveLength(1)
      // 1,250 lines of 8 bytes had room.
      expect(remarks[0]?.text).toContain('but for 48750 lines: that file is full')
      expect(damagedFile().length).toBeLessThanOrEqual(10_000)
    })
  })
})

describe('what is no file where lines are set aside', () => {
  const damaged = (): string => join(folder, 'history.damaged.jsonl')
  const IN_ITS_PLACE: readonly (readonly [string, () => unknown])[] = [
    ['a folder', () => mkdirSync(damaged())],
    ['a pipe', () => once(spawn('mkfifo', [damaged()]), 'exit')],
    ['a device', () => symlinkSync('/dev/zero', damaged())],
    ['a full disk', () => symlinkSync('/dev/full', damaged())],
    ['a link to a pipe', () => once(spawn('sh', ['-c', `mkfifo "$0.p" && ln -s "$0.p" "$0"`, damaged()]), 'exit')],
    ['a link to itself', () => symlinkSync(damaged(), damaged())]
  ]
  it.each(IN_ITS_PLACE)('makes way, and nobody waits for it: %s', async (_, make) => {
    await tally.tried(async () => {
      writeFileSync(path, `garbage\n${GOOD}\n`)
      await make()
      const { history, remarks } = opened()
      expect(await history.jobs()).toHaveLength(1)
      expect(await history.addJobs([jobReport(77)])).toHaveLength(1)
      expect(remarks.map(({ title }) => title)).toEqual(['1 line of the history could not be read'])
      expect(damagedFile()).toBe('garbage\n')
      expect(readdirSync(folder).some((name) => name.startsWith('history.damaged.jsonl.broken-'))).toBe(true)
    })
  })
})

describe('what is no file that can be read', () => {
  const IN_ITS_PLACE: readonly (readonly [string, () => void])[] = [
    ['a folder', () => mkdirSync(path)],
    ['a link to a folder', () => symlinkSync(tmpdir(), path)],
    ['a link to itself', () => symlinkSync(path, path)],
    ['a device', () => symlinkSync('/dev/zero', path)],
    ['a full disk', () => symlinkSync('/dev/full', path)],
    ['a file of the kernel', () => symlinkSync('/proc/self/mem', path)],
    ['a folder for a file that was put by', () => mkdirSync(join(folder, 'history-20261122T201744000Z-abcdef.jsonl'))]
  ]
  it.each(IN_ITS_PLACE)('is said, and nothing waits or ends by it: %s', async (_, make) => {
    await tally.tried(async () => {
      make()
      const { history, remarks } = opened()
      expect(await history.jobs()).toEqual([])
      await history.addJobs([jobReport(1)])
      await history.runs()
      await history.idsOf('job', 'alpha')
      expect(remarks.length).toBeGreaterThan(0)
      remarks.forEach(({ title }) => expect(title).toMatch(/history cannot be (read|written)$/))
    })
  })

  it.each(['read', 'write'])('is said of a pipe, which nobody may %s', async (what) => {
    await tally.tried(async () => {
      await once(spawn('mkfifo', [path]), 'exit')
      const { history, remarks } = opened()
      if (what === 'read') expect(await history.jobs()).toEqual([])
      else expect(await history.addJobs([jobReport(1)])).toEqual([])
      expect(remarks[0]?.text).toContain('it is no file')
    })
  })
})

describe('a history that is larger than any', () => {
  const SIZES = [129, 300, 540, 1024, 2048, 4096, 65_536]
  it.each(SIZES)('of %i MiB of nothing is kept aside, and Stillpoint goes on', async (mib) => {
    await tally.tried(async () => {
      writeFileSync(path, '')
      truncateSync(path, mib * 1024 * 1024)
      const { history, remarks } = opened()
      expect(await history.jobs()).toEqual([])
      expect(await history.addJobs([jobReport(1)])).toHaveLength(1)
      expect(titles(remarks)).toContain('The history had grown too large')
      const aside = readdirSync(folder).find((name) => name.includes('.too-large-')) ?? ''
      expect(statSync(join(folder, aside)).size).toBe(mib * 1024 * 1024)
      expect(await opened().history.jobs()).toHaveLength(1)
    })
  })

  it('keeps what stands at its end', async () => {
    await tally.tried(async () => {
      writeFileSync(path, '')
      truncateSync(path, 2 ** 31)
      writeFileSync(path, `\n${lineOf(1)}\n${lineOf(2)}\n`, { flag: 'a' })
      const { history } = opened()
      expect(await history.jobs()).toHaveLength(2)
    })
  })

  it('is put by in pieces, and the oldest goes; of the host that has most of it first', async () => {
    await tally.tried(async () => {
      const limits = { fileBytes: 20_000, totalBytes: 100_000, bytesOfHostAndDay: 1e9, entriesOfHostAndDay: 1e9 }
      const { history } = opened(limits)
      await history.addJobs([1, 2, 3].map((n) => jobReport(n, { host: 'quiet' })))
      for (let round = 0; round < 40; round += 1)
        await history.addJobs(Array.from({ length: 20 }, (_, n) => jobReport(1000 + round * 20 + n, { host: 'noisy' })))
      expect(bytesIn()).toBeLessThanOrEqual(limits.totalBytes + limits.fileBytes)
      const left = await history.jobs()
      expect(left.filter(({ host }) => host === 'quiet')).toHaveLength(3)
      // Nor is more held than is written: a Stillpoint runs for weeks.
      expect((await history.idsOf('job', 'noisy')).size).toBe(left.length - 3)
      expect((await history.idsOf('job', 'quiet')).size).toBe(3)
      expect(left.at(-1)?.id).toBe(jobReport(1799).id)
      expect(await opened(limits).history.jobs()).toEqual(left)
    })
  })
})

describe('a host that reports without end', () => {
  const now = (): Date => new Date('2026-11-29T12:00:00.000Z')

  it('fills no disk: so many entries a day, and it is said', async () => {
    await tally.tried(async () => {
      const { history, remarks } = opened({ entriesOfHostAndDay: 50 }, now)
      await history.addJobs([jobReport(1, { host: 'good' })])
      await history.addJobs(Array.from({ length: 500 }, (_, n) => jobReport(n + 10)))
      await history.addRuns([runReport(3)])
      await history.addJobs([jobReport(2, { host: 'good' })])
      const jobs = await history.jobs()
      expect(jobs.filter(({ host }) => host === 'alpha')).toHaveLength(50)
      expect(jobs.filter(({ host }) => host === 'good')).toHaveLength(2)
      expect(jobs.map(({ id }) => id)).toContain(jobReport(509).id)
      expect(await history.runs()).toEqual([])
      expect(titles(remarks)).toEqual(['Not everything that alpha reports is kept'])
    })
  })

  it('fills none with long ones either, also over several Stillpoints', async () => {
    const warnings = ['w'.repeat(20_000)]
    for (let n = 0; n < 10; n += 1)
      await tally.tried(async () => {
        const { history } = opened({ bytesOfHostAndDay: 100_000 }, now)
        await history.addJobs(Array.from({ length: 3 }, (_, each) => jobReport(n * 3 + each, { warnings })))
        expect(bytesIn()).toBeLessThanOrEqual(100_000)
      })
  })

  it('may report again on the next day', async () => {
    await tally.tried(async () => {
      const limits = { entriesOfHostAndDay: 5 }
      await opened(limits, now).history.addJobs(Array.from({ length: 9 }, (_, n) => jobReport(n)))
      const tomorrow = opened(limits, () => new Date('2026-11-30T00:00:01.000Z'))
      await tomorrow.history.addJobs(Array.from({ length: 9 }, (_, n) => jobReport(n + 20)))
      expect(await tomorrow.history.jobs()).toHaveLength(10)
    })
  })

  it("cannot take the id of another host's job away", async () => {
    await tally.tried(async () => {
      const { history } = opened()
      await history.addJobs([jobReport(1, { host: 'bad', state: 'cancelled' })])
      await history.addJobs([jobReport(1, { host: 'good' })])
      expect((await history.jobs()).map(({ host, state }) => [host, state])).toEqual([
        ['bad', 'cancelled'],
        ['good', 'done']
      ])
    })
  })
})

describe('a host that has much to say, and is honest', () => {
  const failure = (characters: number): RunReport['vms'][number]['failure'] => ({
    kind: 'command-failed',
    command: 'virsh -q -c qemu:///system snapshot-create 4dea22b3-1d52-d8f3-2516-782e98ab3fa0 snapshot.xml --disk-only',
    exitCode: 1,
    stderr: 'error: internal error: unable to execute QEMU command blockdev-add\n'.repeat(300).slice(0, characters)
  })
  const vmsOf = (count: number, characters: number): RunReport['vms'] =>
    Array.from({ length: count }, (_, n) => ({
      vm: { uuid: `4dea22b3-1d52-d8f3-2516-${n.toString(16).padStart(12, '0')}`, name: `vm-number-${n}` },
      outcome: characters === 0 ? ('done' as const) : ('failed' as const),
      job: idOf(n),
      ...(characters > 0 && { failure: failure(characters) })
    }))

  const RUNS = [100, 300, 600, 1000].flatMap((vms) => [0, 70, 670, 8000].map((characters) => ({ vms, characters })))
  it.each(RUNS)('keeps a run of $vms VMs that have $characters characters to say each', async ({ vms, characters }) => {
    const run = runReport(1, { vms: vmsOf(vms, characters), state: characters === 0 ? 'done' : 'failed' })
    const { history, remarks } = opened()
    expect(await history.addRuns([run])).toHaveLength(1)
    expect(remarks).toEqual([])
    const [kept] = await opened().history.runs()
    expect(kept?.state).toBe(run.state)
    expect(kept?.vms.map(({ vm, job, failure: why }) => [vm.name, job, why?.kind])).toEqual(
      run.vms.map(({ vm, job, failure: why }) => [vm.name, job, why?.kind])
    )
  })

  it('may bring all that it has when it is met for the first time: the newest at once, the rest on later days', async () => {
    const { history, remarks } = opened()
    expect(await history.addJobs(Array.from({ length: 1000 }, (_, n) => jobReport(n)))).toHaveLength(1000)
    const runs = Array.from({ length: 1000 }, (_, n) => runReport(n, { vms: vmsOf(100, 0) }))
    const kept = await history.addRuns(runs)
    expect(kept.length).toBeGreaterThan(400)
    expect(kept.at(-1)?.id).toBe(runs.at(-1)?.id)
    expect(titles(remarks)).toEqual(['Not everything that alpha reports is kept'])
    const tomorrow = opened({}, () => new Date(Date.now() + 86_400_000)).history
    expect(await tomorrow.addRuns(runs)).toHaveLength(runs.length - kept.length)
  })

  it.each([3, 7, 12])(
    'is asked again, on later days, for all but the first %i that there was room for',
    async (room) => {
      const ofHost = Array.from({ length: 20 }, (_, n) => jobReport(n, { id: `202611${n + 10}T000000Z-00000a` }))
      const asked: (string | undefined)[] = []
      const answer = (verb: string, { after }: { readonly after?: string }): Promise<JobReport[]> => {
        if (verb === 'runs') return Promise.resolve([])
        asked.push(after)
        return Promise.resolve(ofHost.filter(({ id }) => after === undefined || id > after))
      }
      const ask = answer as unknown as AskPast
      const days = Math.ceil(20 / room)
      for (let day = 1; day <= days; day += 1) {
        const today = new Date(Date.UTC(2026, 11, day))
        const { history, remarks } = opened({ entriesOfHostAndDay: room }, () => today)
        await catchUp('alpha', ask, history)
        expect(await history.jobs()).toHaveLength(Math.min(20, day * room))
        expect(titles(remarks)).toEqual(day === days ? [] : ['Not everything that alpha reports is kept'])
        remarks.forEach(({ text }) => expect(text).not.toContain('broken into'))
      }
      const { history: after } = opened()
      await after.ready()
      expect(after.oldestLeftOut('job', 'alpha')).toBeUndefined()
      await catchUp('alpha', ask, opened().history)
      expect(asked.at(-1)?.slice(0, 8)).toBe('20261128')
    }
  )
})

describe('two Stillpoints that write at once', () => {
  it('lose nothing and tear nothing, also while files are put by and mended', async () => {
    const limits = { fileBytes: 8000 }
    writeFileSync(path, 'garbage\n')
    const writer = (host: string): Promise<unknown> => {
      const code = `
        import { History, HISTORY_LIMITS } from ${JSON.stringify(join(import.meta.dirname, '../../src/main/core/settings/history.ts'))}
        import { jobReport } from ${JSON.stringify(join(import.meta.dirname, 'reports.ts'))}
        const history = new History(process.argv[1], { ...HISTORY_LIMITS, fileBytes: 8000 })
        for (let n = 0; n < 60; n += 1) await history.addJobs([jobReport(n, { host: process.argv[2] }), jobReport(n + 100, { host: 'both' })])`
      const child = spawn(
        process.execPath,
        ['--experimental-transform-types', '--no-warnings', '--input-type=module', '-e', code, path, host],
        { stdio: ['ignore', 'inherit', 'inherit'] }
      )
      return once(child, 'exit').then(([exitCode]) => expect(exitCode).toBe(0))
    }
    await tally.tried(async () => {
      await Promise.all([writer('one'), writer('two'), writer('three')])
      const jobs = await opened(limits).history.jobs()
      const count = (host: string): number => jobs.filter((job) => job.host === host).length
      expect([count('one'), count('two'), count('three'), count('both')]).toEqual([60, 60, 60, 60])
      expect(damagedFile()).toMatch(/^(garbage\n)+$/)
    })
  })
})

describe('the core while a large history is read', () => {
  it('has its turn after every few reports', async () => {
    const count = Math.floor((60 << 20) / GOOD.length)
    writeFileSync(path, Array.from({ length: count }, (_, n) => `${lineOf(n)}\n`).join(''))
    await tally.tried(async () => {
      const { history } = opened()
      let turns = 0
      let isOver = false
      const turn = (): void => {
        turns += 1
        if (!isOver) setImmediate(turn)
      }
      turn()
      expect(await history.jobs({ newest: 100 })).toHaveLength(100)
      isOver = true
      // The file is looked through and read: twice its 64 KiB pieces, and no turn for hundreds of them at once.
      expect(turns).toBeGreaterThan((2 * statSync(path).size) / (64 << 10) / 2)
    })
  })
})
