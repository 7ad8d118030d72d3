import { contextBridge, ipcRenderer } from 'electron'
import { bridgeOver } from '../shared/bridge.ts'
import { LATEST, type ChannelKinds, type Stop } from '../shared/contract-shape.ts'

/** Names and kinds of the contract's channels, put in by electron.vite.config.ts. */
declare const STILLPOINT_CHANNELS: ChannelKinds

/** The event stays here: through its sender the window would get at ipcRenderer itself. */
function listen(channel: string, listener: (value: unknown) => void): Stop {
  let heard = false
  const pass = (_event: unknown, json: string | undefined): void => {
    heard = true
    listener(valueOf(json))
  }
  ipcRenderer.on(channel, pass)
  // What was said before we listened. What came meanwhile is newer.
  void ipcRenderer.invoke(LATEST, channel).then((answer: { ok: boolean; value?: { json: string | undefined } }) => {
    if (answer.ok && answer.value !== undefined && !heard) listener(valueOf(answer.value.json))
  })
  return () => void ipcRenderer.off(channel, pass)
}

const valueOf = (json: string | undefined): unknown => (json === undefined ? undefined : JSON.parse(json))

const ask = (channel: string, question: readonly unknown[]): Promise<unknown> =>
  ipcRenderer.invoke(channel, ...question)

contextBridge.exposeInMainWorld('stillpoint', bridgeOver(STILLPOINT_CHANNELS, { ask, listen }))
