import { setTimeout as sleep } from 'node:timers/promises'
import type { JobView } from '../../shared/views/job-view.ts'
import type { DesktopCore } from './desktop-core.ts'
import type { Front } from './front.ts'
import { words } from './words.ts'

/** How long connections may take to close before the app is gone. */
const CLOSING_MS = 3000

/** Hides the window in the tray, and says what goes on meanwhile. */
export function putAway({ keeper, notifier }: Pick<Front, 'keeper' | 'notifier'>, running: readonly JobView[]): void {
  keeper.hide()
  if (running.length === 0) return
  const body = words.closing.goesOn(running, 'goes on')
  notifier.notify({ title: words.closing.inTray, body, goTo: { screen: 'activity' } })
}

/** Lets the core say goodbye to its hosts before the process ends. */
export function closeThenExit(
  event: { preventDefault(): void },
  core: Pick<DesktopCore, 'close'>,
  exit: () => void,
  onFailure: (error: unknown) => void
): void {
  event.preventDefault()
  void Promise.race([core.close().catch(onFailure), sleep(CLOSING_MS)]).then(exit)
}
