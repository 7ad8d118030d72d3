import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiveCore } from '../../src/main/core/live/live-core.ts'
import { LiveValue } from '../../src/main/core/live/live-value.ts'
import { handlersOver } from '../../src/main/doors/handlers.ts'
import type { Handlers } from '../../src/shared/contract.ts'
import type { Policy } from '../../src/shared/model/policy.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { NEVER_NOW, runByHand, runsOf, tracesOf } from './policies.ts'
import { waitFor } from './run.ts'
import { Stillpoint } from './stillpoint.ts'
import { testLab } from './test-lab.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LAUNCHER = join(ROOT, 'bin/stillpoint.mjs')
const STORE = '/srv/adopted-points'
let alpha: LabHost
let engine: BareEngine
let guest: Guest
let policy: Policy
const first = new Stillpoint()
const laptop = mkdtempSync(join(tmpdir(), 'stillpoint-new-laptop-'))

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({ name: 'adopted', ramMiB: 128, diskMiB: 16 })
})

afterAll(async () => {
  for (const each of (await engine.ask('policies', {})).policies)
    if (each.policy.store === STORE) await engine.ask('policy-remove', { id: each.policy.id })
  await guest.undefine()
  await alpha.run(`rm -rf ${STORE}`)
  first.remove()
  rmSync(laptop, { recursive: true, force: true })
})

/** The browser door as a program of its own, in contact with the host. */
async function serving(): Promise<ChildProcess> {
  const env = { ...process.env, STILLPOINT_HOME: first.home }
  const child = spawn(process.execPath, [LAUNCHER, 'serve', '--no-open', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child
}

/** A Stillpoint with a window, as the doors have it, on the new laptop's settings. */
function opened(): { live: LiveCore; handlers: Handlers } {
  const live = new LiveCore({ folder: laptop, cache: join(laptop, 'cache'), root: ROOT })
  const info = (): never => {
    throw new Error('nobody asks')
  }
  return { live, handlers: handlersOver(live, { info, openLink: () => Promise.resolve(), goTo: new LiveValue() }) }
}

const titles = (live: LiveCore): string[] => (live.notices.all.value ?? []).map(({ title }) => title)

describe('a policy put from the terminal', () => {
  it('is refused with a calendar that is none, and by a name that is taken', async () => {
    await first.add(alpha, '--accept-new')
    const add = (name: string, calendar: string): ReturnType<Stillpoint['run']> =>
      first.run(['policy', 'add', name, '--host', 'alpha', '--vms', 'adopt*', '--calendar', calendar, '--store', STORE])
    const bad = await add('every minute', 'every minute')
    expect(bad).toMatchObject({ exit: 2, result: { ok: false, failure: { kind: 'usage' } } })
    const put = await add('every minute', NEVER_NOW)
    expect(put).toMatchObject({ exit: 0, result: { ok: true, host: 'alpha', policy: { name: 'every minute' } } })
    policy = put.result['policy'] as Policy
    expect(await add('every minute', 'daily')).toMatchObject({ exit: 2, result: { ok: false } })
  })

  it('runs by hand while somebody waits, shows what it would prune, and takes another calendar', async () => {
    const run = await first.run(['policy', 'run', 'every minute', '--wait'])
    expect(run).toMatchObject({ exit: 0, result: { ok: true, run: { state: 'done', trigger: 'manual' } } })
    const plan = await first.run(['prune', 'every minute', '--dry-run'])
    expect(plan).toMatchObject({ exit: 0, result: { plan: { vms: [{ vm: { name: 'adopted' } }] } } })
    expect(await first.run(['prune', 'every minute'])).toMatchObject({ exit: 2 })
    const edited = await first.run(['policy', 'edit', 'every minute', '--calendar', '*:*:00'])
    expect(edited).toMatchObject({ exit: 0, result: { ok: true, policy: { id: policy.id } } })
  })
})

describe('the controller is killed and its settings are deleted', () => {
  it('and the policy runs on by its timer', async () => {
    const controller = await serving()
    controller.kill('SIGKILL')
    first.remove()
    const before = (await runsOf(engine, policy)).filter(({ trigger }) => trigger === 'timer').length
    const runs = await waitFor(
      'a run that nobody here began',
      async () => {
        const ended = (await runsOf(engine, policy)).filter(
          (run) => run.trigger === 'timer' && run.endedAt !== undefined
        )
        return ended.length > before ? ended : undefined
      },
      { everyMs: 500 }
    )
    // What keeps it from being clean is shown, should anything.
    expect(runs[0]).toMatchObject({ warnings: [], pruned: { refused: [] } })
    expect(runs[0]).toMatchObject({ state: 'done', vms: [{ vm: { name: 'adopted' }, outcome: 'done' }] })
  })

  it('and a new one finds policy, points, runs and jobs, under another name for the host', async () => {
    const { live, handlers } = opened()
    try {
      const { address, user, port, identityFile, hostKeySha256: fingerprint } = alpha
      await handlers.hosts.add({ name: 'kvm-1', address, user, port, identityFile, fingerprint })
      await waitFor(
        'what it brought',
        () => Promise.resolve(titles(live).find((title) => title.startsWith('kvm-1 brought'))),
        { everyMs: 200 }
      )
      const [said] = titles(live)
      expect(said).toMatch(/^kvm-1 brought 1 schedule, \d+ points and \d+ past jobs$/)
      expect(live.policies.of('kvm-1')?.policies.map(({ policy: { id } }) => id)).toEqual([policy.id])
      const points = (live.points.all.value?.points ?? []).filter((point) => point.policy?.id === policy.id)
      expect(points.length).toBeGreaterThanOrEqual(2)
      expect(points[0]?.places).toMatchObject([{ host: 'kvm-1', dir: STORE }])
      expect(live.policies.runs.value?.length).toBeGreaterThanOrEqual(2)
      expect(live.policies.runs.value?.every(({ host }) => host === 'kvm-1')).toBe(true)
      const jobs = (live.jobs.all.value ?? []).filter((job) => job.policy?.id === policy.id)
      expect(jobs.length).toBeGreaterThanOrEqual(2)
    } finally {
      await live.close()
    }
  })
})

describe('the laptop comes back after a while', () => {
  it('and hears of what ended meanwhile in one notice, once', async () => {
    const run = await runByHand(engine, policy)
    for (const _ of [1, 2]) {
      const { live } = opened()
      try {
        await waitFor(
          'the host to be up and heard',
          () => Promise.resolve(live.away.isHere('kvm-1') ? true : undefined),
          { everyMs: 200 }
        )
        const heard = (live.policies.runs.value ?? []).some(({ id }) => id === run.id)
        expect(heard).toBe(true)
      } finally {
        await live.close()
      }
    }
    const { live } = opened()
    await live.close()
    const away = titles(live).filter((title) => title.startsWith('While you were away'))
    expect(away[0]).toMatch(/^While you were away, on \S+: \d+ backups? done$/)
    const jobs = (await live.core.history.jobs()).map(({ id }) => id)
    expect(new Set(jobs).size).toBe(jobs.length)
    expect(jobs).toContain(run.vms[0]?.job)
  })

  it('and takes the policy off the host, so that nothing of it is left', async () => {
    const { live, handlers } = opened()
    try {
      await handlers.policies.remove({ host: 'kvm-1', id: policy.id })
      expect(live.policies.of('kvm-1')?.policies).toEqual([])
      await waitFor('nothing to be left', async () =>
        (await tracesOf(engine, policy)).length === 0 ? true : undefined
      )
    } finally {
      await live.close()
    }
  })
})
