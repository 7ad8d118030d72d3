import type { Session } from 'electron'
import { isOurPage, OUR_BLOBS } from './app-scheme.ts'

/** Behind the page's own policy: the window loads nothing from any network, whatever asks. */
export function refuseNetwork(session: { readonly webRequest: Pick<Session['webRequest'], 'onBeforeRequest'> }): void {
  session.webRequest.onBeforeRequest(({ url }, answer) => answer({ cancel: !isLocal(url) }))
}

const isLocal = (url: string): boolean => isOurPage(url) || url.startsWith(OUR_BLOBS) || url.startsWith('devtools://')
