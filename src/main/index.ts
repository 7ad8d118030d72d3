import { join } from 'node:path'
import { localShell } from '../shell/local.ts'
import { contract } from '../shared/contract.ts'
import { failureOf } from '../shared/failure.ts'
import type { IpcPort } from '../shared/ipc-port.ts'
import { packedFiles } from './core/engine-on-host/packed-files.ts'
import { LiveCore } from './core/live/live-core.ts'
import { demoCommand, packageRoot } from './core/package.ts'
import { autostartFile } from './core/session/autostart-entry.ts'
import { sessionShowsTrays } from './core/session/tray-watcher.ts'
import { cacheFolder, settingsFolder } from './core/settings/folders.ts'
import { desktopCoreOver, type DesktopCore } from './desktop/desktop-core.ts'
import type { DesktopSide } from './desktop/desktop-side.ts'
import { builtFiles, startDesktop } from './desktop/start.ts'
import { forTheWindow } from './doors/answer.ts'
import { errorLog } from './doors/error-log.ts'
import { handlersOver, type DoorSide } from './doors/handlers.ts'
import { openIpcDoor } from './doors/ipc.ts'
import { goOnWhateverHappens } from './doors/last-resort.ts'

const { env, platform } = process
const folder = settingsFolder(env)
let hear: (text: string) => void = () => undefined
const report = errorLog(folder, undefined, (text) => hear(text))
const demo = demoCommand()

startDesktop({
  ...builtFiles(import.meta.dirname),
  userData: join(folder, 'window'),
  windowFile: join(folder, 'window.json'),
  autostartFile: autostartFile(env),
  trayIsShown: async () => platform !== 'linux' || (await sessionShowsTrays(localShell())),
  openCore,
  onFailure: (error) => void forTheWindow(failureOf(error), report)
})

function openCore(port: IpcPort, desktop: DesktopSide): DesktopCore {
  const live = new LiveCore({
    folder,
    cache: cacheFolder(env),
    root: packageRoot(),
    packed: desktop.isPackaged ? packedFiles : undefined
  })
  hear = (text) => live.notLogged(text)
  const handlers = handlersOver(live, doorSide(desktop))
  openIpcDoor(contract, handlers, port, report)
  const stop = goOnWhateverHappens(report)
  return desktopCoreOver(handlers, {
    wake: () => live.wake(),
    keepWhatIsKnown: () => void live.keepWhatIsKnown(),
    close: () => live.close().finally(stop)
  })
}

function doorSide({ version, canStartAtLogin, hasTray, openLink, goTo }: DesktopSide): DoorSide {
  return {
    info: async () => ({
      version,
      door: 'desktop',
      platform,
      home: folder,
      canStartAtLogin,
      hasTray: await hasTray(),
      ...(demo !== undefined && { demoCommand: demo })
    }),
    openLink,
    goTo
  }
}
