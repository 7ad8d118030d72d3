import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { displaySetup, placeWithin } from '../../../src/main/desktop/display-setup.ts'
import { WindowPlaces } from '../../../src/main/desktop/window-file.ts'

const laptop = { x: 0, y: 0, width: 1920, height: 1200 }
const beside = { x: 1920, y: 0, width: 2560, height: 1440 }
const free = (area: typeof laptop) => ({ ...area, height: area.height - 40 })

describe('a set-up of displays', () => {
  it('is the same whatever the order they are listed in, and another when one moves', () => {
    const setup = displaySetup([{ bounds: laptop }, { bounds: beside }])
    expect(displaySetup([{ bounds: beside }, { bounds: laptop }])).toBe(setup)
    expect(displaySetup([{ bounds: laptop }, { bounds: { ...beside, x: -2560 } }])).not.toBe(setup)
    expect(displaySetup([{ bounds: laptop }])).not.toBe(setup)
  })
})

describe('a remembered place', () => {
  it('stays as it is where it is all on a screen', () => {
    const place = { x: 2000, y: 100, width: 1100, height: 720 }
    expect(placeWithin(place, [laptop, beside])).toEqual(place)
  })

  it('comes back onto the screen that shows most of it', () => {
    expect(placeWithin({ x: 1800, y: -300, width: 1100, height: 720 }, [laptop, beside])).toEqual({
      x: 1920,
      y: 0,
      width: 1100,
      height: 720
    })
    expect(placeWithin({ x: 1000, y: 900, width: 1100, height: 720 }, [free(laptop)])).toEqual({
      x: 820,
      y: 440,
      width: 1100,
      height: 720
    })
  })

  it('shrinks to a screen that is smaller', () => {
    expect(placeWithin({ x: 10, y: 10, width: 3000, height: 2000 }, [free(laptop)])).toEqual(free(laptop))
  })

  it('counts for nothing where no screen is', () => {
    expect(placeWithin({ x: 9000, y: 0, width: 1100, height: 720 }, [laptop, beside])).toBeUndefined()
    expect(placeWithin({ x: 0, y: 0, width: 1100, height: 720 }, [])).toBeUndefined()
  })
})

describe('the file of places', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-places-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const place = { x: 1, y: 2, width: 900, height: 600, maximized: true }
  let n = 0
  const fresh = (): string => join(folder, `${(n += 1)}/window.json`)

  it('keeps one place for each set-up, also over a restart', () => {
    const path = fresh()
    new WindowPlaces(path).set('laptop', place)
    new WindowPlaces(path).set('docked', { ...place, x: 2000 })
    new WindowPlaces(path).set('laptop', { ...place, maximized: false })
    const places = new WindowPlaces(path)
    expect([places.get('laptop'), places.get('docked'), places.get('beamer')]).toEqual([
      { ...place, maximized: false },
      { ...place, x: 2000 },
      undefined
    ])
  })

  it('forgets the set-ups that were not met for longest', () => {
    const path = fresh()
    const places = new WindowPlaces(path)
    for (let met = 0; met < 30; met++) places.set(`setup ${met}`, place)
    expect([places.get('setup 0'), places.get('setup 29')]).toEqual([undefined, place])
    expect(readFileSync(path, 'utf8').length).toBeLessThan(5000)
  })

  it.each(['', '{', '[]', '{"places":[{"setup":"a","place":{"x":"1"}}]}', '{"places":{"__proto__":1}}', '\0'])(
    'that reads %j counts as none, and is written anew',
    (text) => {
      const path = fresh()
      const places = new WindowPlaces(path)
      places.set('a', place)
      writeFileSync(path, text)
      expect(places.get('a')).toBeUndefined()
      places.set('a', place)
      expect(places.get('a')).toEqual(place)
    }
  )

  it('is gone without where nothing can be written', () => {
    writeFileSync(join(folder, 'file'), '')
    const places = new WindowPlaces(join(folder, 'file/window.json'))
    places.set('a', place)
    expect(places.get('a')).toBeUndefined()
  })
})
