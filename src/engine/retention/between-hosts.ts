import { locksHold, mountAt } from '../room/file-systems.ts'

/**
 * Why this host cannot see what other hosts do in a store, in words; undefined where it can. All that keeps a point from
 * being moved or removed while another host reads it is a lock.
 */
export async function whyUnseen(store: string): Promise<string | undefined> {
  const mount = await mountAt(store)
  if (mount !== undefined && locksHold(mount)) return undefined
  return (
    `locks on ${store} (${mount?.fsType ?? 'a file system that is not known'}) are not known to hold between hosts: ` +
    'if other hosts use this store, what they restore, check or write there is not seen here'
  )
}

/** The same as a sentence of its own. */
export async function warningOfUnseen(store: string): Promise<string | undefined> {
  const why = await whyUnseen(store)
  return why && `${why.slice(0, 1).toUpperCase()}${why.slice(1)}; old points may go while another host reads them`
}
