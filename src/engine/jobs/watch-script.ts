import { jobUnit, RECOVER_UNIT, RUN_DIR, STATE_DIR } from '../../shared/host-paths.ts'
import { END_FOR_GREP, JOURNAL_NAME } from '../journal/journal-end.ts'

/**
 * For sh, in a line of a unit, hence without apostrophe and backslash: while all jobs and runs that are open live, nothing
 * is done. Else the recovery is started, which looks for itself, and takes the watch away where nothing is open.
 */
export const watchScript = (stateDir: string = STATE_DIR, runDir: string = RUN_DIR): string =>
  [
    `cd ${stateDir} || exit 1`,
    holds(runDir),
    LIVES,
    `for each in $(${OPEN}); do all_live=yes; lives \${each%/*} && continue; all_live=; break; done`,
    `[ $all_live ] || exec systemctl start --no-block ${RECOVER_UNIT}`
  ].join('; ')

/** True where the holder of a lock lives: the lock's file says its pid, and when it began in ticks since the boot. */
const holds = (runDir: string): string =>
  `holds() { said=$(cat ${runDir}/$1.lock 2>/dev/null) && pid=\${said##*pid?:} && begun=\${said##*begun?:?} && ` +
  `set -- $(cat /proc/\${pid%%,*}/stat 2>/dev/null) && [ $# -ge 22 ] && [ "\${22}" = "\${begun%??}" ]; }`

/** Of `jobs/<id>` or `runs/<id>`. systemd that does not answer has nobody live. */
const LIVES =
  'lives() { case $1 in runs/*) holds run-${1#*/};; *) holds submit-${1#*/} || ' +
  `systemctl show -p ActiveState ${jobUnit('${1#*/}')} | grep -qvE "=(inactive|failed)?$";; esac; }`

/** Journals without an end, and folders without a journal: one a line, `jobs/<id>/`, with anything or nothing behind it. */
const OPEN =
  `grep -rL --include=${JOURNAL_NAME} "${END_FOR_GREP}" jobs runs 2>/dev/null; ` +
  `for dir in jobs/* runs/*; do [ ! -d $dir ] || [ -e $dir/${JOURNAL_NAME} ] || echo $dir/; done`
