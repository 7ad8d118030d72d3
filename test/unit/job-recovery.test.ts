import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Failure } from '../../src/shared/failure.ts'
import type { JobState, JournalEvent } from '../../src/shared/model/job.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { eventually } from '../patience.ts'
import { policyOf } from './made-policies.ts'
import { PAPER_SPEC } from './paper-spec.ts'

const disk = vi.hoisted(() => ({ dir: '', roomBytes: Infinity, isBroken: false }))

/** A file system that is full but for what is given up on it. */
vi.mock(import('node:fs'), async (original) => {
  const fs = await original()
  const writeSync = (fd: number, bytes: NodeJS.ArrayBufferView, from = 0): number => {
    if (disk.roomBytes === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const taken = fs.writeSync(fd, bytes, from, Math.min(disk.roomBytes, bytes.byteLength - from))
    disk.roomBytes -= taken
    return taken
  }
  const rmSync: typeof fs.rmSync = (path, options) => {
    if (disk.isBroken) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
    disk.roomBytes += fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0
    fs.rmSync(path, options)
  }
  return { ...fs, writeSync: writeSync as typeof fs.writeSync, rmSync }
})
vi.mock(import('../../src/shared/host-paths.ts'), async (original) => {
  const paths = await original()
  const below = (name: string): never => `${disk.dir}/${name}` as never
  return Object.defineProperties(
    { ...paths },
    {
      RUN_DIR: { get: () => below('run') },
      JOBS_DIR: { get: () => below('jobs') },
      RUNS_DIR: { get: () => below('runs') },
      policyPath: { value: () => below('policy.json') }
    }
  )
})

const { Journal, readJournal, readProgress } = await import('../../src/engine/journal/journal.ts')
const { takeBallast } = await import('../../src/engine/journal/ballast.ts')
const { isHeld, tryHostLock, removeStaleLock, lockPath } = await import('../../src/engine/jobs/host-lock.ts')
const { jobUnit } = await import('../../src/shared/host-paths.ts')
const directory = await import('../../src/engine/jobs/job-directory.ts')
const { noteTrouble } = await import('../../src/engine/jobs/trouble.ts')
const { unrecovered, deadJobs, submitLock } = await import('../../src/engine/jobs/unit-state.ts')
const { recoverAll } = await import('../../src/engine/recover/recover.ts')
const { recoverEverything, recoverHost } = await import('../../src/engine/recover/recover-host.ts')
const { recoverRuns } = await import('../../src/engine/policy/recover-runs.ts')
const { doctor } = await import('../../src/engine/doctor/doctor.ts')
const { runPolicy } = await import('../../src/engine/policy/run-policy.ts')
const { endJob } = await import('../../src/engine/jobs/job-end.ts')

const ID = '20261124T010000Z-000001'
const OTHER = '20261124T010000Z-000002'
const spec = PAPER_SPEC
const begin = { type: 'begin', id: ID, spec, bootId: 'b', engine: 'e' } as const
const pathOf = (id: string): string => directory.journalPath(id)
const typesIn = (id: string): string[] => readJournal(pathOf(id)).map(({ type }) => type)

beforeEach(() => {
  disk.dir = mkdtempSync(join(tmpdir(), 'stillpoint-recovery-'))
})
afterEach(() => {
  Object.assign(disk, { roomBytes: Infinity, isBroken: false })
  rmSync(disk.dir, { recursive: true })
})

// engine.md finding 16
describe('the journal of a job on a full file system', () => {
  it('gives up its ballast for the next entry', () => {
    directory.writeSpec(ID, spec)
    const journal = Journal.open(pathOf(ID))
    disk.roomBytes = 0
    journal.append(begin)
    journal.close()
    expect(typesIn(ID)).toEqual(['begin'])
    expect(existsSync(join(directory.jobDirectory(ID), 'ballast'))).toBe(false)
  })

  it('has an undo go on when not even that helps, and is written in its order once there is room', () => {
    const journal = Journal.open(pathOf(ID))
    journal.append(begin)
    journal.forgive()
    disk.roomBytes = 0
    journal.append({ type: 'step', step: 'undo.thaw' })
    journal.append({ type: 'note', text: 'thawed' })
    expect(() => {
      journal.flush()
    }).toThrow('no space')
    disk.roomBytes = Infinity
    journal.append({ type: 'warning', text: 'late' })
    journal.close()
    expect(typesIn(ID)).toEqual(['begin', 'step', 'note', 'warning'])
  })

  it('has no end that is not on disk', () => {
    directory.writeSpec(ID, spec)
    const journal = Journal.open(pathOf(ID))
    journal.append(begin)
    journal.forgive()
    takeBallast(pathOf(ID))
    rmSync(join(directory.jobDirectory(ID), 'ballast'))
    disk.roomBytes = 0
    const report = directory.readReport(ID)
    if (report === undefined) throw new Error('no report')
    expect(() => {
      endJob(journal, { ...report, state: 'failed-clean' })
    }).toThrow('no space')
    expect(directory.openJobs()).toEqual([ID])
    disk.roomBytes = Infinity
    endJob(journal, { ...report, state: 'failed-clean' })
    journal.close()
    expect(directory.openJobs()).toEqual([])
  })

  it('is begun only where there is room for its ballast, and holds none once it has ended', () => {
    disk.roomBytes = 1 << 20
    expect(() => {
      directory.writeSpec(ID, spec)
    }).toThrow('no space')
    expect(directory.jobIds()).toEqual([])
    disk.roomBytes = Infinity
    directory.writeSpec(ID, spec)
    const ballast = join(directory.jobDirectory(ID), 'ballast')
    expect(statSync(ballast).size).toBe(4 << 20)
    const journal = Journal.open(pathOf(ID))
    journal.append(begin)
    const report = directory.readReport(ID)
    if (report !== undefined) endJob(journal, { ...report, state: 'done' })
    journal.close()
    expect(existsSync(ballast)).toBe(false)
  })
})

describe('the journal of a job that has ended', () => {
  const ended = (): ReturnType<typeof Journal.open> => {
    directory.writeSpec(ID, spec)
    const journal = Journal.open(pathOf(ID))
    journal.append(begin)
    end(journal, 'done')
    return journal
  }
  const end = (journal: ReturnType<typeof Journal.open>, state: JobState): void => {
    const report = directory.readReport(ID)
    if (report === undefined) throw new Error('no report')
    endJob(journal, { ...report, state })
  }

  it('has one end, though nothing of what the job needed beside it can be removed', () => {
    disk.isBroken = true
    const journal = ended()
    end(journal, 'failed-clean')
    journal.close()
    expect(typesIn(ID)).toEqual(['begin', 'end'])
    expect(directory.readReport(ID)).toMatchObject({ state: 'done' })
  })

  it('takes no word more, as of a host that goes down just then', () => {
    const journal = ended()
    journal.forgive()
    journal.append({ type: 'note', text: 'the host goes down' })
    journal.flush()
    journal.close()
    expect(typesIn(ID)).toEqual(['begin', 'end'])
  })

  it('has its end also where an engine before this one has written behind it, or was cut short in that', () => {
    ended().close()
    for (const late of ['{"n":2,"at":"2026-11-24T01:12:04.000Z","type":"note","text":"late"}\n', '{"n":3,"at":"20']) {
      appendFileSync(pathOf(ID), late)
      expect(directory.openJobs()).toEqual([])
      expect(directory.readReport(ID)).toMatchObject({ state: 'done' })
    }
  })
})

describe('passes after passes of an undo', () => {
  it('write what is new only', () => {
    const pass = (...texts: string[]): void => {
      const journal = Journal.open(pathOf(ID), { unlike: readJournal(pathOf(ID)) })
      journal.append({ type: 'step', step: 'undo.start', data: {} })
      for (const text of texts) journal.append({ type: 'note', text })
      journal.close()
    }
    pass('no disc')
    const { size } = statSync(pathOf(ID))
    for (let n = 0; n < 100; n++) pass('no disc')
    expect(statSync(pathOf(ID)).size).toBe(size)
    pass('no disc', 'no network')
    expect(typesIn(ID)).toEqual(['step', 'note', 'note'])
  })

  it('write each time how its owner has a VM, who may have it so again', () => {
    const states = ['paused', 'running', 'paused']
    for (const state of states) {
      const journal = Journal.open(pathOf(ID), { unlike: readJournal(pathOf(ID)) })
      journal.append({ type: 'step', step: 'seen', data: { state } })
      journal.close()
    }
    expect(readJournal(pathOf(ID)).map((entry) => entry.type === 'step' && entry.data?.['state'])).toEqual(states)
  })
})

// engine.md finding 46
describe('how far a job has got', () => {
  const progress = (doneBytes: number): Extract<JournalEvent, { type: 'progress' }> => ({
    type: 'progress',
    progress: { phase: 'copying vda', doneBytes, totalBytes: 100 }
  })

  it('does not make the journal longer, and is known by its last word', () => {
    const journal = Journal.open(pathOf(ID))
    journal.append(begin)
    const { size } = statSync(pathOf(ID))
    for (let n = 0; n < 100; n++) journal.append(progress(n))
    journal.close()
    expect(statSync(pathOf(ID)).size).toBe(size)
    expect(readProgress(pathOf(ID))).toMatchObject({ n: 1, progress: { doneBytes: 99 } })
  })

  it('is not worth an error', () => {
    const journal = Journal.open(pathOf(ID))
    rmSync(dirname(pathOf(ID)), { recursive: true })
    expect(() => {
      journal.append(progress(1))
    }).not.toThrow()
    journal.close()
  })
})

// engine.md finding 42
describe('an order that a younger engine wrote', () => {
  const write = (id: string, order: unknown): void => {
    mkdirSync(directory.jobDirectory(id), { recursive: true })
    writeFileSync(directory.specPath(id), JSON.stringify(order))
  }

  it('is read without what this one does not know, in its file and in the journal', () => {
    write(ID, { ...spec, throttle: 7, policy: { id: 'aaaaaaaaaaaa', name: 'nightly', zone: 'b' } })
    expect(directory.readSpec(ID)).toMatchObject({ vm: spec.vm, policy: { name: 'nightly' } })
    writeFileSync(
      pathOf(ID),
      `${JSON.stringify({ n: 0, at: '2026-11-24T01:12:04.000Z', ...begin, spec: { ...spec, throttle: 7 } })}\n`
    )
    expect(directory.readReport(ID)).toMatchObject({ state: 'running', vm: { name: 'web' } })
  })

  it('is its own trouble alone if it cannot be read, and its VM is known all the same', () => {
    write(ID, { ...spec, kind: 'drill' })
    write(OTHER, spec)
    expect(directory.readSpec(ID)).toBeUndefined()
    expect(directory.vmOfJob(ID)).toEqual({ uuid: spec.vm, name: 'web' })
    expect(directory.openJobs()).toEqual([ID, OTHER])
    expect(directory.readReport(OTHER)).toMatchObject({ state: 'queued' })
  })

  it('is of a job that has ended if its journal says so, whatever else that holds', () => {
    write(ID, { ...spec, kind: 'drill' })
    const end = {
      n: 3,
      at: '2026-11-24T01:12:04.000Z',
      type: 'end',
      report: { id: ID, kind: 'drill', state: 'proved' }
    }
    writeFileSync(pathOf(ID), `${JSON.stringify(end)}\n`)
    expect(directory.openJobs()).toEqual([])
  })
})

// engine.md finding 40
describe('a look whether a lock is held', () => {
  it('does not take it, so that nobody who wants it is turned away', async () => {
    const looking = { over: false }
    const looks = (async () => {
      while (!looking.over) {
        await isHeld('vm')
        await sleep(0)
      }
    })()
    for (let n = 0; n < 50; n++) {
      const lock = await tryHostLock('vm', 'job')
      expect(lock).toBeDefined()
      expect(await isHeld('vm')).toBe(true)
      await lock?.release()
    }
    looking.over = true
    await looks
    expect(await isHeld('vm')).toBe(false)
  })

  it('sees through the file of a holder that died, which can be removed', async () => {
    mkdirSync(join(disk.dir, 'run'))
    for (const file of ['', '{"by":"job 1","since":"x"}', '{"by":"job 1","since":"x","pid":1,"begun":"never"}']) {
      writeFileSync(lockPath('vm'), file)
      expect(await isHeld('vm')).toBe(false)
      writeFileSync(lockPath('vm'), file)
      expect(await removeStaleLock('vm')).toBe(true)
      expect(existsSync(lockPath('vm'))).toBe(false)
    }
  })

  it('leaves the file of a holder that lives', async () => {
    const lock = await tryHostLock('vm', 'job 7')
    expect(await removeStaleLock('vm')).toBe(false)
    expect(readFileSync(lockPath('vm'), 'utf8')).toContain('job 7')
    await lock?.release()
  })
})

describe('a recovery of the whole host that takes long with one VM', () => {
  const vm = (n: number): string => `${n}1111111-1111-4111-8111-111111111111`
  const die = (id: string, n: number): void => {
    directory.writeSpec(id, { ...spec, vm: vm(n) })
    const journal = Journal.open(pathOf(id))
    const vms = [{ uuid: vm(n), name: 'web', before: { process: { pid: 1, startTicks: '1' } } }]
    journal.append({ ...begin, id, spec: { ...spec, vm: vm(n) }, vms })
    journal.close()
  }
  let asked: string[]
  let released: AbortController
  /** libvirt does not answer for the first VM until it is released, nor for the others so many times. */
  const hanging = (refusals = 0): Shell =>
    fakeShell({
      systemctl: 'Job=\nActiveState=inactive\n',
      virsh: async ({ argv: [, , uuid = ''] }) => {
        asked.push(uuid)
        if (uuid === vm(1) && !released.signal.aborted) await once(released.signal, 'abort')
        if (uuid === vm(2) && asked.filter((each) => each === uuid).length <= refusals) throw new Error('not yet')
        return 'running (booted)'
      }
    })

  beforeEach(() => {
    asked = []
    released = new AbortController()
  })

  it('tries again what fails meanwhile for a reason that passes', async () => {
    const shell = hanging(2)
    die(ID, 1)
    die(OTHER, 2)
    const pass = recoverAll(shell, { lookAgainMs: 20 })
    await eventually(() => {
      expect(directory.readReport(OTHER)).toMatchObject({ state: 'failed-clean' })
    })
    expect(directory.openJobs()).toEqual([ID])
    released.abort()
    expect(await pass).toMatchObject({ reports: [{ id: ID }, { id: OTHER }], isComplete: true })
  })

  it('ends the runs meanwhile that wait for none of it', async () => {
    const run = join(disk.dir, 'runs', OTHER)
    mkdirSync(run, { recursive: true })
    die(ID, 1)
    const pass = recoverEverything(hanging(), { lookAgainMs: 20 })
    await eventually(() => {
      expect(existsSync(run)).toBe(false)
    })
    expect(directory.openJobs()).toEqual([ID])
    released.abort()
    expect(await pass).toMatchObject({ reports: [{ id: ID }], isComplete: true })
  })

  /** As a file of which the disk does not give a block any more. */
  const breakJournal = (id: string): void => {
    rmSync(pathOf(id))
    mkdirSync(pathOf(id))
  }

  it('goes on with the others where a journal cannot be read, and says which that is', async () => {
    const older = '20261123T010000Z-000003'
    for (const id of [older, ID]) die(id, 1)
    die(OTHER, 2)
    breakJournal(older)
    released.abort()
    expect(await recoverAll(hanging(), { lookAgainMs: 20 })).toMatchObject({
      reports: [
        {
          id: older,
          state: 'failed-needs-you',
          failure: {
            left: [
              { path: pathOf(older), mend: [expect.stringMatching(/^mv /), expect.stringMatching(/^systemctl start/)] }
            ]
          }
        },
        { id: ID, state: 'failed-clean' },
        { id: OTHER, state: 'failed-clean' }
      ],
      isComplete: false
    })
    expect(directory.openJobs()).toEqual([older])
    expect(directory.readReport(older)).toMatchObject({ state: 'running', vm: { name: 'web' } })
  })

  it('ends no other in its middle where a journal cannot be read any more', async () => {
    die(ID, 1)
    die(OTHER, 2)
    const shell = hanging()
    const breaking: Shell['run'] = async (argv, options) => {
      if (argv.includes(vm(2))) {
        breakJournal(OTHER)
        throw new Error('and no more files can be opened')
      }
      return shell.run(argv, options)
    }
    const pass = recoverAll({ ...shell, run: breaking }, { lookAgainMs: 20 })
    await eventually(() => {
      expect(statSync(pathOf(OTHER)).isDirectory()).toBe(true)
    })
    released.abort()
    expect(await pass).toMatchObject({
      reports: [
        { id: ID, state: 'failed-clean' },
        { id: OTHER, state: 'failed-needs-you' }
      ],
      isComplete: false
    })
  })

  it('goes on with the runs where one cannot be read', async () => {
    const [unread, run] = [ID, OTHER].map((id) => join(disk.dir, 'runs', id))
    mkdirSync(join(unread ?? '', 'journal.jsonl'), { recursive: true })
    mkdirSync(run ?? '', { recursive: true })
    expect(await recoverEverything(hanging())).toMatchObject({
      reports: [],
      isComplete: false,
      runsLeft: [expect.stringContaining('run ') as unknown]
    })
    expect([existsSync(unread ?? ''), existsSync(run ?? '')]).toEqual([true, false])
  })

  it('keeps no run from its beginning, though one before it cannot be read', async () => {
    mkdirSync(join(disk.dir, 'runs', ID, 'journal.jsonl'), { recursive: true })
    writeFileSync(join(disk.dir, 'runs', ID, 'policy.json'), JSON.stringify(policyOf()))
    writeFileSync(join(disk.dir, 'policy.json'), '{}')
    await expect(runPolicy(hanging(), policyOf().id, 'timer')).rejects.toMatchObject({
      failure: { kind: 'bad-output', what: join(disk.dir, 'policy.json') }
    })
  })

  it('ends where nothing that is left takes longer than to fail: the timer comes again, with what engine there is by then', async () => {
    let passes = 0
    const storageIsAway = fakeShell({
      systemctl: 'Job=\nActiveState=inactive\n',
      virsh: async ({ argv: [, , uuid = ''] }) => {
        passes += 1
        await sleep(40 + 5 * Number(uuid[0]))
        // Where somebody is always in hand it would go on for ever.
        if (passes < 300) throw new Error('its storage is away')
        return 'running (booted)'
      }
    })
    const ids = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `20261124T010000Z-00000${n}`)
    for (const [n, id] of ids.entries()) die(id, n + 1)
    expect(await recoverAll(storageIsAway, { lookAgainMs: 1 })).toMatchObject({ isComplete: false })
    expect(directory.openJobs()).toEqual(ids)
  })

  /** Each command of systemd's but questions, and what happens as it is given. */
  const telling = (told: string[], meanwhile: (verb: string) => void, states = (): string => 'inactive'): Shell =>
    fakeShell({
      systemctl: ({ argv: [, verb = '', ...units] }) => {
        if (verb === 'show') return `Job=\nActiveState=${states()}\n`
        told.push(`${verb} ${units.join(' ')}`)
        meanwhile(verb)
        return ''
      },
      virsh: 'running (booted)'
    })
  const STOPPED = [
    'stop stillpoint-recover.timer stillpoint-watch.timer',
    'reset-failed stillpoint-watch.service'
  ] as const

  it('stops its timers when all is done', async () => {
    const told: string[] = []
    die(ID, 1)
    await recoverHost(telling(told, () => undefined))
    expect(told).toEqual(STOPPED)
  })

  it('sees what died when all was done and its timer was just stopped, and has the host take it up', async () => {
    const told: string[] = []
    const shell = telling(told, (verb) => {
      if (verb === 'stop') die(ID, 1)
    })
    await expect(recoverHost(shell)).rejects.toThrow('something is left')
    expect(told).toEqual([...STOPPED, 'start stillpoint-watch.timer'])
  })

  it('leaves its timers while something is open that lives: a unit that is about to end is no end yet', async () => {
    const told: string[] = []
    die(ID, 1)
    await recoverHost(
      telling(
        told,
        () => undefined,
        () => 'deactivating'
      )
    )
    expect(told).toEqual(['start stillpoint-watch.timer'])
    expect(directory.openJobs()).toEqual([ID])
  })

  it('leaves its timers while a run goes on', async () => {
    const told: string[] = []
    mkdirSync(join(disk.dir, 'runs', ID), { recursive: true })
    const lock = await tryHostLock(`run-${ID}`, 'run')
    await recoverHost(telling(told, () => undefined))
    await lock?.release()
    expect(told).toEqual(['start stillpoint-watch.timer'])
  })

  it('stops no timer when it is asked for by hand, since nobody would start it again if that were killed', async () => {
    const told: string[] = []
    die(ID, 1)
    expect(await recoverEverything(telling(told, () => undefined))).toMatchObject({ isComplete: true })
    expect(told).toEqual([])
  })

  it('takes up what dies meanwhile', async () => {
    const shell = hanging()
    die(ID, 1)
    const pass = recoverAll(shell, { lookAgainMs: 20 })
    await eventually(() => {
      expect(asked).toEqual([vm(1)])
    })
    die(OTHER, 2)
    await eventually(() => {
      expect(directory.readReport(OTHER)).toMatchObject({ state: 'failed-clean' })
    })
    expect(directory.openJobs()).toEqual([ID])
    released.abort()
    expect(await pass).toMatchObject({ reports: [{ id: ID }, { id: OTHER }], isComplete: true })
    expect(directory.openJobs()).toEqual([])
  })
})

describe('a run whose journal cannot be read', () => {
  const policy = policyOf()
  const runDir = (id: string): string => join(disk.dir, 'runs', id)
  const begun = (id: string): void => {
    mkdirSync(runDir(id), { recursive: true })
    writeFileSync(join(runDir(id), 'policy.json'), JSON.stringify(policy))
  }

  beforeEach(() => {
    for (const id of [ID, OTHER]) begun(id)
    mkdirSync(join(runDir(ID), 'journal.jsonl'))
  })

  it('keeps no younger one of its policy back', async () => {
    await expect(
      recoverRuns(
        fakeShell(() => ''),
        policy.id
      )
    ).rejects.toMatchObject({ failure: { kind: 'io' } })
    expect(existsSync(runDir(OTHER))).toBe(false)
  })

  it('is named by the recovery of its host, which comes back, and by doctor, with what to type', async () => {
    const shell = fakeShell(() => '')
    await expect(recoverHost(shell)).rejects.toThrow(`run ${ID}`)
    const found = (await doctor(shell, [], true)).filter(({ kind }) => kind === 'run')
    expect(found).toMatchObject([{ what: expect.stringContaining(ID) as unknown, repaired: false }])
    const [, line = 'false'] = found[0]?.remedy.split('\n') ?? []
    expect(line).toMatch(`mv '${runDir(ID)}' /root/`)
  })
})

describe('a job without an end', () => {
  const RECOVERY = 'stillpoint-recover.service'
  /** What systemd says of its units; of those not named that they are inactive. */
  const systemd = (states: Readonly<Record<string, string>>): Shell =>
    fakeShell({
      systemctl: ({ argv }) =>
        argv
          .slice(4)
          .map((unit) => `Job=${states[unit] === 'queued' ? 7 : ''}\nActiveState=${states[unit] ?? 'inactive'}\n`)
          .join('\n')
    })

  beforeEach(() => {
    directory.writeSpec(ID, spec)
  })

  it('is dead if no unit of it lives', async () => {
    expect(await deadJobs(systemd({}))).toEqual([ID])
    for (const state of ['activating', 'active', 'deactivating', 'queued'])
      expect(await deadJobs(systemd({ [jobUnit(ID)]: state }))).toEqual([])
  })

  // engine.md finding 41
  it('is not dead while somebody is handing it to systemd', async () => {
    const lock = await tryHostLock(submitLock(ID), 'submission')
    expect(await deadJobs(systemd({}))).toEqual([])
    expect(await unrecovered(systemd({}), ID)).toBeUndefined()
    await lock?.release()
    expect(await deadJobs(systemd({}))).toEqual([ID])
  })

  it('needs its operator at once where nobody will try again', async () => {
    expect(await unrecovered(systemd({}), ID)).toMatchObject({ state: 'failed-needs-you' })
  })

  it('needs its operator after three tries that failed, with what the last of them ran into', async () => {
    const coming = systemd({ [RECOVERY]: 'activating' })
    const trouble = (detail: string): Failure => ({ kind: 'io', path: '/srv/disc.iso', code: 'ENOENT', detail })
    for (const detail of ['first', 'second']) {
      noteTrouble(ID, trouble(detail))
      expect(await unrecovered(coming, ID)).toBeUndefined()
    }
    noteTrouble(ID, trouble('third'))
    expect(await unrecovered(coming, ID)).toMatchObject({ state: 'failed-needs-you', failure: trouble('third') })
    expect((await unrecovered(coming, ID))?.endedAt).toBeUndefined()
  })
})
