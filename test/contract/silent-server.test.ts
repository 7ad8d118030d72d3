import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyAtRest } from '../../src/engine/capture/copy-at-rest.ts'
import { openersOf } from '../../src/engine/evidence/image-users.ts'
import { answers } from '../../src/engine/recover/answers.ts'
import { failureOf } from '../../src/shared/failure.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { paperPlan } from '../unit/paper-plan.ts'
import { localShell } from '../../src/shell/local.ts'

const UUID = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'

/** Mounted where only the server and its child see it, and gone with them. For root, as all of `npm test`. */
describe('a server that stands still, of a file system on which a process has a file open', () => {
  let dir: string
  let server: ChildProcess
  const there: Shell = {
    label: 'where it is mounted',
    run: (argv, options) =>
      localShell().run(['nsenter', '--mount', `--target=${server.pid ?? 0}`, '--', ...argv], options)
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'stillpoint-silent-'))
    const program = join(import.meta.dirname, 'silent-server.py')
    server = spawn('unshare', ['--mount', 'python3', program, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(server.stdout ?? expect.fail('no output'), 'data')
    server.kill('SIGSTOP')
  })
  afterAll(async () => {
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
    rmSync(dir, { recursive: true })
  })

  it('is not asked who has a file of the host open', async () => {
    const path = join(dir, 'image')
    writeFileSync(path, '')
    expect(await openersOf(path)).toEqual([])
  })

  /** What is said there, each in its turn; it ends where a file is waited for. */
  async function said(program: string): Promise<string> {
    const engine = join(import.meta.dirname, '../../src')
    const text = `
      const { mountAt } = await import('${engine}/engine/room/file-systems.ts')
      const { whatIsLeft } = await import('${engine}/engine/recover/what-is-left.ts')
      const { localShell } = await import('${engine}/shell/local.ts')
      const dir = ${JSON.stringify(dir)}
      const say = (text) => process.stdout.write(text + '\\n')
      ${program}
      process.kill(process.pid, 'SIGKILL')`
    const { stdout } = await there.run([process.execPath, '--input-type=module', '--eval', text], { timeoutMs: 60_000 })
    return stdout
  }

  it('keeps nothing else of a process back that asks on what one of its files lies', async () => {
    expect(
      await said(`void mountAt(dir + '/image'); setImmediate(() => say('it goes on'))
      await new Promise((resolve) => setTimeout(resolve, 100))`)
    ).toBe('it goes on\n')
  })

  it('keeps nobody from saying what is left of a job, and what may be', async () => {
    const disk = { target: 'vda', source: '/a', format: 'qcow2', type: 'file', virtualSizeBytes: 1, allocatedBytes: 1 }
    const sidecars = ['/image', '.never'].map((end) => `${dir}${end}`)
    const plan = paperPlan(UUID, '<domain/>', { disks: sidecars.map((sidecar) => ({ ...disk, sidecar })) as never })
    const entries = [{ n: 0, at: 'x', type: 'step', step: 'begin-point', data: { plan } }]
    const left = await said(
      `say(JSON.stringify(await whatIsLeft(localShell(), 'x', ${JSON.stringify(entries)}, new Error('why'), { kind: 'cancelled', what: 'x' })))`
    )
    expect(JSON.parse(left)).toMatchObject({
      left: [{}, { path: sidecars[0], because: expect.stringContaining('may be there') as string }]
    })
  })

  it('keeps nobody who takes a medium from it, for longer than a while or until a cancel', async () => {
    const target = `${dir}.copy`
    const given = copyAtRest(there, join(dir, 'image'), target, { withinMs: 500 })
    await expect(given).rejects.toThrow(/ETIMEDOUT.*is its server away/)
    const stop = new AbortController()
    const cancelled = copyAtRest(there, join(dir, 'image'), target, { signal: stop.signal })
    stop.abort()
    await expect(cancelled).rejects.toThrow(/cancelled/)
    expect(existsSync(target)).toBe(false)
  })

  it('is given up after a while, and is there again once it goes on', async () => {
    const silent = await answers(there, dir, 500).then(() => undefined, failureOf)
    expect(silent).toMatchObject({ kind: 'io', path: dir, code: 'ETIMEDOUT' })
    server.kill('SIGCONT')
    await answers(there, dir)
  })
})
