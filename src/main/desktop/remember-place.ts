import type { BrowserWindow, Screen } from 'electron'
import { displaySetup, placeWithin, type Area } from './display-setup.ts'
import type { WindowPlaces } from './window-file.ts'

type Screens = Pick<Screen, 'getAllDisplays' | 'on' | 'off'>
type Placed = Pick<
  BrowserWindow,
  'getNormalBounds' | 'isMaximized' | 'isFullScreen' | 'isDestroyed' | 'setBounds' | 'maximize' | 'on' | 'once'
>
/** A drag says where it is at every step. */
const SETTLE_MS = 500
const CHANGES = ['display-added', 'display-removed', 'display-metrics-changed'] as const

/** Where a window should open on the screens there are now. Undefined: in the middle, as Electron does. */
export function rememberedPlace(
  places: WindowPlaces,
  screens: Screens
): { readonly bounds: Area; readonly maximized: boolean } | undefined {
  const displays = screens.getAllDisplays()
  const place = places.get(displaySetup(displays))
  const bounds =
    place &&
    placeWithin(
      place,
      displays.map(({ workArea }) => workArea)
    )
  return place && bounds && { bounds, maximized: place.maximized }
}

/** Writes down where the window is, and moves it to where it was when screens come or go. */
export function rememberPlace(window: Placed, places: WindowPlaces, screens: Screens): void {
  let timer: NodeJS.Timeout | undefined
  const save = (): void => {
    clearTimeout(timer)
    if (window.isDestroyed() || window.isFullScreen()) return
    const { x, y, width, height } = window.getNormalBounds()
    places.set(displaySetup(screens.getAllDisplays()), { x, y, width, height, maximized: window.isMaximized() })
  }
  const saveSoon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(save, SETTLE_MS)
    timer.unref()
  }
  const otherScreens = (): void => {
    clearTimeout(timer) // where the system put it for want of a screen is no wish of the person
    const place = rememberedPlace(places, screens)
    if (place === undefined || window.isDestroyed()) return
    window.setBounds(place.bounds)
    if (place.maximized) window.maximize()
  }
  window.on('resize', saveSoon)
  window.on('move', saveSoon)
  window.on('maximize', saveSoon)
  window.on('unmaximize', saveSoon)
  window.on('close', save)
  for (const change of CHANGES) screens.on(change as 'display-added', otherScreens)
  window.once('closed', () => {
    clearTimeout(timer)
    for (const change of CHANGES) screens.off(change as 'display-added', otherScreens)
  })
}
