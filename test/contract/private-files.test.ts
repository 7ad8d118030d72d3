import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadFiles, withPrivateFiles, withXmlFile } from '../../src/engine/jobs/private-files.ts'
import { finish } from '../../src/engine/recover/recover.ts'
import { ENGINE_DIR } from '../../src/shared/host-paths.ts'
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

/** As engines before this one handed definitions over. */
function leaveDefinition(pid: number): string {
  const path = join(paths.dir, 'jobs', `.define-0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11-${pid}.xml`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, "<graphics type='vnc' passwd='secret'/>")
  return path
}

/** Of a process that was, and of one whose number another has now; engines before this one named them otherwise. */
const killed = (): string[] => {
  const gone = spawnSync('true').pid
  const folders = ['private', 'keys'].flatMap((name) => [`${name}-${gone}-1-abcdef`, `${name}-${process.pid}-1-abcdef`])
  return [...folders.map(leave), leaveDefinition(gone), leaveDefinition(process.pid)]
}

describe('keys and definitions that programs read from files', () => {
  it('are root’s alone, and gone behind that', async () => {
    await withPrivateFiles(['abc'], async ([path = '']) => {
      expect(readFileSync(path, 'utf8')).toBe('abc')
      expect(statSync(path).mode & 0o777).toBe(0o600)
      // Nobody takes away those of an engine that is at work.
      await withXmlFile('<domain/>', async (xml) => {
        expect(readFileSync(xml, 'utf8')).toBe('<domain/>')
        expect(await deadFiles()).toEqual([])
      })
      expect(existsSync(path)).toBe(true)
    })
    expect(readdirSync(run())).toEqual([])
    expect(existsSync(join(paths.dir, 'jobs'))).toBe(false)
  })

  it('go with the next ones where their engine was killed', async () => {
    const left = killed()
    expect((await deadFiles()).sort()).toEqual([...left].sort())
    await withPrivateFiles([], () => Promise.resolve())
    expect(left.filter(existsSync)).toEqual([])
  })

  it('go with the recovery of what was killed', async () => {
    const left = killed()
    await finish(fakeShell({}), '20261122T201744Z-3f9a1c').catch(() => undefined)
    expect(left.filter(existsSync)).toEqual([])
  })

  it('stay where an engine before this one is at work', async () => {
    const engine = spawn('sh', ['-c', 'read _', `${ENGINE_DIR}/00.mjs`])
    const ended = once(engine, 'exit')
    const path = leaveDefinition(engine.pid ?? 0)
    expect(await deadFiles()).toEqual([])
    engine.stdin.end()
    await ended
    expect(await deadFiles()).toEqual([path])
  })
})
