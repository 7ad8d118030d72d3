import type * as FsPromises from 'node:fs/promises'
import type { StatsFs } from 'node:fs'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CapturePlan } from '../../../src/engine/capture/capture-plan.ts'
import { commitWithRoom } from '../../../src/engine/capture/watch-room.ts'
import type { JobContext } from '../../../src/engine/jobs/job-context.ts'
import { fail, failureOf } from '../../../src/shared/failure.ts'
import type { BackupSpec } from '../../../src/shared/model/job.ts'
import { fakeShell, type FakeShell } from '../../../src/shell/fake.ts'
import { whileSpaceLasts } from '../../../src/store/free-space.ts'
import { POINT, VM } from '../store-points.ts'

/** What a look at a file system answers, and when, as each test has it. */
const looks = vi.hoisted(() => ({ answer: (): Promise<Answer> => Promise.reject(new Error('no answer')) }))
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof FsPromises>()),
  statfs: () => looks.answer()
}))

type Answer = Pick<StatsFs, 'bavail' | 'blocks' | 'bsize'>

const MIB = 1024 ** 2
const space = (freeMiB: number): Answer => ({ bavail: freeMiB, blocks: 1000, bsize: MIB })
const PLENTY = space(900)
const SHORT = space(1)

interface Look {
  readonly give: (stats: Answer) => void
  readonly refuse: (error: Error) => void
}

/** Looks from now on wait until the test answers them. */
function lateLooks(): Look[] {
  const asked: Look[] = []
  looks.answer = () => new Promise<Answer>((give, refuse) => asked.push({ give, refuse }))
  return asked
}

beforeEach(() => {
  looks.answer = () => Promise.resolve(PLENTY)
})

/** A look is on its way, and answers only now: all that follows from it has followed. */
const settled = (): Promise<void> => sleep(50)

describe('a look that answers when the work is over', () => {
  const folders = [{ path: '/slow', forWhat: 'it' }]

  it.each<[string, (look: Look | undefined) => void]>([
    ['that there is no room', (look) => look?.give(SHORT)],
    ['with an error', (look) => look?.refuse(new Error('EIO'))]
  ])('%s, stops nobody any more', async (_, answer) => {
    const asked = lateLooks()
    let given: AbortSignal | undefined
    const work = (signal: AbortSignal): Promise<string> => {
      given = signal
      return Promise.resolve('done')
    }
    expect(await whileSpaceLasts(folders, undefined, work)).toBe('done')
    answer(asked[0])
    await settled()
    expect(given?.aborted).toBe(false)
  })
})

describe('work that is told of a full file system before the watch is', () => {
  const folders = [
    { path: '/srv/points', name: 'the store', forWhat: 'the point' },
    { path: '/images', forWhat: 'what the VM writes' }
  ]
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const told = (): Promise<unknown> => whileSpaceLasts(folders, undefined, () => Promise.reject(full)).catch(failureOf)

  it('is said to have had no room, and where', async () => {
    let asked = 0
    // The first looks, one at each folder, have not answered when the work fails.
    looks.answer = () => (++asked <= folders.length ? new Promise(() => undefined) : Promise.resolve(SHORT))
    expect(await told()).toMatchObject({ kind: 'no-room', path: 'the store', freeBytes: MIB })
  })

  it('says so itself where there is room: what is full is something else', async () => {
    expect(await told()).toMatchObject({ kind: 'io', code: 'ENOSPC' })
  })
})

describe('a commit in a room that runs short', () => {
  interface Begun {
    readonly plan: CapturePlan
    readonly copies: readonly string[]
    readonly job: JobContext<BackupSpec>
    readonly notes: readonly string[]
    readonly shell: FakeShell
  }

  async function begun(): Promise<Begun> {
    const folder = await mkdtemp(join(tmpdir(), 'stillpoint-room-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const pointDir = join(folder, POINT)
    const disks = ['vda', 'vdb'].map((target) => ({ target, sidecar: join(folder, `${target}.overlay`) }))
    const plan = { vm: VM, vmName: 'web', method: 'live', pointDir, disks, still: [] } as unknown as CapturePlan
    const copies = [...disks.map(({ target }) => `${pointDir}/disks/${target}.qcow2`), `${pointDir}/memory.save`]
    for (const path of copies) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, 'x')
    }
    const notes: string[] = []
    const shell = fakeShell(({ argv }) => (argv[1] === 'list' ? '' : undefined))
    const job = { id: POINT, shell, note: (text: string) => void notes.push(text) } as unknown as JobContext<BackupSpec>
    return { plan, copies, job, notes, shell }
  }
  const there = (paths: readonly string[]): string[] => paths.filter((path) => existsSync(path))
  const short = (): void => {
    looks.answer = () => Promise.resolve(SHORT)
  }
  const failure = expect.objectContaining({ failure: expect.objectContaining({ kind: 'no-room' }) as object }) as object

  it('keeps the copies where the look that finds it answers after the commit', async () => {
    const { plan, copies, job, shell } = await begun()
    const late = lateLooks()
    expect(await commitWithRoom(job, plan, () => Promise.resolve('committed'))).toBe('committed')
    for (const look of late) look.give(SHORT)
    await settled()
    // Nothing is removed without libvirt being asked.
    expect(shell.lines).toEqual([])
    expect(there(copies)).toEqual(copies)
  })

  it('takes them all away, and has done so before it ends', async () => {
    const { plan, copies, job } = await begun()
    short()
    await expect(commitWithRoom(job, plan, () => settled())).rejects.toEqual(failure)
    expect(there(copies)).toEqual([])
  })

  it('has taken them away before it ends where the commit itself fails', async () => {
    const { plan, copies, job } = await begun()
    short()
    const commit = async (): Promise<never> => {
      await settled()
      return fail({ kind: 'usage', message: 'the commit failed' })
    }
    await expect(commitWithRoom(job, plan, commit)).rejects.toEqual(failure)
    expect(there(copies)).toEqual([])
  })

  it('frees the RAM image too: whoever still reads it lets go of it first', async () => {
    const { plan, copies, job } = await begun()
    const reading = await open(copies.at(-1) ?? '', 'r')
    short()
    await expect(
      commitWithRoom(
        job,
        plan,
        () => settled(),
        () => reading.close()
      )
    ).rejects.toEqual(failure)
    expect(there(copies)).toEqual([])
  })

  it('says what it could not free, and why', async () => {
    const { plan, copies, job, notes } = await begun()
    const reading = await open(copies.at(-1) ?? '', 'r')
    onTestFinished(() => reading.close())
    short()
    await expect(commitWithRoom(job, plan, () => settled())).rejects.toEqual(failure)
    expect(there(copies)).toEqual([copies.at(-1)])
    expect(notes.join()).toMatch(/memory\.save.*has it open/)
  })

  it('survives that nothing can be asked: the failure is that of the room', async () => {
    const { plan, copies, job, notes } = await begun()
    const shell = fakeShell(() => ({ exitCode: 1, stderr: 'error: no libvirt' }))
    short()
    await expect(commitWithRoom({ ...job, shell }, plan, () => settled())).rejects.toEqual(failure)
    expect(there(copies)).toEqual(copies)
    expect(notes.join()).toContain('no libvirt')
  })
})
