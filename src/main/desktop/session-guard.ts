import type { Protocol, Session } from 'electron'
import { serveWindowFiles } from './app-scheme.ts'
import { guardDownloads } from './downloads.ts'
import { denyPermissions } from './permissions.ts'
import { refuseNetwork } from './requests.ts'

/** Everything that the one session may do: read the built window. */
export function guardSession(session: Session, protocol: Protocol, root: string, downloads: () => string): void {
  denyPermissions(session)
  refuseNetwork(session)
  guardDownloads(session, downloads)
  serveWindowFiles(protocol, root)
}
