import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Policy } from '../../src/shared/model/policy.ts'
import { policyOf } from './made-policies.ts'
import { paperSystemd, type PaperSystemd } from './paper-systemd.ts'

const host = vi.hoisted(() => ({ dir: '' }))
vi.mock(import('../../src/shared/host-paths.ts'), async (original) =>
  Object.defineProperties({ ...(await original()) }, { UNITS_DIR: { get: () => host.dir as never } })
)

/** Folders whose names were made to last. */
const synced: string[] = []
vi.mock(import('../../src/store/durable.ts'), async (original) => ({
  ...(await original()),
  syncDir: (path: string) => {
    synced.push(path)
    return Promise.resolve()
  }
}))

const { ensureRecoverUnits, removeRecoverUnits } = await import('../../src/engine/jobs/recover-units.ts')
const { writeUnits } = await import('../../src/engine/policy/policy-units.ts')
const { ensureTellTimer } = await import('../../src/engine/tell/tell-timer.ts')

let systemd: PaperSystemd
beforeEach(() => {
  host.dir = mkdtempSync(join(tmpdir(), 'stillpoint-units-'))
  systemd = paperSystemd(() => host.dir)
})
afterEach(() => {
  rmSync(host.dir, { recursive: true })
})

const RECOVERY = ['recover.service', 'recover.timer', 'watch.service', 'watch.timer'].map(
  (name) => `stillpoint-${name}`
)
const inFile = (name: string): string => readFileSync(join(host.dir, name), 'utf8')
/** A unit as an engine before this one wrote it, which systemd has loaded. */
const old = (name: string): void => {
  writeFileSync(join(host.dir, name), '[Service]\nExecStart=/var/lib/stillpoint/engine/old.mjs\n')
  systemd.loaded.set(name, inFile(name))
}
const tellFiles = (): Parameters<typeof ensureTellTimer>[1] => {
  writeFileSync(join(host.dir, 'channels.json'), 'cannot be read, so it counts')
  const path = (name: string): string => join(host.dir, name)
  return { channels: path('channels.json'), outbox: path('outbox'), state: path('told.json'), units: host.dir }
}

describe.each<[string, { units: readonly string[]; enabled: readonly string[]; ensure: () => Promise<unknown> }]>([
  [
    'the units of the recovery',
    { units: RECOVERY, enabled: RECOVERY.slice(0, 2), ensure: () => ensureRecoverUnits(systemd.shell) }
  ],
  [
    'the units of a policy',
    {
      units: ['stillpoint-policy-00000000000a.timer', 'stillpoint-policy-00000000000a.service'],
      enabled: ['stillpoint-policy-00000000000a.timer'],
      ensure: () => writeUnits(systemd.shell, policyOf())
    }
  ],
  [
    'the units of messages',
    {
      units: ['stillpoint-tell.timer', 'stillpoint-tell.service'],
      enabled: ['stillpoint-tell.timer'],
      ensure: () => ensureTellTimer(systemd.shell, tellFiles())
    }
  ]
])('%s', (_what, { units, enabled, ensure }) => {
  const expectInEffect = (): void => {
    expect([...systemd.enabled].sort()).toEqual([...enabled].sort())
    for (const name of units) if (systemd.loaded.has(name)) expect(systemd.loaded.get(name)).toBe(inFile(name))
  }

  it.each(['systemctl daemon-reload', 'systemctl enable'])(
    'are what systemd goes by at the next try, where it fails at the first: %s',
    async (command) => {
      for (const name of units) old(name)
      systemd.failNext = command
      await expect(ensure()).rejects.toThrow('command-failed')
      await ensure()
      expectInEffect()
      const told = systemd.told().length
      await ensure()
      expect(systemd.told()).toHaveLength(told)
    }
  )

  it('are written anew where one of them was cut short, whole, and readable by all as units are', async () => {
    await ensure()
    const [name = ''] = units
    const text = inFile(name)
    writeFileSync(join(host.dir, name), text.slice(0, 20))
    await ensure()
    expect(inFile(name)).toBe(text)
    expect(statSync(join(host.dir, name)).mode & 0o777).toBe(0o644)
    expectInEffect()
    expect(readdirSync(host.dir).filter((file) => file.endsWith('.new'))).toEqual([])
  })

  it('last with the links that enable them, also through a power cut', async () => {
    const wants = join(host.dir, 'timers.target.wants')
    mkdirSync(wants)
    synced.length = 0
    await ensure()
    expect(synced.slice(0, 1)).toEqual([host.dir])
    expect(synced.slice(1)).toEqual([wants, host.dir])
  })

  it('are enabled again where somebody has disabled them', async () => {
    await ensure()
    systemd.enabled.clear()
    await ensure()
    expectInEffect()
  })
})

describe('the watch', () => {
  it('is started by whoever begins something, not by a boot, and by systemd again and again', async () => {
    await ensureRecoverUnits(systemd.shell)
    expect(inFile('stillpoint-watch.timer')).toMatch(/OnActiveSec=60s\nOnUnitInactiveSec=60s/)
    expect(inFile('stillpoint-watch.timer')).not.toContain('[Install]')
    expect(inFile('stillpoint-watch.service')).toContain('OnFailure=stillpoint-recover.timer')
  })

  it('goes with the others', async () => {
    await ensureRecoverUnits(systemd.shell)
    systemd.active.add('stillpoint-watch.timer')
    expect(await removeRecoverUnits(systemd.shell)).toEqual(RECOVERY.map((name) => join(host.dir, name)))
    expect(readdirSync(host.dir)).toEqual([])
    expect([...systemd.active]).toEqual([])
  })
})

describe('the timer of a policy', () => {
  const timer = 'stillpoint-policy-00000000000a.timer'
  const save = (change: Partial<Policy>): Promise<boolean> => writeUnits(systemd.shell, policyOf(change))
  beforeEach(async () => {
    mkdirSync(join(host.dir, 'timers.target.wants'))
    expect(await save({})).toBe(true)
  })

  it('begins anew by another schedule, so that it catches nothing up of the one before', async () => {
    expect(await save({ schedule: { calendar: '03:00', jitterSeconds: 0 } })).toBe(true)
    expect(systemd.told()).toContain(`systemctl stop ${timer}`)
    expect([...systemd.active]).toEqual([timer])
  })

  it('goes on as it is by another name', async () => {
    const told = systemd.told().length
    expect(await save({ name: 'every night' })).toBe(false)
    expect(systemd.told().slice(told)).not.toContain(`systemctl stop ${timer}`)
    expect(systemd.loaded.get(timer)).toContain('every night')
  })

  it('begins anew where an earlier try has written a schedule that systemd never read', async () => {
    systemd.failNext = 'systemctl daemon-reload'
    await expect(save({ schedule: { calendar: '03:00', jitterSeconds: 0 } })).rejects.toThrow('command-failed')
    expect(await save({ schedule: { calendar: '03:00', jitterSeconds: 0 } })).toBe(true)
    expect(systemd.loaded.get(timer)).toContain('03:00')
  })

  it('goes on as it is where systemd is never content, however often it has read it', async () => {
    systemd.isNeverContent = true
    const told = systemd.told().length
    expect(await save({})).toBe(false)
    expect(systemd.told().slice(told)).not.toContain(`systemctl stop ${timer}`)
  })

  it('is started again where somebody has stopped it, and catches up', async () => {
    systemd.active.clear()
    expect(await save({})).toBe(false)
    expect([...systemd.active]).toEqual([timer])
  })
})
