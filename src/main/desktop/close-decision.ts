import type { JobView } from '../../shared/views/job-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import { words } from './words.ts'

const { closing } = words
export type CloseAnswer = 'hide' | 'quit' | 'stay'

/** A dialog: its answers stand in the order of its buttons. The last one is what Escape means. */
export interface CloseQuestion {
  readonly message: string
  readonly detail: string
  readonly buttons: readonly { readonly label: string; readonly answer: CloseAnswer }[]
  /** Written down with the answer, unless that was to stay. */
  readonly remember: boolean
}

const QUIT = { label: closing.quit, answer: 'quit' } as const
const KEEP = { label: closing.keep, answer: 'hide' } as const
const STAY = { label: closing.stay, answer: 'stay' } as const

/** What closing the window means, or what has to be asked first. */
export function onClose(
  choice: Choices['onClose'],
  hasTray: boolean,
  running: readonly JobView[]
): CloseAnswer | CloseQuestion {
  if (choice === 'tray' && hasTray) return 'hide'
  if (choice === 'quit') return onQuit(running)
  if (hasTray)
    return {
      message: closing.keepOrQuit,
      detail: lines(closing.keepOrQuitText, closing.remembered, closing.goesOn(running)),
      buttons: [KEEP, QUIT, STAY],
      remember: true
    }
  // Who chose the tray means it, wherever there is one: that choice is kept.
  const remember = choice === 'ask'
  return {
    message: closing.quits,
    detail: lines(closing.quitsText, closing.goesOn(running)),
    buttons: [QUIT, STAY],
    remember
  }
}

/** Quitting is never asked twice about, unless something runs. */
export function onQuit(running: readonly JobView[]): 'quit' | CloseQuestion {
  if (running.length === 0) return 'quit'
  return { message: closing.quitWhile, detail: closing.goesOn(running), buttons: [QUIT, STAY], remember: false }
}

const lines = (...texts: readonly string[]): string => texts.filter((text) => text !== '').join('\n\n')
