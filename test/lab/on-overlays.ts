import { dirname } from 'node:path'
import { expect } from 'vitest'
import type { BackupSpec, JobReport } from '../../src/shared/model/job.ts'
import { backupSpec, type BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import { isContiguous, isOneBoot } from './ticks.ts'

/**
 * Takes a backup (a live one, of a VM that runs), does something while its VM is on overlays, and lets the job go on to its end. It is held at a fault
 * point, so that the moment is the same on any machine.
 */
export async function whileOnOverlays(
  engine: BareEngine,
  guest: Guest,
  act: () => Promise<unknown>,
  point = 'copy.done',
  options: Partial<BackupSpec> = {}
): Promise<JobReport> {
  const { host } = engine
  const id = await engine.submit(backupSpec(guest, options), `${point}:1:hold`)
  await heldAt(host, point, id)
  const toItsEnd = async (): Promise<JobReport> => {
    await letGo(host, point, id)
    return engine.endOf(id)
  }
  try {
    if ((await guest.state()) === 'running') await guest.waitForMoreTicks(2)
    await act()
  } catch (error) {
    await toItsEnd() // the next case finds the VM as it was
    throw error
  }
  return toItsEnd()
}

/** An overlay of ours, in a path. */
export const OVERLAY = /\.stillpoint-2/

/** Live and defined disks name no overlay, and no overlay of any kind lies beside them. */
export async function hasOwnDisks(guest: Guest): Promise<void> {
  const folders = [...new Set(guest.disks.map(({ path }) => dirname(path)))].join(' ')
  const named = await guest.host.must(
    `virsh -q domblklist ${guest.uuid}; virsh -q domblklist ${guest.uuid} --inactive; ls ${folders}`
  )
  expect(named).not.toMatch(OVERLAY)
}

/** It has never stood still for good, nor booted, nor lost a count since then. */
export async function goesOn(guest: Guest, since: number): Promise<void> {
  await guest.waitForMoreTicks(3)
  const ticks = guest.ticks().filter(({ counter }) => counter >= since)
  expect(isOneBoot(ticks)).toBe(true)
  expect(isContiguous(ticks)).toBe(true)
}

/** Waits for a boot that counts on from at least this tick, and looks how it found its disks. */
export async function foundAtBoot(guest: Guest, written: number): Promise<void> {
  await guest.waitForTick(written + 1)
  for (const { lastTick, state } of guest.boots().at(-1)?.disks ?? []) {
    expect(lastTick).toBeGreaterThanOrEqual(written)
    expect(state).not.toBe('damaged')
  }
}
