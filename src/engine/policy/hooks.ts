import { StringDecoder } from 'node:string_decoder'
import { isFailure } from '../../shared/failure.ts'
import { formatDuration } from '../../shared/format.ts'
import type { Hook, RunVm } from '../../shared/model/policy.ts'
import { safeLines } from '../../shared/safe-text.ts'
import type { Shell } from '../../shared/shell.ts'

export interface HookSetting {
  readonly policy: string
  readonly vm: RunVm['vm']
  readonly phase: 'before' | 'after'
  /** What became of the backup, for `after`. */
  readonly outcome?: string | undefined
  readonly point?: string | undefined
}

/** Of all that a hook prints, the end is kept. */
const TAIL_CHARACTERS = 1000

const END = '# all of the hook'

/**
 * What a hook says may hold secrets, and everybody on a machine reads the arguments of its programs; environments are read by
 * root, kept with core dumps, and inherited. So it comes by stdin and is in neither. One that did not come whole, as its
 * engine was killed, does not begin: half of a line can be another command.
 */
const RUN_FROM_STDIN = `STILLPOINT_HOOK=$(cat)
case $STILLPOINT_HOOK in *'${END}') ;; *) exit 125 ;; esac
eval "unset STILLPOINT_HOOK
\${STILLPOINT_HOOK%?'${END}'}"`

/**
 * Runs a hook with `sh` in a process group of its own, which is ended as a whole at the deadline. Its output counts as
 * open until all that it started has closed it: what should go on has to be sent away with its output.
 * Undefined: it went well. Else what went wrong, with the end of what it printed.
 */
export async function runHook(shell: Shell, hook: Hook, setting: HookSetting): Promise<string | undefined> {
  const tail = tailOf(TAIL_CHARACTERS)
  const deadlineMs = hook.deadlineSeconds * 1000
  try {
    const { exitCode, signal } = await shell.run(['sh', '-c', RUN_FROM_STDIN], {
      stdin: `${hook.command}\n${END}`,
      timeoutMs: deadlineMs,
      env: environment(setting),
      onStdout: tail.add,
      onStderr: tail.add
    })
    if (exitCode === 0) return undefined
    return withTail(`the ${setting.phase} hook ended with ${signal ?? `exit code ${exitCode ?? '?'}`}`, tail.text())
  } catch (error) {
    if (!isFailure(error, 'timeout')) throw error
    return withTail(`the ${setting.phase} hook was ended after ${formatDuration(deadlineMs)}`, tail.text())
  }
}

function environment({ policy, vm, phase, outcome, point }: HookSetting): Record<string, string> {
  return {
    STILLPOINT_POLICY: policy,
    STILLPOINT_VM: vm.name,
    STILLPOINT_VM_UUID: vm.uuid,
    STILLPOINT_PHASE: phase,
    ...(outcome !== undefined && { STILLPOINT_OUTCOME: outcome }),
    ...(point !== undefined && { STILLPOINT_POINT: point })
  }
}

const withTail = (what: string, said: string): string => (said === '' ? what : `${what}: ${said}`)

function tailOf(length: number): { add: (chunk: Uint8Array) => void; text: () => string } {
  const decoder = new StringDecoder('utf8')
  let kept = ''
  return {
    add(chunk) {
      kept = (kept + decoder.write(Buffer.from(chunk))).slice(-length)
    },
    text: () => safeLines(kept.trim())
  }
}
