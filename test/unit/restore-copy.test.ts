import { describe, expect, it } from 'vitest'
import { placeDisks } from '../../src/engine/restore/place-disks.ts'
import { preflightRestore } from '../../src/engine/restore/plan-restore.ts'
import { newCopy, orderFor, restoreSpec } from '../../src/main/core/points/restore-order.ts'
import { downtimesOf } from '../../src/shared/downtimes.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { reportAtStart } from '../../src/shared/job-report.ts'
import { headline } from '../../src/shared/job-words.ts'
import { vmOf, type RestoreSpec } from '../../src/shared/model/job.ts'
import type { RestoreQuestion } from '../../src/shared/views/job-view.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { FILES, OTHER_VM, POINT, VM, manifestOf, temporaryStore } from './store-points.ts'

const COPY = '99999999-2222-4333-8444-555555555555'
const NAME = 'web <1>'
const original = { uuid: VM, name: NAME }
const copySpec = (store: string, change: Partial<RestoreSpec> = {}): RestoreSpec => ({
  kind: 'restore',
  vm: VM,
  vmName: NAME,
  hostName: 'alpha',
  point: POINT,
  store,
  mode: 'boot',
  replace: false,
  copy: { name: 'twin', uuid: COPY },
  ...change
})

describe('the report of a copy', () => {
  it('is of the new VM, and names the one that it is a copy of', () => {
    const spec = copySpec('/s')
    const report = reportAtStart(POINT, spec, '2026-11-22T20:17:44.000Z')
    expect([report.vm, report.copyOf, vmOf(spec)]).toEqual([{ name: 'twin', uuid: COPY }, original, report.vm])
    expect(headline({ ...report, state: 'done', mode: 'boot', runningMs: 3000 })).toMatch(
      /^twin on alpha: restored as a copy \(boot\), running after/
    )
    expect(downtimesOf([{ ...report, state: 'done', runningMs: 3000 }], [])).toEqual([])
  })

  it('does not name one where there is none', () => {
    const { copy: _, ...spec } = copySpec('/s')
    expect(reportAtStart(POINT, spec, '2026-11-22T20:17:44.000Z')).not.toHaveProperty('copyOf')
    expect(vmOf(spec)).toEqual(original)
  })
})

describe('disks of a copy', () => {
  const pathOf = async (change: Partial<RestoreSpec>): Promise<string | undefined> => {
    const rules = { former: new Map(), accessOf: () => undefined, users: new Map() }
    return (await placeDisks(copySpec('/s', change), POINT, manifestOf(FILES), [], rules))[0]?.path
  }

  it('are named after it, with some of its UUID, never after the original', async () => {
    expect(await pathOf({ diskDir: '/srv' })).toBe('/srv/twin-99999999-vda.qcow2')
    expect(await pathOf({ diskDir: '/srv', copy: { name: '$(x) é', uuid: COPY } })).toBe(`/srv/${COPY}-vda.qcow2`)
  })
})

describe('what a copy would meet', () => {
  const domain = `<domain type='kvm'><name>web &lt;1&gt;</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os>
    <devices><interface type='bridge'><source bridge='lo'/></interface><hostdev type='pci'/>
    <disk type='file' device='disk'><source file='/a.qcow2'/><target dev='vda'/></disk></devices></domain>`
  const files = { manifest: JSON.stringify(manifestOf(FILES)), domain, host: '{}' }
  /** The original runs here, and one other VM. */
  const host = (): Shell =>
    paperLibvirt({
      [VM]: { next: domain },
      [OTHER_VM]: { next: `<domain><name>taken</name><uuid>${OTHER_VM}</uuid><devices/></domain>` }
    }).shell
  const look = async (change: Partial<RestoreSpec> = {}): Promise<string[]> =>
    (await preflightRestore(host(), copySpec(await temporaryStore(), change), files)).flatMap(({ check, state }) =>
      state === 'ok' ? [] : [`${check}: ${state}`]
    )

  it('is no conflict with the original, but a word about a device that only one VM can have', async () => {
    expect(await look()).toEqual(['devices: warning'])
    expect((await preflightRestore(host(), copySpec(await temporaryStore()), files)).some(({ vm }) => vm)).toBe(false)
  })

  it.each(['taken', NAME])('is a problem where a VM is called %s', async (name) => {
    for (const replace of [false, true])
      expect(await look({ copy: { name, uuid: COPY }, replace })).toContain('existing VM: problem')
  })

  it('is a problem with a name that no VM can have, and with RAM', async () => {
    expect(await look({ copy: { name: 'a/b', uuid: COPY } })).toContain('name: problem')
    expect(await look({ mode: 'resume' })).toContain('mode: problem')
  })
})

describe('asking for a copy', () => {
  const point = {
    manifest: manifestOf(FILES),
    places: [{ kind: 'host', host: 'alpha', dir: DEFAULT_STORE } as const],
    marks: { pinned: false }
  }
  const question: RestoreQuestion = { point: POINT, to: 'alpha', mode: 'copy', newName: 'twin', replace: true }

  it('is a boot or a definition under a new UUID, and never replaces', () => {
    const spec = restoreSpec(orderFor(point, question))
    expect(spec).toMatchObject({ mode: 'boot', replace: false, vm: VM, copy: { name: 'twin' } })
    expect(spec.copy?.uuid).toMatch(/^[0-9a-f-]{36}$/)
    expect(spec.copy?.uuid).not.toBe(VM)
    expect(restoreSpec(orderFor(point, { ...question, start: false })).mode).toBe('define')
    expect(restoreSpec(orderFor(point, { ...question, mode: 'boot' }))).not.toHaveProperty('copy')
    expect(spec).not.toHaveProperty('allow')
    expect(restoreSpec(orderFor(point, { ...question, allow: ['read=/a'] })).allow).toEqual(['read=/a'])
  })

  it('has what was said to what the host found; what was chosen before is left aside only where that is said', () => {
    const boot: RestoreQuestion = { ...question, mode: 'boot' }
    const order = orderFor(point, { ...boot, attachDisks: ['vdb'], remembered: false })
    expect(restoreSpec(order)).toMatchObject({ attachDisks: ['vdb'] })
    expect(order.remembered).toEqual([])
    expect(orderFor(point, boot)).not.toHaveProperty('remembered')
    expect(restoreSpec(orderFor(point, boot))).not.toHaveProperty('attachDisks')
  })

  it('is refused without a name that a VM can have', () => {
    expect(() => newCopy('a/b')).toThrow(/usage.*slash/)
    const { newName: _, ...nameless } = question
    expect(() => orderFor(point, nameless)).toThrow(/usage/)
  })
})
