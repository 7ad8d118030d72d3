import type { LabHost } from './host.ts'

const SCRIPT = `
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
qemu-img convert -U -q -f "$2" -O raw -- "$1" "$work/disk" || exit 1
e2fsck -fp "$work/disk" >"$work/said" 2>&1
[ $? -lt 4 ] || { echo DAMAGED; tail -n 3 "$work/said"; exit 0; }
debugfs -R 'cat /ticks' "$work/disk" 2>/dev/null | tail -c 200 | sed -n '/^[0-9][0-9]*$/{$!p;$p}' | tail -n 1
`

/**
 * The last tick that a guest has written to a disk, read from its image with all images below, past the journal as the
 * next boot would. Nobody may be writing to it.
 */
export async function tickOnDisk(host: LabHost, path: string, format: string): Promise<number> {
  const said = (await host.must(['bash', '-c', SCRIPT, 'disk', path, format])).trim()
  if (said.startsWith('DAMAGED')) throw new Error(`the file system in ${path} is damaged: ${said}`)
  return Number(said === '' ? 0 : said)
}
