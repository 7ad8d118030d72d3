import { bridgeOver } from '../../shared/bridge.ts'
import type { Bridge } from '../../shared/contract.ts'
import type { ChannelKinds } from '../../shared/contract-shape.ts'
import { SocketTransport, type LinkState } from './socket-transport.ts'

declare global {
  interface Window {
    /** Put here by the preload of the desktop; nothing else of the outside is. A browser has none. */
    readonly stillpoint?: Bridge
  }
}

/** Names and kinds of the contract's channels, put in by electron.vite.config.ts. */
declare const STILLPOINT_CHANNELS: ChannelKinds

const TOKEN = 'stillpoint-token'

/** The way to the core: the desktop's, else the browser door's. Undefined: there is no token, so there is no way. */
export function theCore(onLink: (state: LinkState) => void): Bridge | undefined {
  if (window.stillpoint !== undefined) return window.stillpoint
  const token = takeToken()
  if (token === undefined) return undefined
  const transport = new SocketTransport(`ws://${location.host}/core`, token, onLink)
  return bridgeOver(STILLPOINT_CHANNELS, transport) as Bridge
}

/** Out of the address bar and the history at once; this tab keeps it for a reload. */
function takeToken(): string | undefined {
  const fresh = location.hash.slice(1)
  if (fresh !== '') {
    sessionStorage.setItem(TOKEN, fresh)
    history.replaceState(undefined, '', location.pathname)
  }
  return sessionStorage.getItem(TOKEN) ?? undefined
}
