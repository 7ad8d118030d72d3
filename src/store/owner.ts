import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { fail } from '../shared/failure.ts'
import { JobId } from '../shared/model/ids.ts'
import { writeDurably } from './durable.ts'
import { openRegular, readExactly } from './file-io.ts'
import { OWNER_NAME } from './layout.ts'
import { parseStrictJson } from './strict-json.ts'

/**
 * Who writes an unfinished point: stores are shared by hosts, and only the host that began one can say whether it is still
 * being written. The first file in its folder, gone when the point is complete.
 */
export const PointOwner = z.object({
  format: z.literal('stillpoint-owner'),
  machineId: z.string().max(64),
  bootId: z.string().max(64),
  /** As the operator calls the host. */
  host: z.string().max(255),
  job: JobId,
  /** By the clock of that host; for people. */
  since: z.iso.datetime()
})
export type PointOwner = z.infer<typeof PointOwner>

const MAX_BYTES = 4096

export const ownerPath = (dir: string): string => join(dir, OWNER_NAME)

export async function writeOwner(dir: string, owner: PointOwner): Promise<void> {
  await writeDurably(ownerPath(dir), new TextEncoder().encode(`${JSON.stringify(owner)}\n`))
}

/** Undefined without one, and for a file that is not ours to believe. */
export async function readOwner(dir: string): Promise<PointOwner | undefined> {
  try {
    const path = ownerPath(dir)
    const file = await openRegular(path, (detail) => fail({ kind: 'bad-output', what: path, detail }))
    try {
      const bytes = new Uint8Array(Math.min((await file.stat()).size, MAX_BYTES))
      await readExactly(file, bytes, 0, path)
      return PointOwner.parse(parseStrictJson(bytes))
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}

export async function removeOwner(dir: string): Promise<void> {
  for (const path of [ownerPath(dir), `${ownerPath(dir)}.new`]) await rm(path, { force: true })
}
