import type { FileHandle } from 'node:fs/promises'
import { fail } from '../../../shared/failure.ts'
import { shorten } from '../../../shared/safe-text.ts'
import type { RunResult, Shell } from '../../../shared/shell.ts'
import { bytesOf, compressed } from './compressed.ts'
import type { Asset } from './engine-assets.ts'

export type OnUpload = (doneBytes: number, totalBytes: number) => void

/**
 * Where SELinux is on, systemd starts only what has the label of programs. Below /usr the policy itself knows which that
 * is, so that a relabelling of the host changes nothing; elsewhere it goes with the next one, until a controller comes again.
 */
export const LABEL = `
label() {
  command -v selinuxenabled >/dev/null && selinuxenabled || return 0
  case $1 in /usr/*) restorecon -F "\${1%/*}" "$1" ;; esac
  case $(stat -c %C "$1" 2>/dev/null) in *:bin_t:*) ;; *) chcon -t bin_t "$1" ;; esac
}
`

/**
 * Arguments: the folder that is ours alone, target, SHA-256, mode. The lock keeps two controllers from uploading the same at once; who
 * comes second finds it done. What a cut connection left is swept by the next upload.
 */
const RECEIVE = `${LABEL}
set -u
(umask 022; mkdir -p "\${1%/*}")
umask 077
mkdir -p "$1" "\${2%/*}" || exit 64
exec 9>"\${2%/*}/.lock" || exit 64
flock -w 900 9 || exit 64
if printf '%s  %s\\n' "$3" "$2" | sha256sum -c --status 2>/dev/null; then cat >/dev/null; exit 0; fi
rm -f "\${2%/*}"/.upload.*
received="\${2%/*}/.upload.$$"
trap 'rm -f "$received"' EXIT
gzip -dc >"$received" || exit 65
printf '%s  %s\\n' "$3" "$received" | sha256sum -c --status || exit 66
chmod "$4" "$received" && label "$received" && sync "$received" && mv -f "$received" "$2" || exit 67
echo put
`

/** Of a file that is not what was to come. */
const REFUSED = 66

const REASONS: Readonly<Record<number, string>> = {
  64: 'its folder cannot be made or locked',
  65: 'it did not arrive whole, or there is no room for it',
  [REFUSED]: 'what arrived is not what was sent',
  67: 'it cannot be put in its place'
}

export interface Upload {
  readonly asset: Asset
  /** Ours alone: what is above it may be read by everybody. */
  readonly base: string
  readonly target: string
  readonly mode: '0700' | '0600'
}

/**
 * Puts a file on the host under the name given, whole and with the right content or not at all. False: somebody else just had. That it is
 * not what was to come is only the host's word: what lay in the cache from before is read once more, and sent again only where it had to
 * be made anew.
 */
export async function upload(shell: Shell, order: Upload, cache: string, onProgress: OnUpload): Promise<boolean> {
  const { file, isOld } = await compressed(order.asset, cache)
  const result = await send(shell, order, file, onProgress)
  if (result.exitCode !== REFUSED || !isOld) return isPut(order, result)
  const again = await compressed(order.asset, cache)
  if (!again.isOld) return isPut(order, await send(shell, order, again.file, onProgress))
  await again.file.close()
  return isPut(order, result)
}

async function send(
  shell: Shell,
  { asset, base, target, mode }: Upload,
  file: FileHandle,
  onProgress: OnUpload
): Promise<RunResult> {
  try {
    const { size } = await file.stat()
    return await shell.run(['sh', '-c', RECEIVE, 'sh', base, target, asset.hash, mode], {
      stdin: counted(file, size, onProgress),
      timeoutMs: 3_600_000
    })
  } finally {
    await file.close()
  }
}

function isPut({ target }: Upload, { exitCode, stdout, stderr }: RunResult): boolean {
  if (exitCode === 0) return stdout.includes('put')
  const reason = REASONS[exitCode ?? 0] ?? 'unknown'
  return fail({ kind: 'command-failed', command: `upload of ${target} (${reason})`, exitCode, stderr })
}

async function* counted(file: FileHandle, totalBytes: number, onProgress: OnUpload): AsyncGenerator<Uint8Array> {
  let doneBytes = 0
  for await (const chunk of bytesOf(file)) {
    yield chunk
    onProgress((doneBytes += chunk.byteLength), totalBytes)
  }
}

/**
 * Which of these files are there with the right content: paths and hashes in pairs. One round trip. What was found right is
 * not read again until somebody touches it: the runtime is large, and its folder is root's alone.
 */
const CHECK = `${LABEL}
umask 077
stamp() { stat -c "$2 %i %s %y %z" "$1" 2>/dev/null; }
is_right() {
  now=$(stamp "$1" "$2") && [ "$now" = "$(cat "$1.seen" 2>/dev/null)" ] && return
  printf '%s  %s\\n' "$2" "$1" | sha256sum -c --status 2>/dev/null && label "$1" || return
  stamp "$1" "$2" >"$1.seen" || :
}
uname -m
if command -v selinuxenabled >/dev/null && selinuxenabled; then echo selinux; else echo plain; fi
while [ $# -gt 1 ]; do
  is_right "$1" "$2" && echo yes || echo no
  shift 2
done
`

/** Characters of what `uname -m` says, which is shown where there is no runtime for it. */
const LONGEST_MACHINE = 64

export async function presentOnHost(
  shell: Shell,
  files: readonly { readonly target: string; readonly hash: string }[]
): Promise<{ machine: string; hasSelinux: boolean; present: boolean[] }> {
  const pairs = files.flatMap(({ target, hash }) => [target, hash])
  const { exitCode, stdout, stderr } = await shell.run(['sh', '-c', CHECK, 'sh', ...pairs])
  if (exitCode !== 0) fail({ kind: 'command-failed', command: 'look for the engine', exitCode, stderr })
  const [machine = '', security = '', ...answers] = stdout.trim().split('\n', 2 + files.length)
  return {
    machine: shorten(machine, LONGEST_MACHINE),
    hasSelinux: security === 'selinux',
    present: answers.map((answer) => answer === 'yes')
  }
}
