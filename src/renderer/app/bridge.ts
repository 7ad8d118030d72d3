import { bridgeOver } from '../../shared/bridge.ts'
import type { Bridge } from '../../shared/contract.ts'
import type { ChannelKinds } from '../../shared/contract-shape.ts'
import { loadAllParts } from '../ui/lazy-part.ts'
import { SocketTransport, type LinkState } from './socket-transport.ts'
import { theTabKey, type TabKey } from './tab-key.ts'

declare global {
  interface Window {
    /** Put here by the preload of the desktop; nothing else of the outside is. A browser has none. */
    readonly stillpoint?: Bridge
  }
}

/** Names and kinds of the contract's channels, put in by electron.vite.config.ts. */
declare const STILLPOINT_CHANNELS: ChannelKinds

/** Why there is no way to the core: no key in the address, one that the door does not take (any more), or no Stillpoint. */
export type NoWay = 'no-key' | 'key-used' | 'ended'

/** The way to the core: the desktop's, else the browser door's. Undefined: there is none, and who asked has been told why. */
export function theCore(onLink: (state: LinkState) => void, onNoWay: (why: NoWay) => void): Bridge | undefined {
  if (window.stillpoint !== undefined) return window.stillpoint
  const key = theTabKey()
  if (key === undefined) {
    onNoWay('no-key')
    return undefined
  }
  const loaded = loadAllParts()
  const later: TabKey = { begin: () => loaded.then(() => key.begin()), forget: () => key.forget() }
  const transport = new SocketTransport(`ws://${location.host}/core`, later, onLink, (why) =>
    onNoWay(why === 'ended' ? why : 'key-used')
  )
  return bridgeOver(STILLPOINT_CHANNELS, transport) as Bridge
}
