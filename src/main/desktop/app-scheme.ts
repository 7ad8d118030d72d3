import type { Protocol } from 'electron'
import { readAsset } from '../core/window-files/read-asset.ts'

const SCHEME = 'app'
const HOST = 'stillpoint'
const ORIGIN = `${SCHEME}://${HOST}`

/** The one page there is. */
export const WINDOW_URL = `${ORIGIN}/index.html`
/** How the address of something begins that the page made itself. */
export const OUR_BLOBS = `blob:${ORIGIN}/`

/** Makes `app:` a scheme with a real origin. Electron takes this only before it is ready. */
export function registerAppScheme(protocol: Pick<Protocol, 'registerSchemesAsPrivileged'>): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }])
}

/** Serves the built window below `root`, and nothing else, to GET requests. */
export function serveWindowFiles(protocol: Pick<Protocol, 'handle'>, root: string): void {
  protocol.handle(SCHEME, async (request) => {
    if (request.method !== 'GET') return new Response('Only GET', { status: 405 })
    // Cut, not parsed: a parser would tidy up what has to be refused.
    const target = request.url.startsWith(`${ORIGIN}/`) ? request.url.slice(ORIGIN.length) : ''
    const { status, headers, body } = await readAsset(root, target)
    return new Response(body, { status, headers })
  })
}

/** True for pages of our own origin, compared after parsing: `app://stillpoint.evil/` is another host. */
export function isOurPage(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return parsed?.protocol === `${SCHEME}:` && parsed.host === HOST && parsed.username === '' && parsed.password === ''
}
