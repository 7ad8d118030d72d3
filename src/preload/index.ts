import { contextBridge, ipcRenderer } from 'electron'
import { bridgeOver } from '../shared/bridge.ts'
import type { ChannelKinds, Stop } from '../shared/contract-shape.ts'

/** Names and kinds of the contract's channels, put in by electron.vite.config.ts. */
declare const STILLPOINT_CHANNELS: ChannelKinds

/** The event stays here: through its sender the window would get at ipcRenderer itself. */
function listen(channel: string, listener: (value: unknown) => void): Stop {
  const pass = (_event: unknown, value: unknown): void => listener(value)
  ipcRenderer.on(channel, pass)
  return () => void ipcRenderer.off(channel, pass)
}

const ask = (channel: string, question: readonly unknown[]): Promise<unknown> =>
  ipcRenderer.invoke(channel, ...question)

contextBridge.exposeInMainWorld('stillpoint', bridgeOver(STILLPOINT_CHANNELS, { ask, listen }))
