import type { StatsFs } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import type * as FsPromises from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { lookAtFile } from '../../../src/engine/capture/copy-at-rest.ts'
import { takeMedia } from '../../../src/engine/capture/media.ts'
import type { JobContext } from '../../../src/engine/jobs/job-context.ts'
import type { BackupSpec } from '../../../src/shared/model/job.ts'
import type { Shell } from '../../../src/shared/shell.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { localShell } from '../../../src/shell/local.ts'
import { paperPlan } from '../paper-plan.ts'
import { VM } from '../store-points.ts'

const MIB = 1024 ** 2
const looks = vi.hoisted(() => ({ freeMiB: 0, asked: [] as string[] }))
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof FsPromises>()),
  statfs: (path: string): Promise<Pick<StatsFs, 'bavail' | 'blocks' | 'bsize'>> => {
    looks.asked.push(path)
    return Promise.resolve({ bavail: looks.freeMiB, blocks: 1000, bsize: MIB })
  }
}))

const PLENTY = 900
const SHORT = 1

it('a store that runs short costs a point the medium, of which nothing is left, and nothing else', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'stillpoint-media-room-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const names = ['a.iso', 'b.iso'].map((name) => join(dir, name))
  for (const path of names) await writeFile(path, 'disc')
  const media = await Promise.all(
    names.map(async (originalPath) => ({ originalPath, stamp: (await lookAtFile(localShell(), originalPath)).stamp }))
  )
  const pointDir = join(dir, 'point')
  await mkdir(pointDir)
  // The first one's copy goes on until it is ended; the room is there again by the next.
  const endless = fakeShell(({ ended }) => {
    looks.freeMiB = SHORT
    ended.addEventListener('abort', () => (looks.freeMiB = PLENTY))
    return { stdout: slowly(ended) }
  })
  const shell: Shell = {
    label: 'slow',
    run: (argv, options) =>
      (argv[0] === 'dd' && argv.includes(`if=${names[0] ?? ''}`) ? endless : localShell()).run(argv, options)
  }
  const warnings: string[] = []
  const job = {
    shell,
    spec: { store: '/srv/points' },
    signal: new AbortController().signal,
    warn: (text: string) => warnings.push(text),
    progress: () => undefined
  } as unknown as JobContext<BackupSpec>
  const drives = names.map(
    (path) => `<disk type='file' device='cdrom'><source file='${path}'/><target dev='s'/></disk>`
  )
  const memoryXml = `<domain><name>web</name><uuid>${VM}</uuid><devices>${drives.join('')}</devices></domain>`
  looks.freeMiB = PLENTY
  const { taken } = await takeMedia(job, paperPlan(VM, '', { pointDir, media }), { media: new Map(), memoryXml })
  expect(taken).toMatchObject([{ file: 'boot/medium-1' }])
  expect(await readdir(join(pointDir, 'boot'))).toEqual(['medium-1'])
  expect(warnings).toEqual([
    expect.stringMatching(/a\.iso is not in the point: Not enough room in \/srv\/points: the point needs/)
  ])
  expect(new Set(looks.asked)).toEqual(new Set([pointDir]))
})

/** As a disc on a slow server comes: one piece, and nothing more until it is ended. */
async function* slowly(ended: AbortSignal): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(1)
  await new Promise((resolve) => ended.addEventListener('abort', resolve))
}
