import { RUNTIME_DIRS, type RuntimeDir } from '../../../shared/host-paths.ts'
import type { Shell } from '../../../shared/shell.ts'
import { LABEL } from './upload.ts'

/**
 * Arguments: folders. Prints the first in which a program runs, for whoever is logged in and for systemd. What is below
 * /var is no such folder where SELinux is on, be it permissive for now: its label there holds until the next relabelling.
 */
const CHOOSE = `${LABEL}
umask 077
for dir; do
  case $dir in /var/*) command -v selinuxenabled >/dev/null && selinuxenabled && continue ;; esac
  (umask 022; mkdir -p "\${dir%/*/*}")
  trial=$dir/.trial.$$
  works=no
  mkdir -p "$dir" && printf '#!/bin/sh\\n' >"$trial" && chmod 700 "$trial" && label "$trial" &&
    "$trial" && systemd-run --wait --collect --quiet -- "$trial" && works=yes
  rm -f "$trial"
  [ $works = no ] || { printf '%s\\n' "$dir"; exit 0; }
  rmdir "$dir" # what is above it may be named by the very rule that forbids it, which holds only while it is there
done
exit 0
`

/** Where this host's systemd starts programs. Where it does so nowhere, the usual folder: the engine's own trial says why. */
export async function chooseRuntimeDir(shell: Shell, dirs: readonly string[] = RUNTIME_DIRS): Promise<RuntimeDir> {
  const { stdout } = await shell.run(['sh', '-c', CHOOSE, 'sh', ...dirs], { timeoutMs: 60_000 })
  return (dirs.find((dir) => stdout.split('\n').includes(dir)) ?? RUNTIME_DIRS[0]) as RuntimeDir
}
