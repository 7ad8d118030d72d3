import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openBrowserDoor, type BrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { contract } from '../../src/shared/contract.ts'
import { KEY_PATH, SUBPROTOCOL } from '../../src/shared/frames.ts'
import { askChallenge, keyIn, nameOf, openWindow, provedBy, provingAddress, tabKeyOf } from '../contract/tab-key-of.ts'
import { fakeCore } from '../e2e/fake-core.ts'
import { OwnWindow } from './serving.ts'
import { tallyOf } from './tally.ts'

/** Any page on the web, or of another port of this computer, in the operator's own browser: it says who asks, and has no key. */
const tally = tallyOf('a page in the browser')

const folder = mkdtempSync(join(tmpdir(), 'stillpoint-page-'))
let door: BrowserDoor
let host: string

beforeAll(async () => {
  mkdirSync(join(folder, 'page/assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.js'), 'secret')
  writeFileSync(join(folder, 'page/index.html'), '<title>Stillpoint</title>')
  writeFileSync(join(folder, 'page/favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  writeFileSync(join(folder, 'page/assets/main.js'), 'export {}')
  const { handlers } = fakeCore('small')
  door = await openBrowserDoor(contract, handlers, { port: 0, rendererRoot: join(folder, 'page'), report: vi.fn() })
  host = `127.0.0.1:${door.port}`
})
afterAll(async () => {
  await door.close()
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}
type Headers = Readonly<Record<string, string>>

/** As a browser would send it, with the headers that no page can set. */
function ask(path: string, headers: Headers = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: door.port, path, method, headers: { host, ...headers }, agent: false },
      (answer) => {
        let body = ''
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      }
    )
    sent.on('error', reject).end()
  })
}

/** No, in a way that no other page can read anything from, nor tell which program says it. */
function expectNothing({ status, headers, body }: Answer): void {
  expect(status).toBe(403)
  expect(body).toBe('')
  expectGuarded(headers)
}

/** Which no page of ours ever needs, and none that is put into it may have. */
const DEVICES = ['camera', 'display-capture', 'geolocation', 'hid', 'microphone', 'midi', 'payment', 'serial', 'usb']

function expectGuarded(headers: Answer['headers']): void {
  expect(headers).toMatchObject({
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY'
  })
  const allowed = String(headers['permissions-policy']).split(', ')
  expect(allowed.filter((each) => !each.endsWith('=()'))).toEqual([])
  for (const device of DEVICES) expect(allowed).toContain(`${device}=()`)
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/)
  expect(Object.keys(headers).filter((name) => /^(access-control|server|x-powered|set-cookie)/.test(name))).toEqual([])
}

const FILES = ['/', '/index.html', '/favicon.svg', '/assets/main.js']

describe('the page itself', () => {
  const OWN: Readonly<Record<string, Headers>> = {
    'an address that is typed': {
      'sec-fetch-site': 'none',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document'
    },
    'its own script': { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'script' },
    'an old browser': {}
  }
  it.each(Object.entries(OWN))('gets its files, guarded: %s', async (_who, headers) => {
    for (const file of FILES) {
      const answer = await ask(file, headers)
      expect(answer.status).toBe(200)
      expectGuarded(answer.headers)
    }
  })

  it('is opened by a link or by our file, which the browser takes for another site', async () => {
    for (const site of ['cross-site', 'same-site'])
      expect(
        (await ask('/', { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).status
      ).toBe(200)
  })
})

describe('another page that puts one of our files into itself', () => {
  /** Mode and destination, as browsers say them for each way. */
  const WAYS: Readonly<Record<string, readonly [mode: string, target: string]>> = {
    'as a picture': ['no-cors', 'image'],
    'as a script': ['no-cors', 'script'],
    'as a module': ['cors', 'script'],
    'as a style': ['no-cors', 'style'],
    'as a font': ['cors', 'font'],
    'as sound': ['no-cors', 'audio'],
    'as a film': ['no-cors', 'video'],
    'as subtitles': ['cors', 'track'],
    'as a frame': ['navigate', 'iframe'],
    'as a frame of a set': ['navigate', 'frame'],
    'as a fenced frame': ['navigate', 'fencedframe'],
    'as an object': ['navigate', 'object'],
    'as an embedded one': ['navigate', 'embed'],
    'by fetch': ['cors', 'empty'],
    'by fetch, without reading': ['no-cors', 'empty'],
    'by fetch, as if it were its own': ['same-origin', 'empty'],
    'as a worker': ['same-origin', 'worker'],
    'as a shared worker': ['same-origin', 'sharedworker'],
    'as a service worker': ['same-origin', 'serviceworker'],
    'as a worklet': ['cors', 'audioworklet'],
    'as a manifest': ['cors', 'manifest'],
    'as a report': ['no-cors', 'report'],
    'as a beacon': ['no-cors', 'empty'],
    'as a style sheet of XML': ['same-origin', 'xslt'],
    'as JSON': ['cors', 'json'],
    'as an event source': ['cors', 'eventsource'],
    'by a way that is yet to come': ['websomething', 'something']
  }
  it.each(['cross-site', 'same-site'].flatMap((site) => Object.keys(WAYS).map((way) => [way, site] as const)))(
    'gets nothing %s, from %s',
    async (way, site) => {
      await tally.tried(async () => {
        const [mode = '', target = ''] = WAYS[way] ?? []
        for (const file of [...FILES, '/gone'])
          expectNothing(await ask(file, { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': target }))
      })
    }
  )

  it.each(['iframe', 'frame', 'object', 'embed', 'fencedframe', 'serviceworker'])(
    'nor does our own page, as %s',
    async (target) => {
      await tally.tried(async () =>
        expectNothing(
          await ask('/', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': target })
        )
      )
    }
  )

  it.each([
    ['fetched beforehand', { 'sec-purpose': 'prefetch' }],
    ['rendered beforehand', { 'sec-purpose': 'prefetch;prerender' }],
    ['fetched beforehand by an old browser', { purpose: 'prefetch' }]
  ])('is not %s, when nobody has come yet', async (_what, headers: Headers) => {
    await tally.tried(async () =>
      expectNothing(
        await ask('/', {
          'sec-fetch-site': 'none',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
          ...headers
        })
      )
    )
  })
})

const OTHER_ORIGINS = [
  'null',
  'https://evil.example',
  'http://localhost:PORT',
  'http://127.0.0.1',
  'http://127.0.0.1:1',
  'https://127.0.0.1:PORT',
  'http://127.0.0.1:PORT.evil.example',
  'http://evil.example:PORT',
  'http://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT@evil.example',
  'http://[::1]:PORT',
  'http://0.0.0.0:PORT',
  'http://127.1:PORT',
  'http://2130706433:PORT',
  'HTTP://127.0.0.1:PORT',
  'file://',
  'chrome-extension://abcdefghijklmnop',
  'moz-extension://0b5e',
  'http://127.0.0.1:PORT, https://evil.example',
  ''
]
const here = (text: string): string => text.replaceAll('PORT', String(door.port))

describe('a page of another origin', () => {
  it.each(OTHER_ORIGINS)('gets no file: %j', async (origin) => {
    await tally.tried(async () => {
      for (const file of FILES) expectNothing(await ask(file, { origin: here(origin) }))
    })
  })

  it.each(OTHER_ORIGINS)('gets no challenge for a key, and does not use it up: %j', async (origin) => {
    await tally.tried(async () => {
      const address = door.address()
      const authorization = `Bearer ${nameOf(keyIn(address))}`
      expectNothing(await ask(KEY_PATH, { authorization, origin: here(origin) }, 'POST'))
      expect(await tabKeyOf(address)).toHaveLength(43)
    })
  })

  it.each(['cross-site', 'same-site', 'none', 'same-origin, cross-site', 'SAME-ORIGIN', ''])(
    'nor by our own name, where the browser says %j',
    async (site) => {
      await tally.tried(async () => {
        const address = door.address()
        const authorization = `Bearer ${nameOf(keyIn(address))}`
        expectNothing(await ask(KEY_PATH, { authorization, origin: door.origin, 'sec-fetch-site': site }, 'POST'))
        expect(await tabKeyOf(address)).toHaveLength(43)
      })
    }
  )
})

describe('a name that leads here', () => {
  it.each([
    'localhost:PORT',
    '127.0.0.1',
    '127.0.0.1:80',
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1:PORT.evil.example',
    '127.0.0.1.nip.io:PORT',
    '127.1:PORT',
    '0177.0.0.1:PORT',
    '0x7f000001:PORT',
    '2130706433:PORT',
    '[::1]:PORT',
    '[::ffff:127.0.0.1]:PORT',
    '0.0.0.0:PORT',
    'user@127.0.0.1:PORT',
    '127.0.0.1:PORT/',
    '127.0.0.1:PORT, 127.0.0.1:PORT',
    '127.0.0.1:0PORT',
    '127.0.0.1:+PORT',
    'http://127.0.0.1:PORT',
    ' '
  ])('is not ours: %j', async (name) => {
    await tally.tried(async () => {
      for (const file of FILES) expectNothing(await ask(file, { host: here(name) }))
      expectNothing(await ask(KEY_PATH, { host: here(name), origin: door.origin }, 'POST'))
    })
  })
})

/** Pages of that very name (DNS rebinding) among them. */
const NO_PERSON: Readonly<Record<string, Headers>> = {
  'a page of that name opens it': { 'sec-fetch-site': 'same-origin' },
  'a page of that name fetches it': {
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'cors',
    'sec-fetch-dest': 'empty'
  },
  'a page of that name frames it': { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'iframe' },
  'another page opens it': { 'sec-fetch-site': 'cross-site' },
  'a page says where it is': { origin: 'http://evil.example' },
  'the browser fetches it beforehand': { 'sec-purpose': 'prefetch' }
}

describe('a person who typed another name of this computer, or came through a tunnel', () => {
  const TYPED: Headers = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const NAMES = ['localhost:PORT', '127.0.0.1:1', '[::1]:PORT', 'evil.example:PORT']

  it.each(NAMES)('is told in words what to do, and gets no page: %j', async (name) => {
    for (const path of ['/', '/index.html']) {
      const { status, headers, body } = await ask(path, { ...TYPED, host: here(name) })
      expect([status, headers['content-type']]).toEqual([403, 'text/plain; charset=utf-8'])
      expect(body).toContain(door.origin)
      expect(body).toContain(`ssh -L ${door.port}:127.0.0.1:${door.port} HOST`)
      expectGuarded(headers)
    }
  })

  it.each(
    NAMES.flatMap((name) => [...Object.entries(NO_PERSON)].map(([who, headers]) => [name, who, headers] as const))
  )('is not %j, where %s', async (name, _who, headers) => {
    await tally.tried(async () => {
      for (const file of FILES) expectNothing(await ask(file, { ...TYPED, host: here(name), ...headers }))
      expectNothing(await ask('/', { ...TYPED, host: here(name), ...headers }, 'POST'))
    })
  })

  it('is told no file, nor anything by another method', async () => {
    await tally.tried(async () => {
      for (const name of NAMES) {
        for (const file of ['/favicon.svg', '/assets/main.js', '/gone'])
          expectNothing(await ask(file, { ...TYPED, host: here(name) }))
        for (const method of ['POST', 'PUT', 'OPTIONS'])
          expectNothing(await ask('/', { ...TYPED, host: here(name) }, method))
      }
    })
  })
})

describe('a question before the question', () => {
  const asked = (headers: Headers): Headers => ({
    origin: 'https://evil.example',
    'access-control-request-method': 'POST',
    ...headers
  })
  it.each([
    ['for the network of this computer', asked({ 'access-control-request-private-network': 'true' })],
    ['for the local network', asked({ 'access-control-request-local-network': 'true' })],
    ['for a header', asked({ 'access-control-request-headers': 'authorization' })],
    ['for any method', asked({ 'access-control-request-method': 'DELETE' })],
    ['from nowhere', asked({ origin: 'null' })],
    ['from another port', asked({ origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' })],
    [
      'with what a browser says',
      asked({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' })
    ]
  ])('is answered with no, %s', async (_what, headers) => {
    for (const path of [KEY_PATH, '/core', ...FILES])
      await tally.tried(async () => expectNothing(await ask(path, headers, 'OPTIONS')))
  })

  it('gives no leave to our own page either: it has no need to ask', async () => {
    await tally.tried(async () => {
      const { status, headers } = await ask(
        KEY_PATH,
        { origin: door.origin, 'access-control-request-method': 'POST' },
        'OPTIONS'
      )
      expect(status).toBe(405)
      expectGuarded(headers)
    })
  })
})

describe('a method', () => {
  it.each([
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'PATCH',
    'TRACE',
    'PROPFIND',
    'MKCOL',
    'LINK',
    'PURGE',
    'SUBSCRIBE',
    'QUERY',
    'SEARCH'
  ])('other than GET has no file: %s', async (method) => {
    await tally.tried(async () => {
      for (const file of [...FILES, '/core']) {
        const { status, headers, body } = await ask(file, {}, method)
        expect([status, body]).toEqual([405, ''])
        expectGuarded(headers)
      }
    })
  })

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])('other than POST has no key: %s', async (method) => {
    await tally.tried(async () => {
      const address = door.address()
      const authorization = `Bearer ${nameOf(keyIn(address))}`
      const { status, body } = await ask(KEY_PATH, { authorization, origin: door.origin }, method)
      expect([404, 405]).toContain(status)
      expect(body).not.toContain('challenge')
      expect(await tabKeyOf(address)).toHaveLength(43)
    })
  })
})

describe('a path', () => {
  it.each([
    '/../secret.js',
    '/assets/../../secret.js',
    '/..',
    '/.',
    '/./index.html',
    '/%2e%2e/secret.js',
    '/%2E%2E%2fsecret.js',
    '/%252e%252e/secret.js',
    '/..%2fsecret.js',
    '/..%5csecret.js',
    '/..\\secret.js',
    '/assets\\main.js',
    '//secret.js',
    '//evil.example/',
    '/assets//main.js',
    '/assets/',
    '/assets',
    '/.env',
    '/index.html%00',
    '/index.html%0a',
    '/index.html/',
    '/INDEX.HTML',
    '/favicon.ico',
    '/key',
    '/key/',
    '/core',
    '/metrics',
    '/__proto__',
    '/constructor',
    '/%c0%ae%c0%ae/secret.js',
    '/%u002e%u002e/secret.js',
    '/assets/main.js/../../../secret.js',
    '/etc/passwd',
    '/proc/self/environ',
    '/C:/Windows/win.ini',
    'http://evil.example/',
    `/${'a/'.repeat(2000)}x.js`
  ])('that is none of the page leads to nothing: %j', async (path) => {
    await tally.tried(async () => {
      const { status, headers, body } = await ask(path)
      expect([status, body]).toEqual([404, 'Not found'])
      expectGuarded(headers)
    })
  })
})

describe('a key', () => {
  /** Whoever holds a good one, and uses it otherwise than our page. */
  const SHOWN: Readonly<Record<string, (key: string) => Headers>> = {
    'as a password': (key) => ({ authorization: `Basic ${Buffer.from(`stillpoint:${key}`).toString('base64')}` }),
    'without its scheme': (key) => ({ authorization: key }),
    'with another scheme': (key) => ({ authorization: `Token ${key}` }),
    'in small letters': (key) => ({ authorization: `Bearer ${key.toLowerCase()}A`.slice(0, 50) }),
    'with a letter more': (key) => ({ authorization: `Bearer ${key}A` }),
    'with a letter less': (key) => ({ authorization: `Bearer ${key.slice(1)}` }),
    'with padding': (key) => ({ authorization: `Bearer ${key}=` }),
    'in quotes': (key) => ({ authorization: `Bearer "${key}"` }),
    'in another writing of base64': (key) => ({
      authorization: `Bearer ${Buffer.from(key, 'base64url').toString('hex')}`
    }),
    twice: (key) => ({ authorization: `Bearer ${key}, Bearer ${key}` }),
    'behind another': (key) => ({ authorization: `Bearer ${'A'.repeat(43)}, Bearer ${key}` }),
    'as a cookie': (key) => ({ cookie: `key=${key}` }),
    'in a header of its own': (key) => ({ 'x-key': key }),
    'by where it came from': (key) => ({ referer: `${door.origin}/#${key}` }),
    'not at all': () => ({}),
    'that is empty': () => ({ authorization: 'Bearer ' }),
    'that is long': () => ({ authorization: `Bearer ${'A'.repeat(10_000)}` }),
    'of zeros': () => ({ authorization: `Bearer ${'A'.repeat(43)}` }),
    'of dashes': () => ({ authorization: `Bearer ${'-'.repeat(43)}` })
  }
  it.each(Object.keys(SHOWN))('is refused %s, and is not used up', async (how) => {
    await tally.tried(async () => {
      const address = door.address()
      const headers = SHOWN[how]?.(nameOf(keyIn(address))) ?? {}
      const { status, body } = await ask(KEY_PATH, { origin: door.origin, ...headers }, 'POST')
      expect([status, body]).toEqual([403, '{}'])
      expect(await tabKeyOf(address)).toHaveLength(43)
    })
  })

  it.each([`${KEY_PATH}?key=`, `${KEY_PATH}/`, '/?key=', '/core?token='])(
    'is refused in the path: %s',
    async (path) => {
      await tally.tried(async () => {
        const key = nameOf(keyIn(door.address()))
        expect((await ask(`${path}${key}`, { origin: door.origin }, 'POST')).status).toBe(405)
        expect((await ask(`${path}${key}`)).body).not.toContain('challenge')
      })
    }
  )

  it('of an address is good for one tab of twenty at once; the one of a tab stays, for each reload', async () => {
    await tally.tried(async () => {
      const address = door.address()
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => tabKeyOf(address)))
      const good = all.filter((result) => result.status === 'fulfilled')
      expect(good).toHaveLength(1)
      for (let n = 0; n < 3; n++) {
        const window = await OwnWindow.withKey(door.origin, good[0]?.value ?? '')
        expect(await window.ask('app.info')).toMatchObject({ ok: true })
        window.close()
      }
      expect((await askChallenge(door.origin, nameOf(keyIn(address)))).status).toBe(403)
    })
  })

  it('of an address is good until a window has opened, however often it was asked about', async () => {
    await tally.tried(async () => {
      const address = door.address()
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => askChallenge(door.origin, nameOf(keyIn(address))))
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(await tabKeyOf(address)).toHaveLength(43)
    })
  })

  it('that was found later opens nothing, not even with what its tab had said', async () => {
    await tally.tried(async () => {
      const address = door.address()
      const mine = provingAddress(address)
      const said = await provedBy(door.origin, mine)
      const connect = (): WebSocket =>
        new WebSocket(`ws://${host}/core`, [SUBPROTOCOL, said.protocol], { origin: door.origin })
      const own = connect()
      const came = await new Promise<Buffer>((resolve) => own.once('message', resolve))
      expect(JSON.parse(came.toString())).toEqual({ proof: said.expected })
      const again = connect()
      await expect(
        new Promise((resolve, reject) => again.once('open', resolve).once('error', reject))
      ).rejects.toThrow()
      await expect(openWindow(door.origin, mine)).rejects.toThrow('403')
      own.terminate()
    })
  })

  it('that was asked for long ago, and never used, ends when there are too many', async () => {
    await tally.tried(async () => {
      const [first = '', ...others] = Array.from({ length: 33 }, () => door.address())
      await expect(tabKeyOf(first)).rejects.toThrow()
      expect(await tabKeyOf(others.at(-1) ?? '')).toHaveLength(43)
    })
  })

  it('is not proved by a name, by what is proved of another key, nor by what the door itself says', async () => {
    await tally.tried(async () => {
      const address = door.address()
      const proving = provingAddress(address)
      const other = provingAddress(door.address())
      for (const own of [nameOf(keyIn(address)), keyIn(address), other.own, ''])
        await expect(openWindow(door.origin, { ...proving, own })).rejects.toThrow()
      const { protocol, expected } = await provedBy(door.origin, proving)
      const reflected = new WebSocket(`ws://${host}/core`, [SUBPROTOCOL, protocol.replace(/[^.]+$/, expected)], {
        origin: door.origin
      })
      await expect(
        new Promise((resolve, reject) => reflected.once('open', resolve).once('error', reject))
      ).rejects.toThrow()
      expect(await tabKeyOf(address)).toHaveLength(43)
    })
  })
})
