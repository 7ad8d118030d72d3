import { join } from 'node:path'
import { contract } from '../shared/contract.ts'
import { failureOf } from '../shared/failure.ts'
import { settingsFolder } from './core/settings/folders.ts'
import { builtFiles, startDesktop } from './desktop/start.ts'
import { forTheWindow } from './doors/answer.ts'
import { errorLog } from './doors/error-log.ts'
import { handlersOver } from './doors/handlers.ts'
import { hostsInSettings } from './doors/hosts-source.ts'
import { openIpcDoor } from './doors/ipc.ts'

const folder = settingsFolder(process.env)
const report = errorLog(folder)
const onFailure = (error: unknown): void => void forTheWindow(failureOf(error), report)
const handlers = handlersOver({ hosts: hostsInSettings(folder) }, onFailure)

startDesktop({
  ...builtFiles(import.meta.dirname),
  userData: join(folder, 'window'),
  openDoor: (port) => void openIpcDoor(contract, handlers, port, report),
  onFailure
})
