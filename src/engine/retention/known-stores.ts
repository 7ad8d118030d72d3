import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { fail } from '../../shared/failure.ts'
import { STORES_FILE } from '../../shared/host-paths.ts'
import { Uuid } from '../../shared/model/ids.ts'
import { makeDirs, writeDurably } from '../../store/durable.ts'
import { isCode } from '../../store/file-io.ts'
import { giveStoreIdentity, readStoreIdentity, requireStore } from '../../store/store-identity.ts'
import { dirname } from 'node:path'

/** `stores.json`: which store this host has seen at which path. */
const KnownStores = z.record(z.string(), Uuid)
type KnownStores = z.infer<typeof KnownStores>

async function readKnown(): Promise<KnownStores> {
  const text = await readFile(STORES_FILE, 'utf8').catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error
    return '{}'
  })
  const known = KnownStores.safeParse(parsed(text))
  return known.success ? known.data : fail({ kind: 'bad-output', what: STORES_FILE, detail: 'it is no list of stores' })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * For whoever saves a policy: from now on this host knows the store at this path, which is given an identity if it has none.
 *
 * @param isMeant the store is another one than it was, and that is meant
 * @throws `store-changed` if it is another one and that is not meant
 */
export async function knowStore(store: string, isMeant: boolean): Promise<void> {
  const known = await readKnown()
  const before = Object.hasOwn(known, store) ? known[store] : undefined
  if (before !== undefined && !isMeant) return requireStore(store, before)
  const id = await giveStoreIdentity(store)
  if (id === before) return
  await makeDirs(dirname(STORES_FILE))
  await writeDurably(STORES_FILE, new TextEncoder().encode(`${JSON.stringify({ ...known, [store]: id })}\n`))
}

/** For whoever writes to or deletes from it unattended. @throws `store-changed`, also if nobody has ever known this one */
export async function requireKnownStore(store: string): Promise<void> {
  const known = await readKnown()
  const id = Object.hasOwn(known, store) ? known[store] : undefined
  if (id !== undefined) return requireStore(store, id)
  const found = await readStoreIdentity(store)
  const what = found === undefined ? 'no store' : 'a store'
  fail({ kind: 'store-changed', store, detail: `There is ${what} at this path, and this host has not seen it before.` })
}
