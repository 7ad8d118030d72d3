import * as z from 'zod'
import { fail, isFailure } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

const PING_SECONDS = 2
/** Freezing waits for the guest to write out what it holds, and for its hooks. */
const FREEZE_TIMEOUT_MS = 60_000

async function ask(shell: Shell, uuid: Uuid, execute: string, seconds: number): Promise<unknown> {
  const question = JSON.stringify({ execute })
  const { stdout } = await virsh(shell, ['qemu-agent-command', uuid, '--timeout', String(seconds), '--cmd', question], {
    timeoutMs: (seconds + 15) * 1000
  })
  return parseAnswer(stdout)
}

/** The guest writes this: `{"return": …}`, or whatever it likes. */
function parseAnswer(text: string): unknown {
  try {
    return z.object({ return: z.unknown() }).parse(JSON.parse(text)).return
  } catch (error) {
    return fail({ kind: 'bad-output', what: 'guest agent', detail: text.slice(0, 200) }, error)
  }
}

/** Whether the guest's agent answers within two seconds. Not whether it runs: a frozen one may refuse all but thaw. */
export const agentAnswers = async (shell: Shell, uuid: Uuid): Promise<boolean> =>
  (await asked(shell, uuid, 'guest-ping', PING_SECONDS)) !== undefined

/** What the agent answers, or undefined where it does not, or refuses. */
async function asked(
  shell: Shell,
  uuid: Uuid,
  execute: string,
  seconds: number
): Promise<{ said: unknown } | undefined> {
  try {
    return { said: await ask(shell, uuid, execute, seconds) }
  } catch (error) {
    if (isFailure(error, 'command-failed', 'timeout', 'bad-output')) return undefined
    throw error
  }
}

const FreezeStatus = z.enum(['frozen', 'thawed'])
export type FreezeStatus = z.infer<typeof FreezeStatus>

const STATUS_SECONDS = 5

/**
 * Whether the guest's file systems are frozen, by its agent's word. Undefined: it does not say, for instance because it
 * is in the middle of a freeze, or hangs.
 */
export async function freezeStatus(shell: Shell, uuid: Uuid): Promise<FreezeStatus | undefined> {
  const answer = await asked(shell, uuid, 'guest-fsfreeze-status', STATUS_SECONDS)
  const status = FreezeStatus.safeParse(answer?.said)
  return status.success ? status.data : undefined
}

/**
 * Freezes all of the guest's file systems and answers how many. Where virsh is ended before it is done, libvirt and the
 * agent go on: the guest may be frozen at any time after.
 */
export async function freeze(
  shell: Shell,
  uuid: Uuid,
  options: { readonly signal?: AbortSignal } = {}
): Promise<number> {
  const { stdout } = await virsh(shell, ['domfsfreeze', uuid], { timeoutMs: FREEZE_TIMEOUT_MS, ...options })
  return countOf(stdout)
}

/** True if the agent itself said no, or was never asked: then this freeze froze nothing. */
export const isFreezeRefused = (error: unknown): boolean =>
  isFailure(error, 'command-failed') &&
  /unable to execute QEMU agent command|cannot acquire state change lock/.test(error.failure.stderr)

/** Thaws what is frozen and answers how many; 0 if nothing was. */
export async function thaw(shell: Shell, uuid: Uuid): Promise<number> {
  const { stdout } = await virsh(shell, ['domfsthaw', uuid], { timeoutMs: FREEZE_TIMEOUT_MS })
  return countOf(stdout)
}

/** `Froze 2 filesystem(s)` */
const countOf = (text: string): number => Number(/\b(\d{1,9}) filesystem/.exec(text)?.[1] ?? 0)

/** Lets the guest set its clock from its hardware clock, which QEMU keeps at the host's time. */
export async function setTimeSync(shell: Shell, uuid: Uuid): Promise<void> {
  await virsh(shell, ['domtime', uuid, '--sync'])
}

/** The guest's idea of the time, in milliseconds since the epoch (`virsh domtime` itself knows only seconds). */
export async function guestTimeMs(shell: Shell, uuid: Uuid): Promise<number> {
  const nanoseconds = z.number().safeParse(await ask(shell, uuid, 'guest-get-time', 5))
  if (!nanoseconds.success) return fail({ kind: 'bad-output', what: 'guest agent', detail: 'no time' })
  return nanoseconds.data / 1e6
}
