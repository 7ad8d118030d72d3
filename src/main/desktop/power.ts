import type { PowerMonitor, PowerSaveBlocker } from 'electron'
import type { Seen } from './mirror.ts'
import { streamsHere } from './progress.ts'

/** Waking up and unlocking come together; one look is enough. */
const TOGETHER_MS = 2000

/** Calls `wake` when the computer has slept or was unlocked. */
export function watchWaking(
  monitor: Pick<PowerMonitor, 'on'>,
  wake: () => void,
  now: () => number = () => performance.now()
): void {
  let wokeAt = -Infinity
  const woken = (): void => {
    if (now() - wokeAt < TOGETHER_MS) return
    wokeAt = now()
    wake()
  }
  monitor.on('resume', woken)
  monitor.on('unlock-screen', woken)
}

/** Keeps the computer awake while bytes go through it, and only then: what runs on hosts needs it not. */
export class StayAwake {
  private readonly blocker: Pick<PowerSaveBlocker, 'start' | 'stop'>
  private id: number | undefined

  constructor(blocker: Pick<PowerSaveBlocker, 'start' | 'stop'>) {
    this.blocker = blocker
  }

  follow({ jobs = [] }: Pick<Seen, 'jobs'>): void {
    const needed = streamsHere(jobs)
    if (needed && this.id === undefined) this.id = this.blocker.start('prevent-app-suspension')
    if (needed || this.id === undefined) return
    this.blocker.stop(this.id)
    this.id = undefined
  }
}
