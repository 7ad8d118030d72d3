import type { Notification as ElectronNotification } from 'electron'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { Notification } from './job-endings.ts'

interface Maker {
  new (options: { title: string; body: string }): Pick<ElectronNotification, 'on' | 'show'>
  isSupported(): boolean
}

/** The system's notifications. Where there are none, or one fails, the window's inbox has it all the same. */
export class Notifier {
  /** Electron forgets a click on what nobody holds any more. */
  private readonly shown = new Set<object>()
  private readonly maker: Maker
  private readonly goTo: (to: GoTo) => void

  constructor(maker: Maker, goTo: (to: GoTo) => void) {
    this.maker = maker
    this.goTo = goTo
  }

  /** False if it could not be shown. */
  notify({ title, body, goTo }: Notification): boolean {
    try {
      if (!this.maker.isSupported()) return false
      const notification = new this.maker({ title, body })
      const forget = (): void => void this.shown.delete(notification)
      this.shown.add(notification)
      notification.on('close', forget)
      notification.on('failed', forget)
      notification.on('click', () => {
        forget()
        this.goTo(goTo)
      })
      notification.show()
      return true
    } catch {
      return false
    }
  }
}
