// What `npm start` can open here. Decisions only; scripts/start.mjs acts on them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Electron's binary as its own package would start it, without the fetching that `require('electron')` begins. */
export function electronBinary(root, env) {
  const folder = join(root, 'node_modules/electron')
  try {
    const name = readFileSync(join(folder, 'path.txt'), 'utf8').trim()
    const binary = join(env.ELECTRON_OVERRIDE_DIST_PATH || join(folder, 'dist'), name)
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined // never installed
  }
}

/** Why Electron cannot run here, whatever is installed. Undefined: nothing stands in the way. */
export function noElectronBecause({ platform, uid, env }) {
  if (platform !== 'linux') return undefined
  if (uid === 0) return 'Electron does not run as root'
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return 'There is no graphical session here'
  return undefined
}

/** Where Electron's own install script fetches from. A proxy is believed without a look. */
export function sourceOf(env) {
  const mirror = env.ELECTRON_MIRROR || env.npm_config_electron_mirror || 'https://github.com/'
  const isProxied = Boolean(env.HTTPS_PROXY || env.https_proxy || env.ELECTRON_GET_USE_PROXY)
  const { hostname, port, protocol } = URL.canParse(mirror) ? new URL(mirror) : new URL('https://github.com/')
  return { host: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443), isProxied }
}
