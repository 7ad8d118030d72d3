import type { Core } from '../core.ts'
import { forgetDamaged } from '../ssh/damaged-keys.ts'
import { forgetHostKeys } from '../ssh/known-hosts.ts'
import { resolveTargets } from '../ssh/targets.ts'
import { addressOf } from './connections.ts'
import { requireHost } from './host-book.ts'

/** The way out when a host was rebuilt: its old key is no longer expected. Returns how many keys were forgotten. */
export async function forgetHostKey(core: Core, name: string): Promise<number> {
  // Without its identity file: that one may be gone too, and has no part in this.
  const record = { ...addressOf(requireHost(core.settings.read(), name)), identityFile: undefined }
  await core.connections.drop(name)
  const target = (await resolveTargets(record, {})).at(-1)
  if (target === undefined) return 0
  const { host, port } = target.keyName
  const forgotten = await forgetHostKeys(core.folder, host, port)
  // Last: what lies beside the file may be nothing that can be read, and keeps no whole key.
  await forgetDamaged(core.folder, host, port)
  return forgotten
}
