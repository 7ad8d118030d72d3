import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { listPoints } from '../../store/point-store.ts'
import { removeTrashed, settleTrash } from '../../store/move-to-trash.ts'
import { expiryOf, listTrash, type Trashed } from '../../store/trash.ts'
import { lockVm } from '../jobs/vm-lock.ts'
import { clockNow, hostClockProblem } from '../retention/clock.ts'
import { whileAloneIn } from '../retention/store-lock.ts'
import type { Finding } from './doctor.ts'

/** What retention has thrown away in these stores and not yet removed. Only what is over its grace can be. */
export async function trashIn(shell: Shell, stores: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const store of stores) {
    const trash = await listTrash(store)
    if (trash.length === 0) continue
    const { points } = await listPoints(store)
    const times = points.map(({ takenAt }) => takenAt)
    const clock = await hostClockProblem(shell, times, clockNow())
    for (const trashed of trash) findings.push(findingOf(trashed, clock))
  }
  return findings
}

function findingOf(trashed: Trashed, clock: string | undefined): Finding {
  const { store, vm, point, note, dir } = trashed
  const what = `point ${point} of VM ${vm} is in the trash of ${store}: ${note?.why ?? `its note cannot be read (${dir})`}`
  if (isHalf(trashed)) return { kind: 'trash', what, remedy: 'end what was begun', repair: () => settle(store, vm) }
  const expiry = expiryOf(trashed)
  if (expiry === undefined)
    return { kind: 'trash', what, remedy: 'look at it, and remove its folder if nobody needs it' }
  const when = expiry.toISOString().slice(0, 16).replace('T', ' ')
  if (expiry > clockNow())
    return { kind: 'trash', what, remedy: `it goes after ${when} UTC, with a run that takes a good new point` }
  if (clock !== undefined) return { kind: 'trash', what, remedy: `it stays for now: ${clock}` }
  return { kind: 'trash', what, remedy: 'remove it: its grace is over', repair: () => remove(trashed) }
}

const isHalf = ({ whole, pinned }: Trashed): boolean => !whole || pinned

const settle = (store: string, vm: Uuid): Promise<unknown> => alone(store, vm, () => settleTrash(store, vm))

/** Looks again under the lock: a run may have come in between, or a pin. */
function remove({ store, vm, point }: Trashed): Promise<unknown> {
  return alone(store, vm, async () => {
    await settleTrash(store, vm)
    const still = (await listTrash(store, vm)).filter((trashed) => trashed.point === point)
    for (const trashed of still) await removeTrashed(trashed)
  })
}

async function alone<T>(store: string, vm: Uuid, work: () => Promise<T>): Promise<T> {
  const lock = await lockVm(vm, vm, 'doctor')
  try {
    return await whileAloneIn(store, work)
  } finally {
    await lock.release()
  }
}
