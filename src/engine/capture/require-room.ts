import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { stat } from 'node:fs/promises'
import { fail } from '../../shared/failure.ts'
import { freeBytesAt } from '../../store/file-io.ts'
import type { CapturePlan } from './capture-plan.ts'
import { LAST_RESERVE_BYTES } from './watch-room.ts'

const MIB = 1024 * 1024

/** A guest that rewrites RAM during the capture makes the image larger than its RAM; most stay well below a quarter. */
const RAM_GROWTH = 1.25
/** What a VM may write while its disks are copied, as a part of what they hold. */
const OVERLAY_PART = 0.1
const SMALLEST_OVERLAY = 64 * MIB

/** Room for RAM, copies and what the VM writes meanwhile, added up for each file system. @throws `no-room` */
export async function requireRoom(plan: CapturePlan, store: string): Promise<void> {
  mkdirSync(store, { recursive: true, mode: 0o700 })
  const needs = await needsByFileSystem(plan, store)
  for (const { path, forWhat, bytes } of needs.values()) {
    const freeBytes = await freeBytesAt(path)
    if (freeBytes < bytes)
      fail({ kind: 'no-room', path, forWhat: forWhat.join(' and '), neededBytes: bytes, freeBytes })
  }
}

interface Need {
  path: string
  bytes: number
  forWhat: string[]
}

async function needsByFileSystem(plan: CapturePlan, store: string): Promise<Map<number, Need>> {
  const needs = new Map<number, Need>()
  const add = async (path: string, bytes: number, forWhat: string): Promise<void> => {
    const { dev } = await stat(path)
    const need = needs.get(dev) ?? { path, bytes: LAST_RESERVE_BYTES, forWhat: [] }
    need.bytes += bytes
    if (!need.forWhat.includes(forWhat)) need.forWhat.push(forWhat)
    needs.set(dev, need)
  }
  if (plan.method === 'live' || plan.method === 'classic')
    await add(store, Math.ceil(plan.ramBytes * RAM_GROWTH), 'the RAM')
  for (const disk of plan.disks) {
    await add(store, disk.allocatedBytes, 'the copy of the disks')
    const folder = dirname(disk.sidecar)
    if (plan.method === 'classic') await add(folder, disk.allocatedBytes, 'the mirror of the disks')
    else if (plan.method !== 'offline')
      await add(folder, Math.max(SMALLEST_OVERLAY, disk.allocatedBytes * OVERLAY_PART), 'what the VM writes meanwhile')
  }
  return needs
}
