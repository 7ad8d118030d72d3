import { describe, expect, it } from 'vitest'
import { autostartOf, checkTwins, type TwinRequest } from '../../../src/engine/restore/check-twins.ts'
import { Checklist } from '../../../src/engine/restore/checklist.ts'
import type { RestorePlan } from '../../../src/engine/restore/restore-plan.ts'
import { settle } from '../../../src/engine/restore/restore.ts'
import type { JobContext } from '../../../src/engine/jobs/job-context.ts'
import type { PreflightItem } from '../../../src/shared/engine-protocol.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import type { TwinVm } from '../../../src/shared/model/twin-vm.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { FILES, POINT, VM, manifestOf } from '../store-points.ts'

const twin: TwinVm = {
  host: 'alpha',
  machineId: 'a',
  name: 'web1',
  state: 'running',
  autostart: true,
  images: ['/dev/mapper/lun']
}
const spec: RestoreSpec = {
  kind: 'restore',
  vm: VM,
  vmName: 'web1',
  hostName: 'beta',
  point: POINT,
  store: '/srv/points',
  mode: 'resume',
  replace: false
}
const point = manifestOf(FILES, { autostart: true })

async function said(change: Partial<RestoreSpec>, more: Partial<TwinRequest> = {}): Promise<PreflightItem[]> {
  const list = new Checklist()
  const nothing = { attached: new Set<string>(), displaced: [], isHeld: () => Promise.resolve(false) }
  await checkTwins({ spec: { ...spec, ...change }, manifest: point, ...nothing, ...more }, list)
  return list.items
}
const attaching = (path: string): Partial<TwinRequest> => ({ attached: new Set([path]) })

describe('a VM that runs on another host as well', () => {
  it('is a warning with its host and state, and what can be done ready to type', async () => {
    const [warning, ...rest] = await said({ twins: [twin] })
    expect(warning).toMatchObject({ check: 'twin', state: 'warning' })
    expect(warning?.text).toContain('VM web1 is on alpha too, and is running there')
    expect(warning?.fix).toContain(`on alpha: virsh shutdown ${VM}`)
    expect(warning?.fix).toContain('--mode copy --name web1-copy')
    expect(warning?.fix).toContain('--mode define')
    expect(rest).toMatchObject([
      {
        check: 'autostart',
        text: 'Autostart is left off until web1 is gone from alpha. Then: stillpoint vm autostart beta/web1'
      }
    ])
  })

  it('is told of where it would only start with its host, and where the one here is only defined', async () => {
    expect((await said({ twins: [{ ...twin, state: 'shut off' }] }))[0]).toMatchObject({
      text: expect.stringContaining('shut off, and starts with that host') as string,
      fix: `keep it from starting there (on alpha: virsh autostart --disable ${VM})`
    })
    expect((await said({ twins: [twin], mode: 'define' }))[0]).toMatchObject({
      state: 'warning',
      fix: `shut it down there before this one is started (on alpha: virsh shutdown ${VM})`
    })
  })

  it('stands in the way where both would write to one disk', async () => {
    const problems = async (change: Partial<RestoreSpec>, path: string): Promise<string[]> =>
      (await said({ twins: [twin], ...change }, attaching(path))).flatMap(({ state, text }) =>
        state === 'problem' ? [text] : []
      )
    expect((await problems({}, '/dev/mapper/lun')).join()).toMatch(
      /^\/dev\/mapper\/lun, .* is the disk that web1 on alpha writes to/
    )
    expect(await problems({}, '/srv/other.qcow2')).toEqual([])
    expect(await problems({ mode: 'define' }, '/dev/mapper/lun')).toEqual([])
  })

  it('stands in the way where it runs on the very file that would be put aside here', async () => {
    const [path, mine] = ['/dev/shm/shared.qcow2', '/dev/shm/mine.qcow2']
    const renames = [path, mine].map((from) => ({ from, to: `${from}.kept`, format: 'qcow2' as const }))
    const displacing = (held: readonly string[]): Partial<TwinRequest> => ({
      displaced: [{ name: 'web1', renames }],
      isHeld: (image) => Promise.resolve(held.includes(image))
    })
    const twins = [{ ...twin, images: [path] }]
    const stated = async (held: readonly string[]): Promise<string[]> =>
      (await said({ twins }, displacing(held))).flatMap(({ state, text }) =>
        text.includes('makes way') ? [state] : []
      )
    expect(await stated([path, mine])).toEqual(['problem'])
    expect(await stated([])).toEqual([]) // the same path on two hosts is two files, where no other host sees it
  })

  it('is no matter for a copy, which is another VM', async () => {
    expect(await said({ twins: [twin], originAway: 'alpha', copy: { name: 'c', uuid: VM } })).toEqual([])
  })
})

describe('silence', () => {
  it('is not taken for absence: the host of the point is named, with what follows if it comes back', async () => {
    const [warning, ...rest] = await said({ twins: [], originAway: 'alpha' })
    expect(warning).toMatchObject({ check: 'twin', state: 'warning' })
    expect(warning?.text).toMatch(
      /^alpha, where this point was taken, does not answer.*The one here starts with its host/
    )
    expect(warning?.fix).toContain(`virsh autostart --disable ${VM}`)
    expect(rest).toEqual([])
  })

  it('is in order where every other host that answers has it not, and nothing is said where there is no other', async () => {
    expect(await said({ twins: [] })).toMatchObject([{ check: 'twin', state: 'ok' }])
    expect(await said({})).toEqual([])
  })
})

describe('autostart', () => {
  const held = { host: 'alpha', machineId: 'a' }
  it.each([
    ['as in the point', {}, true, { autostart: true }],
    ['left off for a twin', { twins: [twin] }, true, { autostart: false, heldAutostart: held }],
    ['off without a reason where the point has it off', { twins: [twin] }, false, { autostart: false }],
    ['on where the host of the point is dead', { twins: [], originAway: 'alpha' }, true, { autostart: true }],
    ['off for a copy', { copy: { name: 'c', uuid: VM } }, true, { autostart: false }]
  ])('is %s', (_, change, autostart, expected) => {
    expect(autostartOf({ ...spec, ...change }, { ...point, autostart })).toEqual(expected)
  })

  const definition = (metadata: string): string =>
    `<domain type='kvm'><name>web1</name><uuid>${VM}</uuid><memory>1</memory>${metadata}<devices/></domain>`
  const NOTE = `<metadata><s:held xmlns:s='urn:stillpoint:held-autostart' host='gamma' machine='g'/></metadata>`

  async function settled(plan: Partial<RestorePlan>, state = 'running'): Promise<readonly string[]> {
    const shell = fakeShell({ [`virsh domstate ${VM} --reason`]: `${state} (booted)`, virsh: '' })
    const job = { shell, warn: (text: string) => expect.fail(text) } as unknown as JobContext
    const rest = { vm: VM, mode: 'define', definition: definition(''), displaced: [], orphans: [], autostart: true }
    await settle(job, { ...rest, ...plan } as RestorePlan)
    return shell.lines.filter((line) => !line.includes('domstate'))
  }

  it('that is held back is noted in the VM, where every laptop sees it', async () => {
    const [off, note] = await settled({ autostart: false, heldAutostart: { host: 'a"<b', machineId: 'm' } })
    expect(off).toBe(`virsh autostart ${VM} --disable`)
    expect(note).toBe(
      `virsh metadata ${VM} --uri urn:stillpoint:held-autostart --key stillpoint --set <held host="a&#34;&#60;b" machine="m"/> --config --live`
    )
    const [, defined] = await settled({ autostart: false, heldAutostart: held }, 'shut off')
    expect(defined).toMatch(/--config$/)
  })

  it('that an earlier restore held back is no longer noted in a VM that is restored without a twin', async () => {
    expect(await settled({ definition: definition(NOTE) })).toEqual([
      `virsh autostart ${VM}`,
      `virsh metadata ${VM} --uri urn:stillpoint:held-autostart --remove --config --live`
    ])
    expect(await settled({})).toEqual([`virsh autostart ${VM}`])
  })
})
