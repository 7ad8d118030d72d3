import type { BrowserWindow, IpcMain, IpcMainInvokeEvent } from 'electron'
import type { IpcPort } from '../../shared/ipc-port.ts'
import { failed } from '../../shared/result.ts'
import { isOurPage } from './app-scheme.ts'

type Windows = () => readonly Pick<BrowserWindow, 'webContents'>[]
type Sender = Pick<IpcMainInvokeEvent, 'sender' | 'senderFrame'>

/** Electron's IPC behind the door's port. Whoever is not the top frame of our own window is refused unheard. */
export function electronIpcPort(ipcMain: Pick<IpcMain, 'handle'>, windows: Windows): IpcPort {
  return {
    handle: (channel, answer) =>
      ipcMain.handle(channel, (event, ...question: unknown[]) =>
        isOurTopFrame(event, windows) ? answer(question) : NOT_OURS
      ),
    send: (channel, json) => windows().forEach((window) => window.webContents.send(channel, json))
  }
}

const NOT_OURS = failed({ kind: 'usage', message: 'Only the window of Stillpoint may ask.' })

/** A frame that has gone in the meantime is null, and not ours. */
function isOurTopFrame({ sender, senderFrame }: Sender, windows: Windows): boolean {
  if (senderFrame === null || !windows().some((window) => window.webContents === sender)) return false
  return senderFrame === sender.mainFrame && isOurPage(senderFrame.url)
}
