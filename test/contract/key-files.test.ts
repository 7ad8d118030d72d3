import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadKeys, withKeyFiles } from '../../src/engine/jobs/key-file.ts'
import { finish } from '../../src/engine/recover/recover.ts'
import { fakeShell } from '../../src/shell/fake.ts'

const paths = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) => ({
  ...(await original<object>()),
  get JOBS_DIR() {
    return `${paths.dir}/jobs`
  },
  get RUN_DIR() {
    return `${paths.dir}/run`
  }
}))

const run = (): string => join(paths.dir, 'run')
beforeEach(() => (paths.dir = mkdtempSync(join(tmpdir(), 'stillpoint-keys-'))))
afterEach(() => rmSync(paths.dir, { recursive: true }))

function leave(name: string): string {
  const folder = join(run(), name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '0'), 'cGFzc3BocmFzZQ==')
  return folder
}

/** Of a process that was, and of one whose number another has now. */
const killed = (): string[] => [leave(`keys-${spawnSync('true').pid}-1-abcdef`), leave(`keys-${process.pid}-1-abcdef`)]

describe('keys that programs read from files', () => {
  it('are root’s alone, and gone behind that', async () => {
    await withKeyFiles(['abc'], async ([path = '']) => {
      expect(readFileSync(path, 'utf8')).toBe('abc')
      expect(statSync(path).mode & 0o777).toBe(0o600)
      // Nobody takes away those of an engine that is at work.
      await withKeyFiles(['def'], () => Promise.resolve())
      expect(await deadKeys()).toEqual([])
      expect(existsSync(path)).toBe(true)
    })
    expect(readdirSync(run())).toEqual([])
  })

  it('go with the next keys where their engine was killed', async () => {
    const left = killed()
    expect((await deadKeys()).sort()).toEqual([...left].sort())
    await withKeyFiles([], () => Promise.resolve())
    expect(left.filter(existsSync)).toEqual([])
  })

  it('go with the recovery of what was killed', async () => {
    const left = killed()
    await finish(fakeShell({}), '20261122T201744Z-3f9a1c').catch(() => undefined)
    expect(left.filter(existsSync)).toEqual([])
  })
})
