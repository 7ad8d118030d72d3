import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { fail } from '../../shared/failure.ts'
import { STORE_MOUNTS_FILE, STORES_FILE } from '../../shared/host-paths.ts'
import { Uuid } from '../../shared/model/ids.ts'
import { makeDirs, writeDurably } from '../../store/durable.ts'
import { isCode } from '../../store/file-io.ts'
import { giveStoreIdentity, readStoreIdentity, requireStore } from '../../store/store-identity.ts'
import { withHostLock } from '../jobs/host-lock.ts'
import { mountAt, readMounts } from '../room/file-systems.ts'

/** `stores.json`: which store this host has seen at which path. */
const KnownStores = z.record(z.string(), Uuid)
/**
 * `store-mounts.json`: on which mount a store lay when it was first used. A file of its own, as engines that know nothing of
 * it read the other one.
 */
const StoreMounts = z.record(z.string(), z.object({ mountPoint: z.string(), fsType: z.string() }))

async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error
    return '{}'
  })
  const record = schema.safeParse(parsed(text))
  return record.success ? record.data : fail({ kind: 'bad-output', what: path, detail: 'it is no list of stores' })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function writeRecord(path: string, record: Readonly<Record<string, unknown>>): Promise<void> {
  await makeDirs(dirname(path))
  await writeDurably(path, new TextEncoder().encode(`${JSON.stringify(record)}\n`))
}

const entryOf = <T>(record: Readonly<Record<string, T>>, store: string): T | undefined =>
  Object.hasOwn(record, store) ? record[store] : undefined

/**
 * For whoever saves a policy or writes a point: from now on this host knows the store at this path, which is made if it is
 * not there, and given an identity if it has none.
 *
 * @param isMeant the store is another one than it was, and that is meant
 * @throws `store-changed` if it is another one, or its disk is not mounted, and that is not meant
 */
export function knowStore(store: string, isMeant: boolean): Promise<void> {
  return withHostLock('stores', 'a store that is used', async () => {
    const before = entryOf(await readRecord(STORES_FILE, KnownStores), store)
    if (before !== undefined && !isMeant) await requireAsItWas(store, before)
    else await learnIdentity(store, before)
    await learnMount(store, isMeant)
  })
}

/** For whoever writes to or deletes from it unattended. @throws `store-changed`, also if nobody has ever known this one */
export async function requireKnownStore(store: string): Promise<void> {
  const id = entryOf(await readRecord(STORES_FILE, KnownStores), store)
  if (id !== undefined) return requireAsItWas(store, id)
  const found = await readStoreIdentity(store)
  const what = found === undefined ? 'no store' : 'a store'
  fail({ kind: 'store-changed', store, detail: `There is ${what} at this path, and this host has not seen it before.` })
}

/** The mount is looked at behind the identity, whose reading makes an automounter mount it. */
async function requireAsItWas(store: string, id: Uuid): Promise<void> {
  await requireStore(store, id)
  const mount = entryOf(await readRecord(STORE_MOUNTS_FILE, StoreMounts), store)
  if (mount === undefined || mount.mountPoint === '/') return
  const isMounted = (await readMounts()).some(({ mountPoint }) => mountPoint === mount.mountPoint)
  const detail = `${mount.mountPoint} was a file system of its own (${mount.fsType}) when this store was first used here, and nothing is mounted there now.`
  if (!isMounted) fail({ kind: 'store-changed', store, detail })
}

async function learnIdentity(store: string, before: Uuid | undefined): Promise<void> {
  const id = await giveStoreIdentity(store)
  if (id !== before) await writeRecord(STORES_FILE, { ...(await readRecord(STORES_FILE, KnownStores)), [store]: id })
}

async function learnMount(store: string, isAnew: boolean): Promise<void> {
  const mounts = await readRecord(STORE_MOUNTS_FILE, StoreMounts)
  if (!isAnew && entryOf(mounts, store) !== undefined) return
  const mount = await mountAt(store)
  if (mount === undefined) return
  const { mountPoint, fsType } = mount
  await writeRecord(STORE_MOUNTS_FILE, { ...mounts, [store]: { mountPoint, fsType } })
}
