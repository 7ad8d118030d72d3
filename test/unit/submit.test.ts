import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PAPER_SPEC } from './paper-spec.ts'
import { fakeShell, type FakeReply, type FakeShell } from '../../src/shell/fake.ts'
import { localShell } from '../../src/shell/local.ts'
import { policyOf } from './made-policies.ts'

const host = vi.hoisted(() => ({ dir: '' }))
vi.mock(import('../../src/shared/host-paths.ts'), async (original) => {
  const below = (name: string): never => `${host.dir}/${name}` as never
  return Object.defineProperties(
    { ...(await original()) },
    {
      STATE_DIR: { get: () => below('') },
      DEFAULT_STORE: { get: () => below('points') },
      UNITS_DIR: { get: () => below('units') },
      RUN_DIR: { get: () => below('run') },
      JOBS_DIR: { get: () => below('jobs') },
      RUNS_DIR: { get: () => below('runs') },
      POLICIES_DIR: { get: () => below('policies') },
      policyPath: { value: (id: string) => below(`policies/${id}.json`) }
    }
  )
})

const { submitJob } = await import('../../src/engine/jobs/submit.ts')
const { journalPath, jobIds } = await import('../../src/engine/jobs/job-directory.ts')
const { Journal } = await import('../../src/engine/journal/journal.ts')
const { endJob, finalReport } = await import('../../src/engine/jobs/job-end.ts')
const { prepareHost } = await import('../../src/engine/prepare-host.ts')
const { writePolicy } = await import('../../src/engine/policy/policy-file.ts')
const { runPolicy } = await import('../../src/engine/policy/run-policy.ts')
const { readRun, runIds } = await import('../../src/engine/policy/run-files.ts')

const ID = '20261124T010000Z-000001'
const ARM = 'systemctl start stillpoint-watch.timer'
const spec = PAPER_SPEC

beforeEach(() => {
  host.dir = mkdtempSync(join(tmpdir(), 'stillpoint-submit-'))
})
afterEach(() => {
  rmSync(host.dir, { recursive: true })
})

const begin = (): ReturnType<typeof Journal.open> => {
  const journal = Journal.open(journalPath(ID))
  journal.append({ type: 'begin', id: ID, spec, bootId: 'b', engine: 'e' })
  return journal
}
const systemd = (reply: FakeReply = ''): FakeShell =>
  fakeShell({
    systemctl: ({ line }) => (line.includes('--version') ? 'systemd 252' : ''),
    [ARM]: reply,
    'systemd-run': () => {
      begin().close()
      return ''
    }
  })

describe('a job that is submitted', () => {
  it('is watched over by its host before its unit is started, its order on disk', async () => {
    const shell = systemd(() => {
      expect(readdirSync(join(host.dir, 'jobs', ID))).toContain('spec.json')
      return ''
    })
    await submitJob(shell, ID, spec, undefined)
    const at = shell.lines.indexOf(ARM)
    expect(at).toBeGreaterThanOrEqual(0)
    expect(shell.lines.findIndex((line) => line.startsWith('systemd-run'))).toBeGreaterThan(at)
  })

  it('is none where nobody would watch over it', async () => {
    const shell = systemd({ exitCode: 1, stderr: 'Transaction is destructive' })
    await expect(submitJob(shell, ID, spec, undefined)).rejects.toMatchObject({
      failure: { kind: 'command-failed', command: ARM }
    })
    expect(jobIds()).toEqual([])
    expect(shell.lines.some((line) => line.startsWith('systemd-run'))).toBe(false)
  })

  /** What its unit does last, by sh. */
  const takesUp = async (stopPosts: readonly string[]): Promise<boolean> => {
    const script = /^ExecStopPost=-\/bin\/sh -c '(.*)'$/.exec(stopPosts.at(-1) ?? '')?.[1] ?? 'false'
    const { stdout } = await localShell().run(['sh', '-c', `systemctl() { echo "$@"; }; ${script}`])
    return stdout === 'start --no-block stillpoint-recover.timer\n'
  }

  it('has the recovery asked for by its unit, however that ended, unless its end is written', async () => {
    const shell = systemd()
    await submitJob(shell, ID, spec, undefined)
    const run = shell.calls.find(({ argv: [program] }) => program === 'systemd-run')
    const stopPosts = run?.argv.filter((word) => word.startsWith('ExecStopPost=')) ?? []
    expect(stopPosts).toHaveLength(2)
    expect(stopPosts.join()).not.toContain('SERVICE_RESULT')
    expect(await takesUp(stopPosts)).toBe(true)
    const journal = Journal.open(journalPath(ID))
    endJob(journal, finalReport(ID, 'done'))
    journal.close()
    expect(readFileSync(journalPath(ID), 'utf8')).toContain('"type":"end"')
    expect(await takesUp(stopPosts)).toBe(false)
    rmSync(join(host.dir, 'jobs', ID), { recursive: true })
    expect(await takesUp(stopPosts)).toBe(false)
  })
})

describe('a run of a policy', () => {
  const beginRun = async (reply: FakeReply): Promise<ReturnType<typeof readRun>> => {
    await writePolicy(policyOf())
    await runPolicy(systemd(reply), policyOf().id, 'manual', ID)
    return readRun(ID)
  }

  it('is watched over by its host, its folder on disk', async () => {
    let seen: readonly string[] = []
    await beginRun(() => {
      seen = runIds()
      return ''
    })
    expect(seen).toEqual([ID])
  })

  it('fails, and says so, where nobody would watch over it', async () => {
    expect(await beginRun({ exitCode: 1, stderr: 'Transaction is destructive' })).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining(ARM) as unknown,
      vms: []
    })
  })
})

describe('a host that is made ready', () => {
  it('watches over what is open, and over nothing else', async () => {
    const idle = systemd()
    await prepareHost(idle)
    expect(idle.lines).not.toContain(ARM)
    begin().close()
    const shell = systemd()
    await prepareHost(shell)
    expect(shell.lines).toContain(ARM)
  })
})
