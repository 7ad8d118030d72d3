import { app, type BrowserWindow } from 'electron'
import { reloadAfterCrash } from './crashed-page.ts'
import type { DesktopCore } from './desktop-core.ts'
import type { Dialogs } from './dialogs.ts'
import type { Leaving } from './leaving.ts'
import { words } from './words.ts'

/** Closing it is decided elsewhere, and a page whose process is gone comes back. */
export function guardWindow(
  window: BrowserWindow,
  leaving: Leaving,
  core: Pick<DesktopCore, 'keepWhatIsKnown'>,
  dialogs: Dialogs,
  onFailure: (error: unknown) => void
): void {
  window.on('close', (event) => leaving.closing(event))
  window.on('session-end', () => {
    leaving.agree()
    // Windows ends the process without another word.
    core.keepWhatIsKnown()
  })
  reloadAfterCrash(window, {
    onReloaded: () => dialogs.say(words.trouble.crashed, words.trouble.crashedText),
    askAgain: () => dialogs.askToReload(),
    quit: () => app.quit(),
    onFailure
  })
}
