import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import type { KnownPoint } from '../../../src/main/core/points/point-places.ts'
import { preflight, startRestore } from '../../../src/main/core/points/points.ts'
import type { RestoreOrder } from '../../../src/main/core/points/restore-order.ts'
import type { Place } from '../../../src/main/core/settings/settings-schema.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import { DEFAULT_STORE } from '../../../src/shared/host-paths.ts'
import { sizeBytesOf } from '../../../src/shared/model/point.ts'
import type { Shell } from '../../../src/shared/shell.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { FILES, POINT, VM, makePoint, manifestOf, temporaryStore } from '../store-points.ts'

const vm = { uuid: '99999999-2222-4333-8444-555555555555', name: 'web <1>' }
const items = [
  { check: 'point', state: 'ok', text: 'x' },
  { check: 'existing VM', state: 'problem', text: 'a VM of this name exists here', vm }
] as const
const SMALL = { ...FILES, 'host.json': new TextEncoder().encode('{}') }
const small = { manifest: JSON.stringify(manifestOf(SMALL)), domain: '<domain/>\n', host: '{}' }

function coreAsking(
  asked: unknown[],
  found: readonly unknown[] = items,
  without: readonly string[] = [],
  restoreChoices: readonly unknown[] = [],
  shells: Readonly<Record<string, Shell>> = {},
  texts = small
): Core {
  const call = (host: string) => (verb: string, question: object) => {
    asked.push([host, verb, question])
    if (verb === 'read-small' && without.includes(host))
      return Promise.reject(new StillpointError({ kind: 'not-found', what: 'point', name: POINT }))
    if (verb === 'submit') return Promise.resolve({})
    return Promise.resolve(verb === 'read-small' ? texts : found)
  }
  const hosts = ['alpha', 'beta'].map((name) => ({ name, address: name, restoreChoices }))
  return {
    settings: { read: () => ({ hosts }) },
    history: { addBegun: (begun: unknown) => Promise.resolve(void begunHere.push(begun)) },
    connections: {
      engine: (host: string) => Promise.resolve({ call: call(host) }),
      connected: (host: string) => Promise.resolve(shells[host] && { shell: shells[host] })
    }
  } as unknown as Core
}

const order = (places: KnownPoint['places']): RestoreOrder => ({
  point: { manifest: manifestOf(SMALL), places, marks: { pinned: false } },
  to: 'beta',
  mode: 'boot',
  replace: false,
  diskDir: undefined
})

const begunHere: unknown[] = []

describe('going on where the VM was', () => {
  const on = (host: string) => ({ kind: 'host', host, dir: DEFAULT_STORE }) as const
  const here = { kind: 'local', dir: '/mnt/usb/points' } as const
  /** The one with RAM, from which it would come, and the one without, where it is to go on. */
  const resumed = (withRam: Place, without: Place, change: Partial<KnownPoint> = {}): RestoreOrder => ({
    point: {
      manifest: manifestOf(SMALL, { memory: { file: 'memory.save', ramBytes: 9 } }),
      places: [withRam, without],
      otherwise: { manifest: manifestOf(SMALL), places: [without] },
      marks: { pinned: false },
      ...change
    },
    to: without.kind === 'host' ? without.host : '',
    mode: 'resume',
    replace: false,
    diskDir: undefined
  })
  const refusalOf = async (order: RestoreOrder, asked: unknown[] = []): Promise<string> =>
    startRestore(coreAsking(asked), order, { onProgress: () => undefined }).then(
      () => '',
      (error: unknown) => String(error)
    )
  const own = on('alpha')

  it('is refused where the host has the point without its RAM, with what to do', async () => {
    const asked: unknown[] = []
    expect(await refusalOf(resumed(own, on('beta')), asked)).toContain(`stillpoint delete ${POINT} --in beta`)
    expect(await refusalOf(resumed(here, on('beta')), asked)).toContain(`stillpoint delete ${POINT} --in beta`)
    expect(asked).toEqual([
      ['beta', 'read-small', expect.anything()],
      ['beta', 'read-small', expect.anything()]
    ])
  })

  it.each([
    ['what another host says is as good', resumed(on('evil'), on('beta'))],
    ['the copy without is that of its own host', resumed(on('evil'), own)],
    ['the copy without is that of its own host, whatever this computer has', resumed(here, own)],
    ['another host sent the RAM to this computer', resumed(here, on('beta'), { secondHand: [here] })],
    ['another host sent it to its own', resumed(own, on('beta'), { secondHand: [own] })],
    ['the one with RAM is damaged', resumed(own, on('beta'), { verdicts: [{ at: '', good: false }, undefined] })]
  ])('costs nobody a true copy: %s', async (_why, order) => {
    const refusal = await refusalOf(order)
    expect(refusal).toContain('without its RAM')
    expect(refusal).toContain('--mode boot')
    expect(refusal).toContain('another host')
    expect(refusal).not.toContain('delete')
  })

  it('is refused too where it is what a point with RAM gets by itself, and a boot is not', async () => {
    const order = resumed(own, on('beta'))
    expect(await refusalOf({ ...order, mode: undefined })).toContain('without its RAM')
    expect(await refusalOf({ ...order, mode: 'boot' })).toBe('')
  })

  it('is a problem in the check before, in the place of the boot that its host would make of it', async () => {
    const found = [{ check: 'mode', state: 'warning', text: 'The point holds no RAM, so the VM is booted' }, items[0]]
    const { items: said } = await preflight(coreAsking([], found), resumed(own, on('beta')))
    expect(said).toMatchObject([{ check: 'mode', state: 'problem' }, items[0]])
    expect(said[0]?.fix).toContain('--mode boot')
    const booted = { ...resumed(own, on('beta')), mode: 'boot' } as const
    expect((await preflight(coreAsking([], found), booted)).items).toEqual(found)
  })

  it('goes by what the host has now: rebuilt since it was asked, it gets the RAM from elsewhere', async () => {
    const withRam = manifestOf(SMALL, { memory: { file: 'memory.save', ramBytes: 9 } })
    const rebuilt = coreAsking([], items, ['beta'], [], {}, { ...small, manifest: JSON.stringify(withRam) })
    expect((await preflight(rebuilt, resumed(own, on('beta')))).items).toEqual(items)
  })

  it('is refused where the point has no RAM, and who says to have it with RAM is named', async () => {
    const order = resumed(own, on('beta'))
    const { manifest, otherwise } = order.point
    const bare = { ...order, point: { ...order.point, manifest: otherwise?.manifest ?? manifest } }
    const point = { ...bare.point, otherwise: { manifest, places: [own] } }
    expect(await refusalOf({ ...bare, point })).toContain(`name it: alpha/${POINT}`)
    expect((await preflight(coreAsking([]), { ...bare, point })).items[0]).toMatchObject({ state: 'problem' })
  })
})

describe('checking a restore', () => {
  it('asks the target alone where it has the point', async () => {
    const asked: unknown[] = []
    const view = await preflight(coreAsking(asked), order([{ kind: 'host', host: 'beta', dir: '/srv/points' }]))
    expect(view).toEqual({ items, bytesToMove: 0, replaces: vm })
    expect(asked).toEqual([
      ['beta', 'preflight', { spec: expect.objectContaining({ store: '/srv/points' }) as object }]
    ])
  })

  it('brings the small files from a host that has it, and says what would have to be moved', async () => {
    const asked: unknown[] = []
    const view = await preflight(coreAsking(asked), order([{ kind: 'host', host: 'alpha', dir: DEFAULT_STORE }]))
    expect(view.bytesToMove).toBe(sizeBytesOf(manifestOf(SMALL)))
    expect(asked).toMatchObject([
      ['alpha', 'read-small', { store: DEFAULT_STORE, point: POINT }],
      ['beta', 'preflight', { files: small }]
    ])
  })

  it('goes by what the target has now: rebuilt since it was asked, it gets the point from elsewhere', async () => {
    const asked: unknown[] = []
    const places = ['beta', 'alpha'].map((host) => ({ kind: 'host', host, dir: DEFAULT_STORE }) as const)
    expect((await preflight(coreAsking(asked), order(places))).bytesToMove).toBe(0)
    const rebuilt = coreAsking(asked, items, ['beta'])
    expect((await preflight(rebuilt, order(places))).bytesToMove).toBe(sizeBytesOf(manifestOf(SMALL)))
    expect(asked.slice(-2)).toMatchObject([
      ['alpha', 'read-small', { store: DEFAULT_STORE, point: POINT }],
      ['beta', 'preflight', { files: small }]
    ])
  })

  it('reads them here where the point is on this computer', async () => {
    const store = await temporaryStore()
    const { manifest } = await makePoint(store, { ...FILES, 'host.json': new TextEncoder().encode('{"a":1}') })
    const asked: unknown[] = []
    const here = order([{ kind: 'local', dir: store }])
    const view = await preflight(coreAsking(asked, []), { ...here, point: { ...here.point, manifest } })
    expect(view).not.toHaveProperty('replaces')
    expect(asked).toMatchObject([['beta', 'preflight', { files: { domain: '<domain/>\n', host: '{"a":1}' } }]])
  })

  it('asks with what was chosen now, and with what was chosen for the host before', async () => {
    const asked: unknown[] = []
    const places = [{ kind: 'host', host: 'beta', dir: '/srv/points' }] as const
    const chosen = [{ kind: 'auto-ports' }] as const
    const core = coreAsking(asked, items, [], [{ kind: 'drop-pins' }])
    await preflight(core, { ...order([...places]), choices: chosen })
    await preflight(core, { ...order([...places]), remembered: [] })
    const specs = (asked as [string, string, { spec: object }][]).map(([, , { spec }]) => spec)
    expect(specs[0]).toMatchObject({ choices: chosen, remembered: [{ kind: 'drop-pins' }] })
    expect(specs[1]).not.toHaveProperty('choices')
    expect(specs[1]).not.toHaveProperty('remembered')
  })

  it('says, as the restore itself does, that the VM is on another host, or that the host of the point is silent', async () => {
    const alpha = fakeShell({
      virsh: ({ argv: [, verb] }) =>
        verb === 'domstate'
          ? 'running (booted)'
          : verb === 'dominfo'
            ? 'Persistent: yes\nAutostart: enable'
            : `<domain type='kvm'><name>web</name><uuid>${VM}</uuid></domain>`
    })
    const twins = [{ host: 'alpha', machineId: '', name: 'web', state: 'running', autostart: true, images: [] }]
    const asked: unknown[] = []
    const here = order([{ kind: 'host', host: 'beta', dir: '/srv/points' }])
    const copy = { ...here, copy: { name: 'c', uuid: vm.uuid } }
    const options = { onProgress: () => undefined }
    const core = coreAsking(asked, [], [], [], { alpha })
    await preflight(core, here)
    begunHere.length = 0
    await startRestore(core, here, options)
    await startRestore(core, { ...here, mode: 'define' }, options)
    const of = { point: POINT, vm: { uuid: VM }, takenAt: manifestOf(FILES).takenAt, places: ['beta:/srv/points'] }
    expect(begunHere).toMatchObject([{ host: 'beta', ...of }])
    const [, [, , submitted] = []] = asked as [string, string, { id: string }][]
    expect(begunHere).toMatchObject([{ job: submitted?.id }])
    asked.splice(2, 1)
    await preflight(core, copy)
    await preflight(coreAsking(asked, []), here)
    const specs = (asked as [string, string, { spec: object }][]).map(([, , { spec }]) => spec)
    expect(specs.slice(0, 2)).toMatchObject([{ twins }, { twins }])
    expect(specs[2]).not.toHaveProperty('twins')
    expect(specs[3]).toMatchObject({ twins: [], originAway: 'alpha' })
  })

  it('knows no host that was not added', async () => {
    await expect(preflight(coreAsking([]), { ...order([]), to: 'gamma' })).rejects.toThrow(/not-found/)
  })
})
