import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import type { KnownPoint } from '../../../src/main/core/points/point-places.ts'
import { preflight, startRestore } from '../../../src/main/core/points/points.ts'
import type { RestoreOrder } from '../../../src/main/core/points/restore-order.ts'
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
const small = { manifest: JSON.stringify(manifestOf(FILES)), domain: '<domain/>', host: '{}' }

function coreAsking(
  asked: unknown[],
  found: readonly unknown[] = items,
  without: readonly string[] = [],
  restoreChoices: readonly unknown[] = [],
  shells: Readonly<Record<string, Shell>> = {}
): Core {
  const call = (host: string) => (verb: string, question: object) => {
    asked.push([host, verb, question])
    if (verb === 'read-small' && without.includes(host))
      return Promise.reject(new StillpointError({ kind: 'not-found', what: 'point', name: POINT }))
    if (verb === 'submit') return Promise.resolve({})
    return Promise.resolve(verb === 'read-small' ? small : found)
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
  point: { manifest: manifestOf(FILES), places, marks: { pinned: false } },
  to: 'beta',
  mode: 'boot',
  replace: false,
  diskDir: undefined
})

const begunHere: unknown[] = []

describe('going on where the VM was', () => {
  it('is refused where the host has the point without its RAM, with what to do', async () => {
    const there = { kind: 'host', host: 'beta', dir: DEFAULT_STORE } as const
    const withRam = manifestOf(FILES, { memory: { file: 'memory.save', ramBytes: 9 } })
    const point: KnownPoint = {
      manifest: withRam,
      places: [{ kind: 'host', host: 'alpha', dir: DEFAULT_STORE }, there],
      otherwise: { manifest: manifestOf(FILES), places: [there] },
      marks: { pinned: false }
    }
    const asked: unknown[] = []
    const order = { point, to: 'beta', mode: 'resume', replace: false, diskDir: undefined } as const
    await expect(startRestore(coreAsking(asked), order, { onProgress: () => undefined })).rejects.toThrow(
      `stillpoint delete ${POINT} --in beta`
    )
    expect(asked).toEqual([])
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
    expect(view.bytesToMove).toBe(sizeBytesOf(manifestOf(FILES)))
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
    expect((await preflight(rebuilt, order(places))).bytesToMove).toBe(sizeBytesOf(manifestOf(FILES)))
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
