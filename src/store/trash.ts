import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { fail } from '../shared/failure.ts'
import { PointId, PolicyName, Uuid } from '../shared/model/ids.ts'
import { openRegular, readExactly } from './file-io.ts'
import { MANIFEST_NAME, TRASH_NAME, trashDir } from './layout.ts'
import { pointOfMarks, readMarks } from './marks.ts'
import { entriesOf, lstatOrNone } from './point-files.ts'
import { namesIn } from './point-store.ts'
import { parseStrictJson } from './strict-json.ts'

/** Beside a point in the trash, `<point-id>.trash.json`: written before it is moved there, removed after it has left. */
export const TrashNote = z.object({
  /** By a clock that was believed then. */
  at: z.iso.datetime(),
  policy: PolicyName,
  why: z.string().max(1000),
  graceHours: z.number().nonnegative()
})
export type TrashNote = z.infer<typeof TrashNote>

export const notePath = (dir: string): string => `${dir}.trash.json`
const NOTE_NAME = /^(?<point>[^.]+)\.trash\.json(\.new)?$/
const MAX_NOTE_BYTES = 16 * 1024

export interface Trashed {
  readonly store: string
  readonly vm: Uuid
  readonly point: PointId
  readonly dir: string
  /** Undefined if it cannot be read: then it stays until somebody looks. */
  readonly note: TrashNote | undefined
  /** False: the point is not there, or its removal has begun. */
  readonly whole: boolean
  readonly pinned: boolean
  /** What it takes on disk. */
  readonly bytes: number
}

/** All that is in the trash of a store, or of one VM in it, oldest first for each VM. */
export async function listTrash(store: string, vm?: Uuid): Promise<Trashed[]> {
  const trash = join(store, TRASH_NAME)
  await requireDirectory(trash)
  const vms = vm === undefined ? (await namesIn(trash)).filter((name) => Uuid.safeParse(name).success) : [vm]
  const all: Trashed[] = []
  for (const uuid of vms)
    for (const point of await pointsIn(join(trash, uuid))) all.push(await look(store, uuid, point))
  return all
}

/** A symlink could lead anywhere. */
export async function requireDirectory(dir: string): Promise<void> {
  const stats = await lstatOrNone(dir)
  if (stats !== undefined && !stats.isDirectory())
    fail({ kind: 'bad-output', what: dir, detail: 'it is not a directory' })
}

async function pointsIn(dir: string): Promise<PointId[]> {
  await requireDirectory(dir)
  const ids = (await namesIn(dir)).flatMap((name) => {
    const id = NOTE_NAME.exec(name)?.groups?.['point'] ?? pointOfMarks(name) ?? name
    return PointId.safeParse(id).success ? [id] : []
  })
  return [...new Set(ids)].sort()
}

async function look(store: string, vm: Uuid, point: PointId): Promise<Trashed> {
  const dir = trashDir(store, vm, point)
  const [note, marks, manifest, bytes] = await Promise.all([
    readNote(dir),
    readMarks(dir),
    lstatOrNone(join(dir, MANIFEST_NAME)),
    allocatedBytes(dir)
  ])
  return { store, vm, point, dir, note, whole: manifest !== undefined, pinned: marks?.pinned === true, bytes }
}

async function readNote(dir: string): Promise<TrashNote | undefined> {
  const path = notePath(dir)
  try {
    const file = await openRegular(path, (detail) => fail({ kind: 'bad-output', what: path, detail }))
    try {
      const bytes = new Uint8Array(Math.min((await file.stat()).size, MAX_NOTE_BYTES))
      await readExactly(file, bytes, 0, path)
      return TrashNote.parse(parseStrictJson(bytes))
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}

async function allocatedBytes(dir: string): Promise<number> {
  if ((await lstatOrNone(dir))?.isDirectory() !== true) return 0
  let sum = 0
  for await (const path of entriesOf(dir)) {
    const stats = await lstat(join(dir, path))
    if (stats.isFile()) sum += stats.blocks * 512
  }
  return sum
}

/** The instant from which it may be removed. Undefined: not by itself. */
export function expiryOf({ note }: Trashed, graceHours = note?.graceHours): Date | undefined {
  if (note === undefined || graceHours === undefined) return undefined
  return new Date(Date.parse(note.at) + graceHours * 3_600_000)
}
