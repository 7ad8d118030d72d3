import { PROGRAM_DIR, RECOVER_UNIT, STATE_DIR, UNITS_DIR, WATCH_TIMER, WATCH_UNIT } from '../../../shared/host-paths.ts'
import type { Shell } from '../../../shared/shell.ts'
import { UNLESS_AT_WORK } from './sweep.ts'

/** Whether anything of Stillpoint is on the host. */
export async function isKnownTo(shell: Shell, dirs: readonly string[] = [STATE_DIR, PROGRAM_DIR]): Promise<boolean> {
  const { stdout } = await shell.run(['sh', '-c', 'for dir; do [ ! -e "$dir" ] || echo known; done', 'sh', ...dirs])
  return stdout.includes('known')
}

/**
 * Arguments: `new` where nothing of Stillpoint was on the host before, the folders of state, programs and units, then files that were
 * put there. Takes these away, with the note that their content is right and with locks and folders that nobody needs then; nothing
 * where a job or a run goes on, or where a host that was new has a policy, as another computer has come meanwhile. A file that a unit names stays, unless the host was new: then
 * the units too are those of the engine that was put there, and go before it.
 */
const TAKE_AWAY = `${UNLESS_AT_WORK}
new=$1 state=$2 programs=$3 units=$4
shift 4
names() { grep -lsF -- "$1" "$units"/stillpoint-*; }
if [ "$new" = new ]; then
  ls -A -- "$state/policies" 2>/dev/null | grep -q . && exit 0
  for file; do
    names "$file" | while IFS= read -r unit; do
      name=\${unit##*/}
      systemctl disable --now "$name" "\${name%.*}.timer"
      rm -f -- "$unit" "\${unit%.*}.timer"
    done
  done
  # The watch names no engine: it goes with the recovery that it starts.
  if [ ! -e "$units/${RECOVER_UNIT}" ]; then
    systemctl disable --now ${WATCH_TIMER}
    rm -f -- "$units/${WATCH_TIMER}" "$units/${WATCH_UNIT}"
  fi
  systemctl daemon-reload
fi
for file; do
  names "$file" >/dev/null && continue
  rm -f -- "$file" "$file.seen"
  dir=\${file%/*}
  [ "$new" != new ] || rm -rf -- "$dir/.compiled"
  for up in "$dir" "\${dir%/*}"; do
    [ "$(ls -A -- "$up")" != .lock ] || rm -f -- "$up/.lock"
    rmdir -- "$up"
  done
done
[ "$new" != new ] || rmdir -- "$state/points" "$state/jobs"
rmdir -- "$programs" "$state"
exit 0
`

const DIRS = { state: STATE_DIR, programs: PROGRAM_DIR, units: UNITS_DIR }

/** Of a host that was refused: what this very add has put there. What was there before stays. */
export async function takeAway(
  shell: Shell,
  files: readonly string[],
  wasThere: boolean,
  { state, programs, units } = DIRS
): Promise<void> {
  if (files.length === 0) return
  const place = [wasThere ? 'known' : 'new', state, programs, units]
  await shell.run(['sh', '-c', TAKE_AWAY, 'sh', ...place, ...files])
}
