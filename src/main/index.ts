import { join } from 'node:path'
import { contract } from '../shared/contract.ts'
import { failureOf } from '../shared/failure.ts'
import type { GoTo } from '../shared/views/notice-view.ts'
import { LiveCore } from './core/live/live-core.ts'
import { LiveValue } from './core/live/live-value.ts'
import { packageRoot, packageVersion } from './core/package.ts'
import { cacheFolder, settingsFolder } from './core/settings/folders.ts'
import { builtFiles, startDesktop } from './desktop/start.ts'
import { forTheWindow } from './doors/answer.ts'
import { errorLog } from './doors/error-log.ts'
import { handlersOver } from './doors/handlers.ts'
import { openIpcDoor } from './doors/ipc.ts'

const folder = settingsFolder(process.env)
const report = errorLog(folder)
const goTo = new LiveValue<GoTo | undefined>()

startDesktop({
  ...builtFiles(import.meta.dirname),
  userData: join(folder, 'window'),
  openDoor: (port, openLink) => {
    const live = new LiveCore({ folder, cache: cacheFolder(process.env), root: packageRoot() })
    const info = {
      version: packageVersion(),
      door: 'desktop',
      platform: process.platform,
      home: folder,
      canStartAtLogin: false,
      hasTray: false
    } as const
    openIpcDoor(contract, handlersOver(live, { info: () => info, openLink, goTo }), port, report)
  },
  onFailure: (error) => void forTheWindow(failureOf(error), report)
})
