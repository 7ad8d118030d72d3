import { posix } from 'node:path'
import { MOST } from '../shared/model/host-limits.ts'
import type { SessionVm } from '../shared/model/host.ts'
import { shorten } from '../shared/safe-text.ts'

/**
 * Owner and file of each definition and of each running VM of users' own libvirt (`qemu:///session`), which the system's
 * does not know of. The names of these files are the users', so a newline in one becomes a question mark. Homes elsewhere than
 * below /home are not looked for: asking for all of them can hang with the network that they come from.
 */
export const SESSION_VMS_SCRIPT = `
timeout -s KILL 3 sh -c '
  for file in /root/.config/libvirt/qemu/*.xml /home/*/.config/libvirt/qemu/*.xml /run/user/*/libvirt/qemu/run/*.xml; do
    [ -f "$file" ] && stat --printf "%U\\t%n\\0" -- "$file"
  done' 2>/dev/null | tr '\\n\\0' '?\\n' | head -n 200
`

/** Pure: what that printed, each VM once. */
export function parseSessionVms(text: string): SessionVm[] {
  const found = new Map<string, SessionVm>()
  for (const line of text.split('\n')) {
    const [user = '', path = '', ...more] = line.split('\t')
    if (user === '' || !/^\/.+\.xml$/.test(path) || more.length > 0) continue
    const name = shorten(posix.basename(path, '.xml'), MOST.name)
    const key = `${user}\t${name}`
    const isRunning = path.startsWith('/run/') || found.get(key)?.isRunning === true
    found.set(key, { user: shorten(user, MOST.name), name, isRunning })
  }
  return [...found.values()].slice(0, MOST.sessionVms)
}
