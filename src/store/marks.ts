import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail } from '../shared/failure.ts'
import { PointId } from '../shared/model/ids.ts'
import { NO_MARKS, isMarked, withMarks } from '../shared/point-marks.ts'
import { PointMarks, type MarksChange } from '../shared/views/point-view.ts'
import { syncDir, writeDurably } from './durable.ts'
import { isCode, openRegular, readExactly } from './file-io.ts'
import { parseStrictJson } from './strict-json.ts'

/** `<store>/<vm-uuid>/<point-id>.marks.json`, beside the point's directory: the point itself stays as it was. */
export const marksPath = (dir: string): string => `${dir}.marks.json`
/** With its ending, as a crash leaves what was being written. */
const MARKS_NAME = /^(?<point>[^.]+)\.marks\.json(\.new)?$/
/** A note of the longest, each character escaped, and room to spare. */
const MAX_MARKS_BYTES = 16 * 1024

/** The point whose marks a file of this name holds. */
export function pointOfMarks(name: string): PointId | undefined {
  const id = PointId.safeParse(MARKS_NAME.exec(name)?.groups?.['point'])
  return id.success ? id.data : undefined
}

/** Undefined without marks, and for a file that is not ours to believe: too large, not a plain file, not our JSON. */
export async function readMarks(dir: string): Promise<PointMarks | undefined> {
  try {
    const marks = PointMarks.safeParse(parseStrictJson(await bytesOf(marksPath(dir))))
    return marks.success ? marks.data : undefined
  } catch {
    return undefined
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  const refuse = (detail: string): never => fail({ kind: 'bad-output', what: path, detail })
  const file = await openRegular(path, refuse)
  try {
    const { size } = await file.stat()
    if (size > MAX_MARKS_BYTES) return refuse('it is too large')
    const bytes = new Uint8Array(size)
    await readExactly(file, bytes, 0, path)
    return bytes
  } finally {
    await file.close()
  }
}

/** Changes the marks of the point in this directory; on disk when this ends. Returns them as they are now. */
export function changeMarks(dir: string, change: MarksChange): Promise<PointMarks> {
  return inTurn(marksPath(dir), async () => {
    const marks = withMarks((await readMarks(dir)) ?? NO_MARKS, change)
    if (isMarked(marks)) await writeDurably(marksPath(dir), new TextEncoder().encode(`${JSON.stringify(marks)}\n`))
    else {
      await removeMarks(dir)
      await syncDir(dirname(dir))
    }
    return marks
  })
}

/** Marks follow their point to another directory, and replace what lies there. Nothing happens if it has none. */
export async function moveMarks(from: string, to: string): Promise<void> {
  const none = (error: unknown): 'none' => {
    if (!isCode(error, 'ENOENT')) throw error
    return 'none'
  }
  if ((await rename(marksPath(from), marksPath(to)).catch(none)) === 'none') return
  for (const dir of [to, from]) await syncDir(dirname(dir))
}

export async function removeMarks(dir: string): Promise<void> {
  for (const path of [marksPath(dir), `${marksPath(dir)}.new`]) await rm(path, { force: true })
}

const turns = new Map<string, Promise<unknown>>()

/** One after the other for each file: a pin and a verdict that come together must both be there in the end. */
function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const now = (turns.get(path) ?? Promise.resolve()).then(work, work)
  turns.set(path, now)
  return now.finally(() => {
    if (turns.get(path) === now) turns.delete(path)
  })
}
