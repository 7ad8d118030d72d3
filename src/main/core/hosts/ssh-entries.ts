import type { SshEntry } from '../../../shared/views/host-view.ts'
import { readSshConfig } from '../ssh/ssh-config.ts'

const MOST = 2000

/** The hosts that `~/.ssh/config` names. @throws `bad-output` if it does not parse */
export async function sshEntries(): Promise<SshEntry[]> {
  const config = await readSshConfig()
  return config.entries.slice(0, MOST).flatMap((alias) => {
    try {
      const { hostName, user, port } = config.settingsFor(alias)
      return [{ alias, hostName, ...(user !== undefined && { user }), ...(port !== undefined && { port }) }]
    } catch {
      return [] // an entry that makes no sense hides no other
    }
  })
}
