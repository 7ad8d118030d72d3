import { describe, expect, it } from 'vitest'
import { authority, isOwnPage, mayRead, ownOrigin } from '../../../src/main/doors/serve/gate.ts'

/** Browsers leave out the port of the Web, wherever they say where they are. */
describe('a door at port 80', () => {
  const asABrowser = { host: '127.0.0.1', 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }

  it('is where browsers say that it is', () => {
    const address = new URL(`${ownOrigin(80)}/#key`)
    expect([authority(80), ownOrigin(80)]).toEqual([address.host, address.origin])
    expect([authority(7878), ownOrigin(7878)]).toEqual(['127.0.0.1:7878', 'http://127.0.0.1:7878'])
  })

  it('gives its page, and takes it for its own', () => {
    expect(mayRead(asABrowser, 80, true)).toBe(true)
    expect(isOwnPage({ host: '127.0.0.1', origin: 'http://127.0.0.1' }, 80)).toBe(true)
  })

  it('is no other name or port than that', () => {
    for (const host of ['localhost', '127.0.0.1:7878', '127.0.0.1:80', 'evil.example'])
      expect(mayRead({ ...asABrowser, host }, 80, true)).toBe(false)
    expect(mayRead(asABrowser, 7878, true)).toBe(false)
  })
})
