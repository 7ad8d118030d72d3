import type { CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import type { Uuid } from '../../src/shared/model/ids.ts'

/** A plan for the disks of a VM called web that runs on a libvirt on paper. */
export const paperPlan = (vm: Uuid, definition: string, more: Partial<CapturePlan> = {}): CapturePlan => ({
  vm,
  vmName: 'web',
  method: 'disk',
  methodReason: 'as asked',
  stateBefore: 'running',
  persistent: true,
  autostart: false,
  ramBytes: 1024,
  disks: [],
  still: [],
  excluded: [],
  agent: 'none',
  definition,
  seen: [],
  plugged: [],
  boot: [],
  media: [],
  pointDir: '/nowhere',
  ...more
})
