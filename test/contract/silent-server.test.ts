import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openersOf } from '../../src/engine/evidence/image-users.ts'
import { answers } from '../../src/engine/recover/answers.ts'
import { failureOf } from '../../src/shared/failure.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { localShell } from '../../src/shell/local.ts'

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

  it('is given up after a while, and is there again once it goes on', async () => {
    const silent = await answers(there, dir, 500).then(() => undefined, failureOf)
    expect(silent).toMatchObject({ kind: 'io', path: dir, code: 'ETIMEDOUT' })
    server.kill('SIGCONT')
    await answers(there, dir)
  })
})
