import type { WebContents } from 'electron'
import { isOurPage } from './app-scheme.ts'

/** Keeps a page where it is: no other origin, no new windows, no webviews, no frames elsewhere. */
export function confine(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  contents.on('will-navigate', refuseForeign)
  contents.on('will-frame-navigate', refuseForeign)
  contents.on('will-redirect', refuseForeign)
  contents.on('will-attach-webview', (event) => event.preventDefault())
}

function refuseForeign(event: { readonly url: string; preventDefault(): void }): void {
  if (!isOurPage(event.url)) event.preventDefault()
}
