import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../shared/failure.ts'
import type { RunOptions, RunResult, Shell } from '../shared/shell.ts'

export interface VirshOptions extends RunOptions {
  /** Exit codes that the caller understands; any other is a `command-failed`. Default: 0 only. */
  readonly expect?: readonly number[]
}

export const VIRSH_TIMEOUT_MS = 30_000
/** Of the host's own, whatever its `libvirt.conf` prefers. */
const SYSTEM = { LIBVIRT_DEFAULT_URI: 'qemu:///system' }
const LONGEST_STDERR = 4000

/**
 * Runs one virsh command. Arguments reach it untouched, whatever they hold.
 *
 * @throws `command-failed` with virsh's own words, and what `Shell.run` rejects with.
 */
export async function virsh(
  shell: Shell,
  args: readonly [string, ...string[]],
  options: VirshOptions = {}
): Promise<RunResult> {
  const { expect = [0], ...runOptions } = options
  // A lone argument is parsed by virsh as a command line of its own, several are not.
  const words = args.length === 1 ? [quoteForVirsh(args[0])] : args
  const result = await connected(shell, words, inSystem(runOptions))
  if (result.exitCode !== undefined && expect.includes(result.exitCode)) return result
  return commandFailed(`virsh ${args.join(' ')}`, result)
}

const AGAIN_AFTER_MS = 300

/**
 * A libvirtd that nobody has used for two minutes ends, and systemd starts it anew for whoever comes next. Who comes just
 * as it ends is cut off before anything was said: then once more.
 */
async function connected(shell: Shell, words: readonly string[], options: RunOptions): Promise<RunResult> {
  const result = await shell.run(['virsh', ...words], options)
  if (result.exitCode === 0 || !saysEndedMeanwhile(result.stderr)) return result
  await sleep(AGAIN_AFTER_MS)
  return shell.run(['virsh', ...words], options)
}

const saysEndedMeanwhile = (stderr: string): boolean =>
  /failed to connect to the hypervisor/.test(stderr) && /Connection reset by peer|Broken pipe|End of file/.test(stderr)

/** With the deadline and the libvirt that every call has unless it says otherwise. */
export const inSystem = (options: RunOptions): RunOptions => ({
  timeoutMs: VIRSH_TIMEOUT_MS,
  ...options,
  env: { ...SYSTEM, ...options.env }
})

/** Says what a program said last. The end of stderr holds the reason, its beginning may be noise. */
export function commandFailed(command: string, { exitCode, stderr, signal }: RunResult): never {
  const said = stderr.trim().slice(-LONGEST_STDERR)
  return fail({
    kind: 'command-failed',
    command: command.slice(0, 1000),
    exitCode,
    stderr: signal === undefined ? said : `ended by ${signal}. ${said}`
  })
}

/**
 * libvirt does not know the domain, as opposed to: it could not be asked. virsh says `failed to get domain` of both, so
 * there must be no other reason behind it: libvirt that is stopped in the middle adds one.
 */
export function saysUnknownDomain(stderr: string): boolean {
  const errors = stderr.split('\n').filter((line) => line.startsWith('error: '))
  return errors.length > 0 && errors.every((line) => /^error: (failed to get domain |Domain not found)/.test(line))
}

/** The domain is shut off, or not known. */
export const saysNotActive = (stderr: string): boolean =>
  /domain is not running/.test(stderr) || saysUnknownDomain(stderr)

/**
 * One word in virsh's own command language, which is not the shell's: blanks, `;`, newlines, `#`, quotes and backslash
 * mean something outside of single quotes, nothing at all within them.
 * Source: vshCommandStringGetArg in libvirt's tools/vsh.c.
 */
export function quoteForVirsh(word: string): string {
  if (word.includes('\0')) fail({ kind: 'usage', message: 'an argument holds a NUL character' })
  if (/^[A-Za-z0-9_./:=@%+-]+$/.test(word)) return word
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

export interface BatchAnswer {
  readonly stdout: string
  readonly stderr: string
  /** virsh tells a failed command of a batch only by what it prints. */
  readonly failed: boolean
}

/**
 * Runs several commands in one virsh process: one round trip, 15 ms saved each. All run, whether or not one before
 * failed. One answer per command, in their order.
 *
 * @throws `command-failed` if virsh could not parse them (then none ran), `bad-output` if answers are missing.
 */
export async function virshBatch(
  shell: Shell,
  commands: readonly (readonly [string, ...string[]])[],
  options: RunOptions = {}
): Promise<BatchAnswer[]> {
  if (commands.length === 0) return []
  const mark = `mark-${crypto.randomUUID()}`
  const result = await connected(shell, [batchText(commands, mark)], inSystem(options))
  if (!result.stdout.includes(mark)) return commandFailed(`virsh ${commands[0]?.join(' ') ?? ''} ; ...`, result)
  const stdout = result.stdout.split(`${mark}\n`).slice(0, -1)
  const stderr = result.stderr.split(`error: ${mark}\n`)
  if (stdout.length !== commands.length)
    return fail({
      kind: 'bad-output',
      what: 'virsh',
      detail: `${stdout.length} answers to ${commands.length} commands`
    })
  return stdout.map((text, index) => answerOf(text, stderr[index] ?? ''))
}

/** Marks the end of each command's output, on both streams. */
function batchText(commands: readonly (readonly string[])[], mark: string): string {
  return commands.map((words) => `${words.map(quoteForVirsh).join(' ')}; echo ${mark}; echo --err ${mark}`).join('; ')
}

const answerOf = (stdout: string, stderr: string): BatchAnswer => ({
  // Between two commands virsh prints an empty line.
  stdout: stdout.replace(/^\n/, ''),
  stderr: stderr.trim(),
  failed: /^error: /m.test(stderr)
})
