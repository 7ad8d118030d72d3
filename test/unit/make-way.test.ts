import type { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { tmpdir } from 'node:os'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { imageUsers } from '../../src/engine/evidence/image-users.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { displace } from '../../src/engine/restore/displace.ts'
import { lookAtVmInTheWay } from '../../src/engine/restore/displaced-vm.ts'
import type * as HostPaths from '../../src/shared/host-paths.ts'
import type { RestoreSpec } from '../../src/shared/model/job.ts'
import { paperLibvirt, type PaperVm } from './paper-libvirt.ts'
import { POINT, VM } from './store-points.ts'

const state = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) => {
  const { mkdtempSync: make } = await vi.importActual<{ mkdtempSync: typeof mkdtempSync }>('node:fs')
  const { tmpdir: temporary } = await vi.importActual<{ tmpdir: typeof tmpdir }>('node:os')
  state.dir = make(`${temporary()}/stillpoint-state-`)
  return { ...(await original<typeof HostPaths>()), ASIDE_DIR: `${state.dir}/aside` }
})
afterAll(() => rm(state.dir, { recursive: true, force: true }))

const domain = (image = '/srv/old.qcow2'): string =>
  `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`

describe('a VM that is about to make way, whose owner', () => {
  interface Owner {
    /** Between the look at it and the displacing. */
    readonly before?: (vm: PaperVm) => void
    /** While it is being stopped. */
    readonly during?: (vm: PaperVm) => void
    readonly persistent?: boolean
    /** What libvirt has records of, look by look; later looks are as the last one. */
    readonly snapshots?: readonly (readonly string[])[]
    readonly refused?: RegExp
  }

  /** What is done by a displacing to a VM whose owner does something meanwhile. It stays. */
  async function makeWay(owner: Owner): Promise<string[]> {
    const { before, during, persistent = true, snapshots = [[]], refused = /foreign-work.*was changed/ } = owner
    const { shell, vms } = paperLibvirt({ [VM]: { next: domain(), ...(during && { live: domain() }) } })
    const users = (): ReturnType<typeof imageUsers> => imageUsers(shell)
    const request = { jobId: POINT, targets: undefined, attached: new Set<string>(), setsJobsAside: true }
    const { vm } = await lookAtVmInTheWay(shell, VM, { ...request, users: await users() })
    const present = vms.get(VM)
    if (present === undefined) throw new Error(VM)
    let looks = 0
    Object.defineProperty(present, 'snapshots', {
      get: () => snapshots[Math.min(looks++, snapshots.length - 1)]
    })
    before?.(present)
    const asked = shell.calls.length
    const step = async (_: string, __: object, work: () => Promise<void>): Promise<void> => {
      await work()
      during?.(present)
    }
    const job = { id: POINT, shell, spec: {}, step } as unknown as JobContext<RestoreSpec>
    await expect(displace(job, { displaced: [{ ...vm, persistent }], orphans: [] })).rejects.toThrow(refused)
    expect(vms.has(VM)).toBe(true)
    return shell.calls.slice(asked).map(({ argv: [, verb = ''] }) => verb)
  }

  const change = (vm: PaperVm): void => {
    vm.next = domain('/srv/new.qcow2')
  }

  it('changes its definition just then, stays as its owner has it', async () => {
    const verbs = await makeWay({ before: change })
    expect(verbs).not.toContain('destroy')
    expect(verbs).not.toContain('undefine')
  })

  it('changes its definition while it is being stopped, keeps that', async () => {
    const verbs = await makeWay({ during: change })
    expect(verbs).toContain('destroy')
    expect(verbs).not.toContain('undefine')
  })

  it('gives it a definition, which it had none of, keeps that', async () =>
    expect(await makeWay({ persistent: false })).not.toContain('undefine'))

  it('starts it again while it is being stopped, keeps it as it runs', async () => {
    const start = (vm: PaperVm): void => {
      vm.live = vm.next
    }
    const verbs = await makeWay({ during: start, refused: /foreign-work.*was started/ })
    expect(verbs).not.toContain('undefine')
  })

  it('takes a snapshot of it behind the look at those that it has, keeps all of them', async () => {
    const refused = /foreign-work.*snapshots or checkpoints were changed/
    expect(await makeWay({ snapshots: [['one'], ['one', 'two']], refused })).not.toContain('undefine')
  })

  it('takes the first one of it as its definition is taken away, keeps both', async () => {
    expect(await makeWay({ snapshots: [[], [], ['one']], refused: /cannot delete/ })).toContain('undefine')
  })
})
