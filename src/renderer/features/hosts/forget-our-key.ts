import type { Bridge } from '../../../shared/contract.ts'
import { failed, succeeded, type Result } from '../../../shared/result.ts'

/** Forgets the key that is written down at `knownIn` (`file:line`), if that is a file of ours. OpenSSH's stay as they are. */
export async function forgetOurKey(core: Bridge, knownIn: string): Promise<Result<void>> {
  const keys = await core.settings.knownKeys()
  if (!keys.ok) return failed(keys.failure)
  const key = keys.value.find(({ file, line, ours }) => ours && `${file}:${line}` === knownIn)
  return key === undefined
    ? succeeded(undefined)
    : core.settings.forgetKey({ line: key.line, fingerprint: key.fingerprint })
}
