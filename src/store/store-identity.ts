import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import { fail } from '../shared/failure.ts'
import { Uuid } from '../shared/model/ids.ts'
import { makeDirs, writeDurably } from './durable.ts'
import { isCode, openRegular, readExactly } from './file-io.ts'
import { parseStrictJson } from './strict-json.ts'

/** Tells one store from another at the same path: a disk that is not mounted, or swapped. */
export const IDENTITY_NAME = '.stillpoint-store.json'
const MAX_BYTES = 4096
const Identity = z.object({ format: z.literal('stillpoint-store'), id: Uuid })

/** Undefined if it has none, or is not there. @throws `bad-output` for a file that is not ours to believe */
export async function readStoreIdentity(store: string): Promise<Uuid | undefined> {
  const path = join(store, IDENTITY_NAME)
  const bytes = await bytesOf(path).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error
    return undefined
  })
  if (bytes === undefined) return undefined
  const identity = Identity.safeParse(parsed(bytes))
  return identity.success
    ? identity.data.id
    : fail({ kind: 'bad-output', what: path, detail: 'it is no identity of a store' })
}

/** The store's identity; a store without one, or that is not there yet, is given one. On disk when this ends. */
export async function giveStoreIdentity(store: string): Promise<Uuid> {
  const known = await readStoreIdentity(store)
  if (known !== undefined) return known
  const identity = { format: 'stillpoint-store', id: randomUUID() }
  await makeDirs(store)
  await writeDurably(join(store, IDENTITY_NAME), new TextEncoder().encode(`${JSON.stringify(identity)}\n`))
  return identity.id
}

/** @throws `store-changed` unless the store at this path is the one that was there. */
export async function requireStore(store: string, expected: Uuid): Promise<void> {
  const found = await readStoreIdentity(store)
  if (found === expected) return
  const detail =
    found === undefined
      ? 'What is at this path carries no identity of a store: the disk is not mounted, or another one is.'
      : 'Another store lies at this path.'
  fail({ kind: 'store-changed', store, detail })
}

async function bytesOf(path: string): Promise<Uint8Array> {
  const refuse = (detail: string): never => fail({ kind: 'bad-output', what: path, detail })
  const file = await openRegular(path, refuse)
  try {
    const { size } = await file.stat()
    if (size > MAX_BYTES) return refuse('it is too large')
    const bytes = new Uint8Array(size)
    await readExactly(file, bytes, 0, path)
    return bytes
  } finally {
    await file.close()
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes)
  } catch {
    return undefined
  }
}
