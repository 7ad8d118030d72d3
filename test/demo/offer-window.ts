import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { PointsView } from '../../src/shared/views/point-view.ts'
import { buildIfStale } from '../contract/built-window.ts'
import { openWindow, provingAddress } from '../contract/tab-key-of.ts'
import { Served } from '../e2e/served.ts'

const KNOWN_WITHIN_MS = 60_000

/**
 * Opens the app on the lab, by the browser door. Where somebody sits at the terminal it stays until they press Enter;
 * elsewhere it is seen to work, and ends.
 */
export async function offerWindow(settings: string, say: (line: string) => void): Promise<void> {
  say('\nBuilding the window.')
  buildIfStale()
  const isWatched = process.stdin.isTTY && process.stdout.isTTY
  const served = Served.start(settings, ...(isWatched ? ['--open'] : []))
  try {
    const { hosts, points } = await whatItShows(await served.address())
    say(`\nThe app is open on the lab: ${hosts} hosts, ${points} points. In your browser:\n  ${await served.address()}`)
    if (isWatched) {
      say('Press Enter to end the demo.')
      await once(process.stdin, 'data')
      process.stdin.unref()
    }
  } finally {
    await served.stop()
  }
}

/** Page and core as a browser gets them. @throws if they do not know both hosts and their points in time */
async function whatItShows(url: string): Promise<{ hosts: number; points: number }> {
  const { origin } = new URL(url)
  const page = await fetch(origin)
  if (!page.ok || !(await page.text()).includes('id="root"')) throw new Error('the window is not served')
  const said = new Map<string, unknown>()
  const socket = await openWindow(origin, provingAddress(url), (frame) => {
    if ('push' in frame) said.set(frame.push, frame.value)
  })
  try {
    const end = Date.now() + KNOWN_WITHIN_MS
    while (Date.now() < end) {
      await sleep(200)
      const hosts =
        (said.get('hosts.changed') as HostView[] | undefined)?.filter(({ state }) => state === 'up').length ?? 0
      const { points = [], known = false } = (said.get('points.changed') as PointsView | undefined) ?? {}
      if (hosts === 2 && known && points.length > 0) return { hosts, points: points.length }
    }
    throw new Error('the window does not show the lab')
  } finally {
    socket.terminate()
  }
}
