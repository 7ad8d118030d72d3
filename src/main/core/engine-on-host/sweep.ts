import { ENGINE_DIR, RUNTIME_DIRS } from '../../../shared/host-paths.ts'
import type { Shell } from '../../../shared/shell.ts'

/** Ends the script where a job or a run of a policy goes on. */
export const UNLESS_AT_WORK = `
systemctl list-units --all --plain --no-legend 'stillpoint-job-*' 'stillpoint-run-*' | grep -q . && exit 0
systemctl list-units --plain --no-legend --state=active,activating,deactivating 'stillpoint-policy-*.service' | grep -q . && exit 0
`

/**
 * Arguments: our runtime's folder, our engine, then the folders that runtimes and engines lie in, engines first. Takes away what no job uses: nothing while any job
 * or run of a policy goes on, nothing that a unit names, in its file or as systemd has
 * loaded it, and nothing younger than a day, so that two versions in use do not push each other out.
 */
const SWEEP = `${UNLESS_AT_WORK}
loaded=$(systemctl show -p ExecStart -p ExecStopPost 'stillpoint-*') || exit 0
used() { grep -qsF -- "$1" /etc/systemd/system/stillpoint-* || case $loaded in *"$1"*) ;; *) false ;; esac; }
runtime=$1 engine=$2
shift 2
find "$@" -mindepth 1 -maxdepth 1 ! -name '.*' -mmin +1440 2>/dev/null | while IFS= read -r old; do
  case $old in "$runtime"|"$engine") continue ;; esac
  used "$old" || rm -rf -- "$old"
done
find "$1/.compiled" -type f -mtime +30 -delete 2>/dev/null
`

/** Done after an upload, at leisure: whether it works is of no interest to who asked. */
export async function sweepOldEngines(
  shell: Shell,
  runtimeDir: string,
  engine: string,
  dirs: readonly string[] = [ENGINE_DIR, ...RUNTIME_DIRS]
): Promise<void> {
  await shell.run(['sh', '-c', SWEEP, 'sh', runtimeDir, engine, ...dirs])
}
