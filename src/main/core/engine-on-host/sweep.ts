import type { Shell } from '../../../shared/shell.ts'

/**
 * Arguments: state folder, our runtime's folder, our engine. Takes away what no job uses: nothing while any job
 * or run of a policy goes on, nothing that a unit names, and nothing younger than a day, so that two versions in use do not push each other out.
 */
const SWEEP = `
systemctl list-units --all --plain --no-legend 'stillpoint-job-*' 'stillpoint-run-*' | grep -q . && exit 0
systemctl list-units --plain --no-legend --state=active,activating,deactivating 'stillpoint-policy-*.service' | grep -q . && exit 0
used() { grep -qsF -- "$1" /etc/systemd/system/stillpoint-*; }
find "$1/engine" "$1/runtime" -mindepth 1 -maxdepth 1 ! -name '.*' -mmin +1440 2>/dev/null | while IFS= read -r old; do
  case $old in "$2"|"$3") continue ;; esac
  used "$old" || rm -rf -- "$old"
done
find "$1/engine/.compiled" -type f -mtime +30 -delete 2>/dev/null
`

/** Done after an upload, at leisure: whether it works is of no interest to who asked. */
export async function sweepOldEngines(
  shell: Shell,
  stateDir: string,
  runtimeDir: string,
  engine: string
): Promise<void> {
  await shell.run(['sh', '-c', SWEEP, 'sh', stateDir, runtimeDir, engine])
}
