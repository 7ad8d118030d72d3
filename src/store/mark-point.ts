import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { VerifyReport } from '../shared/engine-protocol.ts'
import { describeFailure } from '../shared/failure-words.ts'
import { fail, failureOf } from '../shared/failure.ts'
import { type PointId, Uuid } from '../shared/model/ids.ts'
import type { MarksChange, PointMarks } from '../shared/views/point-view.ts'
import { trashDir } from './layout.ts'
import { changeMarks, marksPath, pointOfMarks } from './marks.ts'
import { lstatOrNone } from './point-files.ts'
import { committedDirs, namesIn } from './point-store.ts'

/** Marks a point of the store, also a damaged one. `not-found` if there is none. */
export async function markPoint(store: string, id: PointId, change: MarksChange): Promise<PointMarks> {
  const [dir] = await committedDirs(store, id)
  return dir === undefined
    ? fail({ kind: 'not-found', what: 'point', name: id, where: store })
    : changeMarks(dir, change)
}

/** Writes the verdict beside the point. A store that takes no mark does not undo what was read: then the report says so. */
export async function noteVerdict(store: string, report: VerifyReport): Promise<VerifyReport> {
  const verified = { at: new Date().toISOString(), good: report.good }
  try {
    await markPoint(store, report.point, { verified })
    return report
  } catch (error) {
    return notNoted(report, error)
  }
}

/** What was read stands, and the report says why it is written nowhere. */
export function notNoted(report: VerifyReport, error: unknown): VerifyReport {
  const failure = failureOf(error)
  const why = 'detail' in failure ? failure.detail : describeFailure(failure).title
  return { ...report, notes: [...report.notes, `That it was checked could not be noted beside the point: ${why}`] }
}

/** Files of marks whose point is gone, and what a crash left of writing one. Those of points in the trash follow them there. */
export async function listStrayMarks(store: string): Promise<string[]> {
  const stray: string[] = []
  for (const vm of await namesIn(store)) {
    const dir = join(store, vm)
    if (!Uuid.safeParse(vm).success || !(await lstat(dir)).isDirectory()) continue
    for (const name of await readdir(dir)) if (await isStray(dir, name)) stray.push(join(dir, name))
  }
  return stray.sort()
}

async function isStray(dir: string, name: string): Promise<boolean> {
  const point = pointOfMarks(name)
  if (point === undefined || (await lstatOrNone(join(dir, name)))?.isDirectory() !== false) return false
  if (name !== marksPath(point)) return true
  const places = [join(dir, point), trashDir(dirname(dir), basename(dir), point)]
  return (await Promise.all(places.map(lstatOrNone))).every((stats) => stats === undefined)
}
