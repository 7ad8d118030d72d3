import { fail } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { domainState } from '../../libvirt/domains.ts'
import { isLocked } from '../../libvirt/qemu-img.ts'
import { openersOf } from '../evidence/image-users.ts'
import { stampOf } from './change-stamp.ts'
import { imageBelow, type CapturePlan, type StillDisk } from './capture-plan.ts'

/** How a VM that is off stands: if all of it is the same later, nothing was written to its disks in between. */
export interface AtRest {
  /** libvirt's log of it: each start adds to it, also one that is over before anybody looks. */
  readonly log: string
  /** By path. */
  readonly images: ReadonlyMap<string, string>
}

/** @throws `vm-state` if the VM is not off, `foreign-work` if somebody has one of its images open for writing */
export async function requireAtRest(shell: Shell, plan: CapturePlan): Promise<AtRest> {
  const state = await domainState(shell, plan.vm)
  if (state?.state !== 'shut off')
    fail({ kind: 'vm-state', vm: plan.vmName, state: state?.state ?? 'gone', wanted: 'shut off' })
  const log = await stampOf(`/var/log/libvirt/qemu/${plan.vmName}.log`)
  const images = new Map<string, string>()
  for (const disk of disksHere(plan)) {
    const { path, format } = imageBelow(disk)
    images.set(path, await stampOf(path))
    await requireUnopened(shell, plan, { target: disk.target, path, format })
  }
  if (plan.savedMemory !== undefined) images.set(plan.savedMemory.path, await stampOf(plan.savedMemory.path))
  return { log, images }
}

/** @throws what `requireAtRest` throws, and `vm-state` if the VM was started in between, or an image written to */
export async function requireStillAtRest(shell: Shell, plan: CapturePlan, before: AtRest): Promise<void> {
  const now = await requireAtRest(shell, plan)
  const changed = [...before.images].filter(([path, stamp]) => now.images.get(path) !== stamp).map(([path]) => path)
  if (now.log !== before.log)
    fail({ kind: 'vm-state', vm: plan.vmName, state: 'started while it was copied', wanted: 'shut off' })
  if (changed.length > 0)
    fail({ kind: 'foreign-work', vm: plan.vmName, detail: `${changed.join(', ')} was written to while it was copied` })
}

/** A server does not say who has its disks open, nor when they were written to. */
const disksHere = ({ disks, still }: CapturePlan): StillDisk[] =>
  [...disks, ...still].filter(({ type }) => type !== 'network')

async function requireUnopened(
  shell: Shell,
  { vmName: vm }: CapturePlan,
  { target, path, format }: { target: string; path: string; format: string }
): Promise<void> {
  const [writer] = (await openersOf(path)).filter(({ writes }) => writes)
  if (writer !== undefined)
    fail({
      kind: 'foreign-work',
      vm,
      detail: `${writer.program} (process ${writer.pid}) has ${target} open for writing (${path})`
    })
  if ((await isLocked(shell, path, format)) === true)
    fail({
      kind: 'foreign-work',
      vm,
      detail: `somebody has ${target} open for writing (${path}), perhaps on another host`
    })
}
