import type { Dialog, MessageBoxOptions, MessageBoxReturnValue } from 'electron'
import { safeLines, safeText } from '../../shared/safe-text.ts'
import type { CloseAnswer, CloseQuestion } from './close-decision.ts'
import type { Window } from './window-keeper.ts'
import { words } from './words.ts'

const { trouble, closing } = words

/** The system's own dialogs, over the window if it can be seen. */
export class Dialogs {
  private readonly boxes: Pick<Dialog, 'showMessageBox'>
  private readonly window: () => Window | undefined

  constructor(boxes: Pick<Dialog, 'showMessageBox'>, window: () => Window | undefined) {
    this.boxes = boxes
    this.window = window
  }

  /** The last button is the harmless one: Escape, and a dialog that cannot be shown, mean that. */
  async ask({ message, detail, buttons, remember }: CloseQuestion): Promise<CloseAnswer> {
    const last = buttons.length - 1
    const labels = buttons.map(({ label }) => label)
    const defaultId = remember ? 0 : last
    const response = await this.show({ type: 'question', message, detail, buttons: labels, defaultId, cancelId: last })
    return buttons[response ?? last]?.answer ?? 'stay'
  }

  /** The window has stopped again: true to open it once more. */
  async askToReload(): Promise<boolean> {
    const buttons = [trouble.reload, closing.quit]
    return (await this.show({ type: 'warning', message: trouble.crashedAgain, buttons, cancelId: 0 })) !== 1
  }

  /** Says something that needs no answer. */
  say(message: string, detail: string): void {
    void this.show({ type: 'info', message, detail, buttons: [trouble.ok] })
  }

  /** The number of the button; undefined where dialogs cannot be shown. */
  private async show({ message, detail = '', ...options }: MessageBoxOptions): Promise<number | undefined> {
    const window = this.window()
    const all = {
      ...options,
      message: safeText(message),
      detail: safeLines(detail),
      title: words.product,
      noLink: true
    }
    try {
      const over = window?.isVisible() === true
      const shown: MessageBoxReturnValue = over
        ? await this.boxes.showMessageBox(window, all)
        : await this.boxes.showMessageBox(all)
      return shown.response
    } catch {
      return undefined
    }
  }
}
