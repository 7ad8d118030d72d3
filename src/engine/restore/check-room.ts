import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { sizeBytesOf } from '../../shared/model/point.ts'
import { freeBytesAt } from '../../store/file-io.ts'
import type { Checklist } from './checklist.ts'
import type { PlanSource } from './plan-source.ts'
import type { RestoreDisk } from './restore-plan.ts'

interface Need {
  readonly folder: string
  readonly bytes: number
  readonly what: ReadonlySet<string>
}

/** Each file system must hold all that goes there: the disks, and the point if it is still elsewhere. */
export async function checkRoom(source: PlanSource, disks: readonly RestoreDisk[], list: Checklist): Promise<void> {
  const needs = needsOf(source, disks)
  for (const { folder, bytes, what } of needs) {
    const freeBytes = await freeBytesAt(folder)
    const forWhat = [...what].join(' and ')
    if (freeBytes >= bytes) list.ok('room', `${folder} has room for ${forWhat}`)
    else
      list.problem(
        'room',
        `${folder} has too little room for ${forWhat}`,
        'free some room there, or name another folder',
        { kind: 'no-room', path: folder, forWhat, neededBytes: bytes, freeBytes }
      )
  }
  if (needs.length === 0) list.ok('room', `${sizeBytesOf(source.manifest)} bytes`)
}

function needsOf({ manifest, dir, isHere }: PlanSource, disks: readonly RestoreDisk[]): Need[] {
  const sizes = new Map(manifest.files.map(({ path, sizeBytes }) => [path, sizeBytes]))
  const point = isHere ? [] : [{ path: dir, bytes: sizeBytesOf(manifest), what: 'the point' }]
  const needs = new Map<number, Need>()
  for (const { path, bytes, what } of [
    ...point,
    ...disks.map((disk) => ({ path: disk.path, bytes: sizes.get(disk.file) ?? 0, what: 'the disks' }))
  ]) {
    const folder = existingFolder(path)
    const { dev } = statSync(folder)
    const need = needs.get(dev) ?? { folder, bytes: 0, what: new Set() }
    needs.set(dev, { folder: need.folder, bytes: need.bytes + bytes, what: new Set([...need.what, what]) })
  }
  return [...needs.values()]
}

function existingFolder(path: string): string {
  let folder = dirname(path)
  while (!existsSync(folder)) folder = dirname(folder)
  return folder
}
