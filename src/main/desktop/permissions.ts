import type { Session } from 'electron'

type Guarded = Pick<Session, 'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'>

/** The window needs no camera, no clipboard reading, no devices, nothing. Without handlers Electron grants them all. */
export function denyPermissions(session: Guarded): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
}
