import * as z from 'zod'

/** In pixels of the desktop, as Electron counts them. */
export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const Coordinate = z.number().int().min(-100_000).max(100_000)
const Length = z.number().int().min(1).max(100_000)
export const WindowPlace = z.object({
  x: Coordinate,
  y: Coordinate,
  width: Length,
  height: Length,
  maximized: z.boolean()
})
export type WindowPlace = z.infer<typeof WindowPlace>

/** Names a set of screens and how they are arranged, in whatever order they are listed. */
export const displaySetup = (displays: readonly { readonly bounds: Area }[]): string =>
  displays
    .map(({ bounds: { x, y, width, height } }) => `${width}x${height}@${x},${y}`)
    .sort()
    .join(' ')

/**
 * The place, moved and shrunk into the screen that shows most of it: nothing of a window, and so not its title bar, may be
 * where no screen is. Undefined if no screen shows any of it.
 * @param screens what of each screen is free of panels
 */
export function placeWithin(place: Area, screens: readonly Area[]): Area | undefined {
  const best = screens
    .map((screen) => ({ screen, shown: overlap(place, screen) }))
    .reduce((a, b) => (b.shown > a.shown ? b : a), { screen: place, shown: 0 })
  if (best.shown === 0) return undefined
  const { screen } = best
  const width = Math.min(place.width, screen.width)
  const height = Math.min(place.height, screen.height)
  return {
    x: clamp(place.x, screen.x, screen.x + screen.width - width),
    y: clamp(place.y, screen.y, screen.y + screen.height - height),
    width,
    height
  }
}

const overlap = (a: Area, b: Area): number => span(a.x, a.width, b.x, b.width) * span(a.y, a.height, b.y, b.height)
const span = (from: number, length: number, otherFrom: number, otherLength: number): number =>
  Math.max(0, Math.min(from + length, otherFrom + otherLength) - Math.max(from, otherFrom))
const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
