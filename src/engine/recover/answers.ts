import { fail, isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'

export const ANSWERS_WITHIN_MS = 20_000

/**
 * Asked before an undo looks into a store. A server that is away hangs whoever asks it, for as long as it is away: so a child
 * asks, which can be killed and takes none of the few threads that all files share. It asks for the free bytes, which no cache
 * knows. That there is no such folder is an answer.
 *
 * @throws `io` if there is none in time
 */
export async function answers(shell: Shell, folder: string, withinMs = ANSWERS_WITHIN_MS): Promise<void> {
  try {
    await shell.run(['stat', '--file-system', '--', folder], { timeoutMs: withinMs })
  } catch (error) {
    if (!isFailure(error, 'timeout')) throw error
    failSilent(folder, withinMs, error)
  }
}

export function failSilent(path: string, withinMs: number, cause: unknown): never {
  const detail = `it has not answered for ${withinMs / 1000} s: is its server away?`
  return fail({ kind: 'io', path, code: 'ETIMEDOUT', detail }, cause)
}
