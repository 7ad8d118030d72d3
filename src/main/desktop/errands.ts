import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf } from '../../shared/failure.ts'
import { safeText } from '../../shared/safe-text.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { DesktopCore } from './desktop-core.ts'
import type { Front } from './front.ts'
import type { TrayAction } from './tray-menu.ts'
import { words } from './words.ts'

export interface ErrandPorts {
  readonly core: Pick<DesktopCore, 'backUp'>
  readonly front: {
    readonly keeper: Pick<Front['keeper'], 'comeForward'>
    readonly notifier: Pick<Front['notifier'], 'notify'>
    readonly dialogs: Pick<Front['dialogs'], 'say'>
    goTo(to: GoTo): void
  }
  readonly quit: () => void
}

/** Does what was chosen in the tray's menu. What goes wrong is said where it can be seen without a window. */
export function act(ports: ErrandPorts, action: TrayAction): void {
  switch (action.do) {
    case 'open':
      ports.front.keeper.comeForward()
      break
    case 'quit':
      ports.quit()
      break
    case 'goTo':
      ports.front.goTo(action.to)
      break
    case 'backUp':
      ports.core
        .backUp(action.host, action.vm)
        .catch((error: unknown) => complain(ports, words.trouble.backUpFailed(action.name), error, action))
      break
  }
}

function complain(
  { front: { notifier, dialogs } }: ErrandPorts,
  title: string,
  error: unknown,
  { host, vm }: { readonly host: string; readonly vm: string }
): void {
  const why = describeFailure(failureOf(error))
  const body = safeText([why.title, why.explanation].filter((text) => text !== '').join('. '))
  if (!notifier.notify({ title, body, goTo: { screen: 'vm', host, vm } })) dialogs.say(title, body)
}
