import type { Notification as ElectronNotification } from 'electron'
import { safeText } from '../../shared/safe-text.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { Notification } from './job-endings.ts'

interface Maker {
  new (options: { title: string; body: string }): Pick<ElectronNotification, 'on' | 'show'>
  isSupported(): boolean
}

/** Of each host, more than anybody has on a screen. Those that are never closed would be held for ever. */
const MOST_SHOWN = 100

/** The system's notifications. Where there are none, or one fails, the window's inbox has it all the same. */
export class Notifier {
  /** The last of each host: Electron forgets a click on what nobody holds any more. */
  private readonly shown = new Map<string, Set<object>>()
  private readonly maker: Maker
  private readonly goTo: (to: GoTo) => void
  private readonly platform: NodeJS.Platform

  constructor(maker: Maker, goTo: (to: GoTo) => void, platform: NodeJS.Platform = process.platform) {
    this.maker = maker
    this.goTo = goTo
    this.platform = platform
  }

  /** False if it could not be shown. */
  notify({ title, body, goTo, host = '' }: Notification): boolean {
    try {
      if (!this.maker.isSupported()) return false
      const notification = new this.maker(harmless(title, body, this.platform))
      const forget = (): void => void this.shown.get(host)?.delete(notification)
      this.hold(host, notification)
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

  private hold(host: string, notification: object): void {
    const ofHost = this.shown.get(host) ?? new Set()
    this.shown.set(host, ofHost.add(notification))
    for (const oldest of ofHost) {
      if (ofHost.size <= MOST_SHOWN) return
      ofHost.delete(oldest)
    }
  }
}

/**
 * Electron hands both to libnotify as they are. By the specification of freedesktop the body is markup there, so it is
 * escaped; the title is not, and yet some servers draw it as such: what would begin a tag or an entity is shown as its code.
 */
function harmless(title: string, body: string, platform: NodeJS.Platform): { title: string; body: string } {
  const texts = { title: safeText(title), body: safeText(body) }
  if (platform !== 'linux') return texts
  return { title: texts.title.replaceAll(/<|&(?=#?\w+;)/g, codeShown), body: texts.body.replaceAll(/[<>&]/g, asEntity) }
}

const codeShown = (character: string): string => `\\u{${character.charCodeAt(0).toString(16)}}`
const asEntity = (character: string): string => (character === '<' ? '&lt;' : character === '>' ? '&gt;' : '&amp;')
