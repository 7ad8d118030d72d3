import { LiveValue } from '../core/live/live-value.ts'
import type { Notification } from './job-endings.ts'
import type { Mirror, Seen } from './mirror.ts'
import { Interruptions, newsOf, NoticeNews } from './notice-news.ts'
import { barOf } from './progress.ts'

export interface FollowPorts {
  /** Draws the tray; at most once a second, and each minute, for what is good grows old. */
  readonly draw: (seen: Seen, now: Date) => void
  readonly notify: (notification: Notification) => void
  readonly stayAwake: (seen: Seen) => void
  readonly progress: (bar: number) => void
  readonly startAtLogin: (wanted: boolean) => void
}

const DRAW_EVERY_MS = 1000
const AGES_EVERY_MS = 60_000

/** Carries what the core says to everything outside of the window. */
export function followCore(mirror: Mirror, ports: FollowPorts): void {
  const drawn = new LiveValue<Seen>(DRAW_EVERY_MS)
  drawn.listen((seen) => ports.draw(seen, new Date()))
  mirror.onChange((seen) => drawn.set(seen))
  setInterval(() => drawn.set(mirror.seen), AGES_EVERY_MS).unref()
  mirror.onChange(ports.stayAwake)
  const progress = onNew(ports.progress)
  mirror.onChange(({ live }) => progress(barOf(live)))
  const startAtLogin = onNew(ports.startAtLogin)
  mirror.onChange(({ choices }) => {
    if (choices !== undefined) startAtLogin(choices.startAtLogin)
  })
  const news = new NoticeNews(mirror.seen.notices)
  const interruptions = new Interruptions(ports.notify)
  const noticesHeard = onNew((notices: Seen['notices']) =>
    newsOf(news.heard(notices), mirror.seen, mirror.choices).forEach((each) => interruptions.with(each))
  )
  mirror.onChange(({ notices }) => noticesHeard(notices))
}

/** Calls only with what differs from the last time. */
function onNew<T>(listener: (value: T) => void): (value: T) => void {
  let last: { readonly value: T } | undefined
  return (value) => {
    if (last !== undefined && Object.is(last.value, value)) return
    last = { value }
    listener(value)
  }
}
