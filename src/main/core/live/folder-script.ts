import { JOBS_DIR, STATE_DIR } from '../../../shared/host-paths.ts'
import type { Argv } from '../../../shared/shell.ts'

/** `jobs`: one was begun. `policies`: they, their channels or what waits to be sent. `runs`: one began, went on or ended. */
const FOLDERS = ['jobs', 'policies', 'runs'] as const
export type Folder = (typeof FOLDERS)[number]

/**
 * The folder's name, a line each, whenever something has moved in it, and a dot every twenty seconds to find out who is
 * gone. Runs write on in their journals: the last few are watched, by their names, which sort by time, also before they
 * have begun to write.
 */
const SCRIPT = `
seen() { stat -c '%n %s %y' -- "$@" 2>/dev/null; }
newest_runs() {
  set -- "$state"/runs/*/
  while [ $# -gt 6 ]; do shift; done
  journals=; for run; do journals="$journals \${run}journal.jsonl"; done
}
state=$2
jobs=$(seen "$1"); policies=; runs=; dirs=; journals=; n=0
while :; do
  now=$(seen "$1")
  [ "$now" = "$jobs" ] || { jobs=$now; echo jobs; }
  now=$(seen "$state/policies" "$state"/policies/*.json "$state/outbox" "$state/channels.json" "$state/rules.json")
  [ "$now" = "$policies" ] || { [ $n -eq 0 ] || echo policies; policies=$now; }
  now=$(seen "$state/runs")
  [ "$now" = "$dirs" ] || { dirs=$now; newest_runs; }
  now=$dirs$(seen $journals)
  [ "$now" = "$runs" ] || { [ $n -eq 0 ] || echo runs; runs=$now; }
  n=$((n + 1))
  [ $((n % 20)) -ne 0 ] || echo .
  sleep 1
done
`

export const watchFolders = (jobs: string, state: string): Argv => ['sh', '-c', SCRIPT, 'sh', jobs, state]
export const WATCH_FOLDERS: Argv = watchFolders(JOBS_DIR, STATE_DIR)

/** Of a line that has not ended yet: more than any word has. */
const MOST_BEGUN_CHARACTERS = 32

/**
 * Reads what the script says. It costs no more than looking through it once for each word, however many lines it has; of a line
 * that is no word nothing is kept, however long it is.
 */
export class FolderWords {
  /** What comes after the last end of a line, with that end. */
  private begun = '\n'

  /** The folders that this chunk names, each once. */
  take(chunk: Uint8Array): readonly Folder[] {
    const text = this.begun + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    const last = text.lastIndexOf('\n')
    this.begun = text.slice(last, last + MOST_BEGUN_CHARACTERS)
    return FOLDERS.filter((folder) => text.includes(`\n${folder}\n`))
  }
}
