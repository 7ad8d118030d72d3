import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { run } from '../unit/tell/told-things.ts'

const disk = vi.hoisted(() => ({ dir: '', roomBytes: Infinity }))

/** A file system that becomes full: what still fits is taken, and only the next byte is refused. */
vi.mock(import('node:fs'), async (original) => {
  const fs = await original()
  const writeSync = (fd: number, bytes: NodeJS.ArrayBufferView, from = 0): number => {
    if (disk.roomBytes === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const taken = fs.writeSync(fd, bytes, from, Math.min(disk.roomBytes, bytes.byteLength - from))
    disk.roomBytes -= taken
    return taken
  }
  return { ...fs, writeSync: writeSync as typeof fs.writeSync }
})
vi.mock(import('../../src/shared/host-paths.ts'), async (original) => {
  const paths = await original()
  const below = (name: string): never => `${disk.dir}/${name}` as never
  return Object.defineProperties(
    { ...paths },
    { RUNS_DIR: { get: () => below('runs') }, JOBS_DIR: { get: () => below('jobs') } }
  )
})

const { JsonLines, readLines } = await import('../../src/engine/journal/json-lines.ts')
const { readRun, runIds } = await import('../../src/engine/policy/run-files.ts')
const { forgetOld } = await import('../../src/engine/policy/forget-old.ts')
const { jobIds, readReport } = await import('../../src/engine/jobs/job-directory.ts')

beforeEach(() => {
  disk.dir = mkdtempSync(join(tmpdir(), 'stillpoint-journals-'))
})
afterEach(() => {
  disk.roomBytes = Infinity
  rmSync(disk.dir, { recursive: true })
})

describe('a journal on a full file system', () => {
  it('says that an entry is not on disk, though a part of it is', () => {
    const lines = JsonLines.open(join(disk.dir, 'journal.jsonl'), undefined)
    disk.roomBytes = 10
    expect(() => lines.append({ type: 'step' })).toThrow('no space')
    lines.close()
  })

  it('begins a new line once there is room again', () => {
    const path = join(disk.dir, 'journal.jsonl')
    const lines = JsonLines.open(path, undefined)
    disk.roomBytes = 10
    expect(() => lines.append({ type: 'lost' })).toThrow('no space')
    disk.roomBytes = Infinity
    lines.append({ type: 'step' })
    lines.append({ type: 'end' })
    lines.close()
    expect(
      readLines(path)
        .slice(1)
        .map((line) => (JSON.parse(line) as { type: string }).type)
    ).toEqual(['step', 'end'])
    expect(readFileSync(path, 'utf8').split('\n')[0]).toHaveLength(10)
  })
})

/** Before its end a journal that is far too long to be read as a whole. */
function writeLong(folder: string, id: string, end: object): void {
  const path = join(disk.dir, folder, id, 'journal.jsonl')
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, '')
  truncateSync(path, 1 << 30)
  appendFileSync(path, `\n${JSON.stringify({ n: 9, at: '2026-11-24T01:12:04.000Z', type: 'end', ...end })}\n`)
}

const report = run([])
const job = {
  id: report.id,
  kind: 'backup',
  host: 'kvm-1',
  vm: { uuid: '11111111-1111-4111-8111-111111111111', name: 'web' },
  state: 'done',
  startedAt: '2026-11-24T01:00:00.000Z',
  store: '/var/lib/stillpoint/points',
  pauses: [],
  pauseMs: 0,
  phases: [],
  warnings: []
}

const idOf = (n: number): string => `20261124T010000Z-${n.toString(16).padStart(6, '0')}`

function writeMany(folder: string, from: number, to: number, report?: object): void {
  for (let n = from; n < to; n++) {
    const dir = join(disk.dir, folder, idOf(n))
    mkdirSync(dir, { recursive: true })
    const line = { n: 0, at: '2026-11-24T01:12:04.000Z', type: 'end', report: { ...report, id: idOf(n) } }
    if (report !== undefined) writeFileSync(join(dir, 'journal.jsonl'), `${JSON.stringify(line)}\n`)
  }
}

describe('what a host forgets', () => {
  it('is no run as long as no more than a thousand have ended, whatever lies beside them', () => {
    writeMany('runs', 0, 990, report)
    writeMany('runs', 990, 1060)
    forgetOld()
    expect(runIds()).toHaveLength(1060)
  })

  it('is no job that a laptop which was away for a week has not read: 25 VMs every hour', () => {
    writeMany('jobs', 0, 25 * 24 * 7, job)
    forgetOld()
    expect(jobIds()).toHaveLength(25 * 24 * 7)
  })
})

describe('the end of a journal', () => {
  it('is all that is read of a run that has ended', () => {
    writeLong('runs', report.id, { report })
    expect(readRun(report.id)).toEqual(report)
  })

  it('is all that is read of a job that has ended', () => {
    writeLong('jobs', job.id, { report: job })
    expect(readReport(job.id)).toEqual(job)
  })
})
