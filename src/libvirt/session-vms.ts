import { posix } from 'node:path'
import type { SessionVm } from '../shared/model/host.ts'

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
  for (const [, user = '', path = ''] of text.matchAll(/^([^\t\n]+)\t(\/[^\t\n]+\.xml)$/gm)) {
    const name = posix.basename(path, '.xml')
    const key = `${user}\t${name}`
    const isRunning = path.startsWith('/run/') || found.get(key)?.isRunning === true
    found.set(key, { user, name, isRunning })
  }
  return [...found.values()]
}
