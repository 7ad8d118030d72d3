import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { proofProtocol, SUBPROTOCOL } from '../../src/shared/frames.ts'
import { keyIn, nameOf, newNonce, provedBy, provingOwn, tabKeyOf } from '../contract/tab-key-of.ts'
import { eventually } from '../patience.ts'
import { uniqueSeconds } from '../processes-with.ts'
import { dial, ENDINGS, heardUntilClosed, requestOf, say } from './raw-client.ts'
import { OwnWindow, Serving } from './serving.ts'
import { tallyOf } from './tally.ts'

/** Somebody else on the same computer, who can speak to the port and read `/proc`, and has no key. */
const tally = tallyOf('a neighbour of the browser door')

let serving: Serving
let address: URL
let port: number
let window: OwnWindow
/** The next address, which nobody has opened yet. */
let unused: string
/** The window's key proved, for a challenge that nobody has answered yet. */
let proof: string
let handles: number

beforeAll(async () => {
  serving = Serving.start()
  address = new URL(await serving.served.address())
  port = Number(address.port)
  window = await OwnWindow.open(address.href)
  unused = await serving.served.address()
  await proveAnew()
  handles = serving.handles
})
afterAll(async () => {
  window.close()
  await serving.stop()
})

async function proveAnew(): Promise<void> {
  ;({ protocol: proof } = await provedBy(address.origin, provingOwn(window.key)))
}

/** The operator notices nothing: the window that is open goes on, and the page can be had. */
async function standsAsBefore(): Promise<void> {
  expect(serving.isAlive).toBe(true)
  expect(await window.ask('app.info')).toMatchObject({ ok: true })
  expect((await fetch(address.origin)).status).toBe(200)
  // Nor is there anything that the last resort had to write down.
  expect(existsSync(join(serving.settings, 'errors.log'))).toBe(false)
}

/** What `fetch` keeps open for its next request is let go of by and by. */
const handlesAreBack = (): Promise<void> => eventually(() => expect(serving.handles).toBeLessThanOrEqual(handles), 200)

const REFUSED = /^HTTP\/1\.1 4\d\d /

type Lines = Readonly<Record<string, string>>

/** A WebSocket as our own page would ask for it, with something amiss. Lines that are empty are left out. */
function upgrade(amiss: Lines = {}, begin = 'GET /core HTTP/1.1'): string {
  const lines = {
    Host: address.host,
    Origin: address.origin,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Protocol': `${SUBPROTOCOL}, ${proof}`,
    ...amiss
  }
  const given = Object.entries(lines).filter(([, value]) => value !== '')
  return requestOf(begin, ...given.map(([name, value]) => `${name}: ${value}`))
}

const shown = (protocol: string): Lines => ({ 'Sec-WebSocket-Protocol': `${SUBPROTOCOL}, ${protocol}` })
const madeUp = (name: string): Lines => shown(proofProtocol([name, newNonce(), newNonce(), newNonce()].join('.')))
/** The proof with one of its four parts in place of the right one: name, challenge, nonce, mac. */
const parts = (): string[] => proof.slice(proofProtocol('').length).split('.')
const but = (part: number, by: string): Lines => shown(proofProtocol(parts().with(part, by).join('.')))

const UPGRADES: Readonly<Record<string, () => string>> = {
  'no proof': () => upgrade({ 'Sec-WebSocket-Protocol': '' }),
  'the name of the protocol alone': () => upgrade({ 'Sec-WebSocket-Protocol': SUBPROTOCOL }),
  'an empty proof': () => upgrade(shown(proofProtocol(''))),
  'a proof of the right length': () => upgrade(madeUp(newNonce())),
  "the name of the window's key, and nothing proved": () => upgrade(madeUp(nameOf(window.key))),
  'the name of an address that nobody has opened, and nothing proved': () => upgrade(madeUp(nameOf(keyIn(unused)))),
  "the window's key itself": () => upgrade(shown(`token.${window.key}`)),
  'the key of an address that nobody has opened': () => upgrade(shown(proofProtocol(keyIn(unused)))),
  'the proof under the name of an address that nobody has opened': () => upgrade(but(0, nameOf(keyIn(unused)))),
  'the proof under the name of the address that the window came by': () => upgrade(but(0, nameOf(keyIn(address.href)))),
  'the proof for another challenge': () => upgrade(but(1, newNonce())),
  'the proof for another nonce': () => upgrade(but(2, newNonce())),
  'a proof but for its last letter': () => upgrade(shown(proof.slice(0, -1))),
  'a proof and a letter': () => upgrade(shown(`${proof}A`)),
  'a proof in capitals': () => upgrade(shown(proofProtocol(parts().join('.').toUpperCase()))),
  'a proof before the name': () => upgrade({ 'Sec-WebSocket-Protocol': `${proof}, ${SUBPROTOCOL}` }),
  'a proof without its mark': () => upgrade(shown(parts().join('.'))),
  'a third protocol': () => upgrade(shown(`${proof}, third`)),
  'a thousand protocols': () =>
    upgrade(shown(Array.from({ length: 1000 }, (_, n) => proofProtocol(String(n))).join(', '))),
  'another path': () => upgrade({}, 'GET / HTTP/1.1'),
  'the proof as a question': () =>
    upgrade({ 'Sec-WebSocket-Protocol': SUBPROTOCOL }, `GET /core?token=${window.key}&${proof} HTTP/1.1`),
  'a question behind the path': () => upgrade({}, 'GET /core? HTTP/1.1'),
  'the whole address as path': () => upgrade({}, `GET ${address.origin}/core HTTP/1.1`),
  'no Host': () => upgrade({ Host: '' }),
  'no Host, in HTTP/1.0': () => upgrade({ Host: '' }, 'GET /core HTTP/1.0'),
  'another Host': () => upgrade({ Host: `evil.example:${port}` }),
  'Host localhost': () => upgrade({ Host: `localhost:${port}`, Origin: `http://localhost:${port}` }),
  'two Hosts': () => upgrade({ Host: `${address.host}\r\nHost: evil.example` }),
  'another Origin': () => upgrade({ Origin: 'https://evil.example' }),
  'Origin null': () => upgrade({ Origin: 'null' }),
  'no Origin': () => upgrade({ Origin: '' }),
  'the Origin of another port': () => upgrade({ Origin: `http://127.0.0.1:${port + 1}` }),
  'two Origins': () => upgrade({ Origin: `${address.origin}\r\nOrigin: https://evil.example` }),
  'a browser that says that another site asks': () => upgrade({ 'Sec-Fetch-Site': 'cross-site' }),
  'a browser that says that another port asks': () => upgrade({ 'Sec-Fetch-Site': 'same-site' }),
  'a browser that says that nobody in particular asks': () => upgrade({ 'Sec-Fetch-Site': 'none' }),
  'an upgrade to HTTP/2': () => upgrade({ Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }),
  'an upgrade by POST': () => upgrade({}, 'POST /core HTTP/1.1'),
  'an old version of the protocol': () => upgrade({ 'Sec-WebSocket-Version': '7' }),
  'no nonce': () => upgrade({ 'Sec-WebSocket-Key': '' }),
  'a nonce of another length': () => upgrade({ 'Sec-WebSocket-Key': 'short' }),
  'a body behind it': () =>
    `${upgrade({ ...shown(proofProtocol('x')), 'Content-Length': '100000' })}${'x'.repeat(100_000)}`,
  'frames behind it': () =>
    Buffer.concat([Buffer.from(upgrade(shown(proofProtocol('x')))), randomBytes(60_000)]).toString('latin1')
}

it('a WebSocket with a proof is let in, and the same once more is not', async () => {
  await tally.tried(async () => {
    await proveAnew()
    const socket = await dial(port)
    socket.write(upgrade())
    const came = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
    expect(came.toString('latin1')).toContain('101 Switching')
    expect(await say(port, upgrade(), 'listens to the end')).toMatch(REFUSED)
    socket.destroy()
    await standsAsBefore()
  })
})

describe.each(ENDINGS)('a WebSocket that is refused, by a client that %s', (ending) => {
  beforeEach(proveAnew)

  it.each(Object.keys(UPGRADES))('%s', async (what) => {
    await tally.tried(async () => {
      const answer = await say(port, UPGRADES[what]?.() ?? '', ending)
      // A client that still sends when it is refused may not hear why.
      if (ending === 'listens to the end' && !what.endsWith('behind it')) expect(answer).toMatch(REFUSED)
      expect(answer ?? '').not.toContain('101 Switching')
      await standsAsBefore()
    })
  })
})

const host = (): string => `Host: ${address.host}`
const TLS_HELLO = Buffer.from('16030100c6010000c20303', 'hex')

const GARBAGE: Readonly<Record<string, () => string | Buffer>> = {
  'the beginning of HTTP/2': () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  'the hello of TLS': () => Buffer.concat([TLS_HELLO, randomBytes(192)]),
  'the hello of SSH': () => 'SSH-2.0-OpenSSH_9.2p1\r\n',
  'a question to a proxy of SOCKS': () => Buffer.from('050100', 'hex'),
  'a mail': () => 'EHLO example\r\nMAIL FROM:<a@b>\r\n',
  'random bytes': () => randomBytes(4096),
  'a megabyte of random bytes': () => randomBytes(1 << 20),
  'nothing but NUL': () => Buffer.alloc(4096),
  'nothing but line ends': () => '\r\n'.repeat(50_000) + 'x\r\n\r\n',
  'a JSON text': () => '{"id":1,"channel":"app.info","question":[]}\r\n\r\n',
  'HTTP/0.9': () => 'GET /\r\n\r\n',
  'HTTP/3.0': () => requestOf('GET / HTTP/3.0', host()),
  'no version': () => requestOf('GET / HTTP/', host()),
  'a method of its own': () => requestOf('STEAL / HTTP/1.1', host()),
  'a method in small letters': () => requestOf('get / HTTP/1.1', host()),
  'a header of a megabyte': () => requestOf('GET / HTTP/1.1', host(), `X: ${'x'.repeat(1 << 20)}`),
  'ten thousand headers': () =>
    requestOf('GET / HTTP/1.1', host(), ...Array.from({ length: 10_000 }, (_, n) => `X-${n}: 1`)),
  'a path of a megabyte': () => requestOf(`GET /${'a'.repeat(1 << 20)} HTTP/1.1`, host()),
  'a header without a colon': () => requestOf('GET / HTTP/1.1', host(), 'nonsense'),
  'a space before the colon': () => requestOf('GET / HTTP/1.1', host(), 'X : 1'),
  'a folded header': () => requestOf('GET / HTTP/1.1', 'Host: evil', ` ${address.host}`),
  'NUL in a header': () => requestOf('GET / HTTP/1.1', host(), 'X: a\0b'),
  'a bare carriage return in a header': () => requestOf('GET / HTTP/1.1', host(), 'X: a\rHost: b'),
  'NUL in the path': () => requestOf('GET /\0 HTTP/1.1', host()),
  'a path that is no text': () =>
    Buffer.concat([
      Buffer.from('GET /'),
      Buffer.from([0xff, 0xfe, 0x80]),
      Buffer.from(` HTTP/1.1\r\n${host()}\r\n\r\n`)
    ]),
  'a path that begins with nothing': () => requestOf('GET  HTTP/1.1', host()),
  'a path for all': () => requestOf('OPTIONS * HTTP/1.1', host(), 'Connection: close'),
  'a tunnel': () => requestOf('CONNECT 127.0.0.1:22 HTTP/1.1', host()),
  'a tunnel to itself': () => requestOf(`CONNECT ${address.host} HTTP/1.1`, host()),
  'an address as a proxy gets it': () => requestOf('GET http://evil.example/ HTTP/1.1', host(), 'Connection: close'),
  'a length that is negative': () => requestOf('POST /key HTTP/1.1', host(), 'Content-Length: -1'),
  'a length that is no number': () => requestOf('POST /key HTTP/1.1', host(), 'Content-Length: 1e9'),
  'two lengths': () => requestOf('POST /key HTTP/1.1', host(), 'Content-Length: 1', 'Content-Length: 2'),
  'a length and chunks': () =>
    requestOf('POST /key HTTP/1.1', host(), 'Content-Length: 4', 'Transfer-Encoding: chunked') + '0\r\n\r\n',
  'chunks of an unknown kind': () => requestOf('POST /key HTTP/1.1', host(), 'Transfer-Encoding: xchunked'),
  'a chunk that is endless': () =>
    requestOf('POST /key HTTP/1.1', host(), 'Transfer-Encoding: chunked') + 'ffffffffffffffff\r\n',
  'a body of a gigabyte, announced': () =>
    requestOf('POST /key HTTP/1.1', host(), 'Content-Length: 1073741824') + 'x'.repeat(100_000),
  'a body that waits to be asked for': () =>
    requestOf('POST /key HTTP/1.1', host(), 'Content-Length: 10', 'Expect: 100-continue'),
  'an expectation of its own': () => requestOf('GET / HTTP/1.1', host(), 'Expect: money', 'Connection: close'),
  'no Host': () => requestOf('GET / HTTP/1.1', 'Connection: close'),
  'an upgrade to something else': () => requestOf('GET / HTTP/1.1', host(), 'Connection: Upgrade', 'Upgrade: tls/1.0'),
  'a good request, and rubbish behind it': () => requestOf('GET /gone HTTP/1.1', host()) + '\0'.repeat(1000)
}
/** These are answered as any request is, or cut off in the middle of that. */
const MAY_BE_CUT = ['a good request, and rubbish behind it', 'nothing but line ends']

describe.each(ENDINGS)('what is no request, from a client that %s', (ending) => {
  it.each(Object.keys(GARBAGE))('%s', async (what) => {
    await tally.tried(async () => {
      const said = GARBAGE[what]?.() ?? ''
      const answer = await say(port, said, ending)
      // What does not listen while it speaks is cut off before it hears an answer.
      const listens = said.length < 50_000 && !MAY_BE_CUT.includes(what)
      if (ending === 'listens to the end' && listens)
        expect(answer).toMatch(/^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 4\d\d /)
      expect(answer ?? '').not.toMatch(/HTTP\/1\.1 [23]/)
      await standsAsBefore()
    })
  })
})

/** The largest file of the page. */
const biggest = (): string => {
  const assets = join(fileURLToPath(new URL('../../out/renderer/assets', import.meta.url)))
  const sizes = readdirSync(assets).map((name) => ({ name, size: statSync(join(assets, name)).size }))
  return sizes.toSorted((a, b) => b.size - a.size)[0]?.name ?? ''
}

describe('a client that asks again and again without waiting', () => {
  it.each([
    ['the page', () => '/'],
    ['the largest file', () => `/assets/${biggest()}`],
    ['what there is not', () => '/gone'],
    ['the largest file, under many names', () => `/assets/${biggest()}?`]
  ])('for %s ten thousand times is cut off, and costs no memory', async (_what, path) => {
    await tally.tried(async () => {
      const before = serving.residentBytes
      const one = requestOf(`GET ${path()} HTTP/1.1`, host())
      for (let n = 0; n < 10; n++) await say(port, one.repeat(1000), 'listens to the end')
      await standsAsBefore()
      expect(serving.residentBytes - before).toBeLessThan(64 << 20)
    })
  })
})

describe('a client that is never done', () => {
  const slowly = async (socket: Socket, text: string): Promise<void> => {
    for (const letter of text) {
      if (socket.destroyed) return
      socket.write(letter)
      await sleep(300)
    }
  }
  const begun = (): string => `GET / HTTP/1.1\r\n${host()}\r\nX: `
  const NEVER: Readonly<Record<string, (socket: Socket) => unknown>> = {
    'says nothing': () => undefined,
    'says nothing, and closes its half': (socket) => socket.end(),
    'says one letter': (socket) => socket.write('G'),
    'stops in the middle of a header': (socket) => socket.write(begun()),
    'stops in the middle of a header, and closes its half': (socket) => socket.end(begun()),
    'stops before the last line end': (socket) => socket.write(`GET / HTTP/1.1\r\n${host()}\r\n`),
    'says a letter now and then': (socket) => slowly(socket, begun() + 'x'.repeat(10_000)),
    'says a line end now and then': (socket) => slowly(socket, '\r\n'.repeat(10_000)),
    'stops in the middle of an upgrade': (socket) => socket.write(upgrade().slice(0, -2)),
    'stops after an upgrade that is refused': (socket) => socket.write(upgrade(shown(proofProtocol('x')))),
    'says a letter now and then after an upgrade that is refused': (socket) =>
      slowly(socket, upgrade(shown(proofProtocol('x')))),
    'announces a body that never comes': (socket) =>
      socket.write(requestOf('POST /key HTTP/1.1', host(), 'Content-Length: 10')),
    'keeps its connection after an answer': (socket) => socket.write(requestOf('GET /gone HTTP/1.1', host()))
  }

  it.each(Object.keys(NEVER))('is let go of when it %s', { concurrent: true }, async (what) => {
    await tally.tried(async () => {
      const socket = await dial(port)
      NEVER[what]?.(socket)
      expect(await heardUntilClosed(socket)).not.toContain('200 OK')
    })
  })

  it('is let go of when it does not read what it asked for', async () => {
    await tally.tried(async () => {
      const before = serving.handles
      const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(port)))
      sockets.forEach((socket) => socket.pause().write(requestOf(`GET /assets/${biggest()} HTTP/1.1`, host())))
      await eventually(() => expect(serving.handles).toBeGreaterThanOrEqual(before + 10), 1)
      await handlesAreBack()
      sockets.forEach((socket) => socket.destroy())
    })
    await standsAsBefore()
  })
})

describe('a neighbour who holds more connections than there may be', () => {
  const HOLDING: Readonly<Record<string, () => string>> = {
    'and says nothing on them': () => '',
    'and has begun a request on each': () => `GET / HTTP/1.1\r\n${host()}\r\n`,
    'and has had an answer on each': () => requestOf('GET /gone HTTP/1.1', host()),
    'and asks for the page on each without reading it': () => requestOf('GET / HTTP/1.1', host()),
    'and was refused on each': () => upgrade(shown(proofProtocol('x')))
  }

  it.each(Object.keys(HOLDING))('%s keeps the operator out of nothing', async (what) => {
    await tally.tried(async () => {
      const held = await Promise.all(Array.from({ length: 600 }, () => dial(port)))
      held.forEach((socket) => socket.pause().write(HOLDING[what]?.() ?? ''))
      const more = setInterval(() => void dial(port).then((socket) => held.push(socket)), 5)
      try {
        await standsAsBefore()
        const [reloaded, second] = [await OwnWindow.withKey(address.origin, window.key), await OwnWindow.open(unused)]
        unused = await serving.served.address()
        expect(await reloaded.ask('app.info')).toMatchObject({ ok: true })
        expect(await second.ask('app.info')).toMatchObject({ ok: true })
        reloaded.close()
        second.close()
        await eventually(() => expect(serving.handles).toBeLessThan(handles + 300), 50)
      } finally {
        clearInterval(more)
        held.forEach((socket) => socket.destroy())
      }
      await handlesAreBack()
    })
  })
})

describe('a flood of connections', () => {
  it('leaves a connection on which the page came to the window that asks for more on it', async () => {
    await tally.tried(async () => {
      const own = await dial(port)
      let heard = ''
      own.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
      const asked = requestOf('GET /favicon.svg HTTP/1.1', host())
      const answers = (): number => heard.match(/HTTP\/1\.1 200 /g)?.length ?? 0
      own.write(asked)
      await eventually(() => expect(answers()).toBe(1))
      const flood = await Promise.all(Array.from({ length: 600 }, () => dial(port)))
      await eventually(() => expect(serving.handles).toBeLessThan(handles + 150))
      own.write(asked)
      await eventually(() => expect(answers()).toBe(2))
      for (const socket of [own, ...flood]) socket.destroy()
      await handlesAreBack()
    })
  })
})

describe('ten thousand refused connections', () => {
  it('leave the door as it was, and its handles', async () => {
    await tally.tried(async () => {
      const before = serving.residentBytes
      const amiss = Object.values(UPGRADES)
      const one = (n: number): Promise<unknown> =>
        say(port, amiss[n % amiss.length]?.() ?? '', ENDINGS[Math.floor(n / amiss.length) % ENDINGS.length] ?? 'resets')
      for (let n = 0; n < 10_000; n += 50) {
        await proveAnew()
        await Promise.all(Array.from({ length: 50 }, (_, k) => one(n + k)))
      }
      await standsAsBefore()
      await handlesAreBack()
      expect(serving.residentBytes - before).toBeLessThan(64 << 20)
    })
  })
})

describe('a neighbour who reads what everybody may', () => {
  const seconds = uniqueSeconds()
  let opening: Serving
  let file: string
  let key: string
  beforeAll(async () => {
    opening = Serving.start(`echo "$1" > "$HOME/opened"\nexec sleep ${seconds}`)
    await opening.served.address()
    const url = await eventually(() => {
      const text = readFileSync(join(opening.home, 'opened'), 'utf8').trim()
      expect(text).toMatch(/^file:/)
      return text
    })
    file = fileURLToPath(url)
    key = /#([\w-]{43})"/.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
  })
  afterAll(async () => {
    process.kill(Number(processes().find(({ line }) => line.includes(seconds))?.pid))
    await opening.stop()
  })

  interface Process {
    readonly pid: string
    readonly line: string
    readonly environment: string
  }
  function processes(): Process[] {
    const read = (pid: string, name: string): string => {
      try {
        return readFileSync(`/proc/${pid}/${name}`, 'utf8')
      } catch {
        return ''
      }
    }
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => ({ pid, line: read(pid, 'cmdline'), environment: read(pid, 'environ') }))
  }

  it('finds the key in no argument and no environment, while the browser runs', async () => {
    await tally.tried(() => {
      expect(key).toHaveLength(43)
      const all = processes()
      expect(all.filter(({ line }) => line.includes(seconds))).toHaveLength(1)
      expect(all.filter(({ line, environment }) => (line + environment).includes(key))).toEqual([])
    })
  })

  it('finds the file that it is in closed, and the folder', async () => {
    await tally.tried(() => {
      expect(file.startsWith(join(opening.runtime, 'stillpoint-open'))).toBe(true)
      expect([file, join(file, '..')].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o700])
    })
    if (process.getuid?.() !== 0) return
    await tally.tried(() =>
      expect(() =>
        execFileSync('setpriv', ['--reuid', '65534', '--clear-groups', 'cat', file], { stdio: 'pipe' })
      ).toThrow()
    )
  })

  it('finds no file once the window is open, and no key anywhere that anything was written', async () => {
    await tally.tried(async () => {
      const tab = await tabKeyOf(/url=([^"]+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '')
      await eventually(() => expect(readdirSync(opening.runtime)).toEqual([]))
      const written = readdirSync(opening.home, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      expect(written.length).toBeGreaterThan(0)
      expect(written.filter((text) => text.includes(key) || text.includes(tab))).toEqual([])
    })
  })
})

describe('the file that leads to the window', () => {
  it('goes with the Stillpoint that wrote it', async () => {
    await tally.tried(async () => {
      const opening = Serving.start('exit 0')
      await opening.served.address()
      await eventually(() => expect(readdirSync(join(opening.runtime, 'stillpoint-open'))).toHaveLength(1))
      opening.served.child.kill('SIGTERM')
      await eventually(() => expect(readdirSync(opening.runtime)).toEqual([]))
      await opening.stop()
    })
  })
})

describe('what nobody caught', () => {
  const THROWN: Readonly<Record<string, string>> = {
    'an error': "throw new Error('thrown-in-test')",
    'a text': "throw 'thrown-in-test'",
    nothing: 'throw undefined',
    'an error of a file': "throw Object.assign(new Error('thrown-in-test'), { code: 'EPIPE' })",
    'a promise that nobody waits for': "Promise.reject(new Error('thrown-in-test'))",
    'an error whose stack throws':
      "throw Object.defineProperty(new Error(), 'stack', { get() { throw new Error('again') } })",
    'a socket that nobody listens to': "new (require('node:net').Socket)().emit('error', new Error('thrown-in-test'))",
    'a thousand at once': "for (let n = 0; n < 1000; n++) setImmediate(() => { throw new Error('thrown-in-test') })"
  }
  let thrower: Serving
  let own: OwnWindow
  let begun: string
  const log = (): string => readFileSync(join(thrower.settings, 'errors.log'), 'utf8')
  /** One that Stillpoint, and what it is made of, have no use of: USR2 shows the way to its window. */
  const THROW = 'SIGCONT'

  beforeAll(async () => {
    const script = join(serving.home, 'throws.cjs')
    begun = join(serving.home, 'begun')
    writeFileSync(begun, '')
    const cases = Object.values(THROWN).map((code) => `() => { ${code} }`)
    writeFileSync(
      script,
      `const cases = [${cases.join(',')}]
process.on('${THROW}', () => {
  require('node:fs').appendFileSync(${JSON.stringify(begun)}, 'x')
  cases.shift()()
})
`
    )
    thrower = Serving.start(undefined, { NODE_OPTIONS: `--require=${script}` })
    own = await OwnWindow.open(await thrower.served.address())
  })
  afterAll(async () => {
    own.close()
    await thrower.stop()
  })

  it.each(Object.keys(THROWN).map((what, n) => [what, n + 1] as const))(
    'is written down, and everything goes on: %s',
    async (_what, count) => {
      await tally.tried(async () => {
        process.kill(thrower.pid, THROW)
        await eventually(() => expect(readFileSync(begun, 'utf8')).toHaveLength(count))
        expect(await own.ask('app.info')).toMatchObject({ ok: true })
        expect(thrower.isAlive).toBe(true)
      })
    }
  )

  it('is written down so often, and then no more', async () => {
    await tally.tried(async () => {
      await eventually(() => expect(log().match(/thrown-in-test/g)?.length).toBeGreaterThan(4))
      expect(log().match(/^\d{4}-\S+Z /gm)?.length).toBeLessThanOrEqual(20)
    })
  })

  it('ends a Stillpoint that has not begun', async () => {
    await tally.tried(async () => {
      const script = join(serving.home, 'throws-first.cjs')
      writeFileSync(script, "process.nextTick(() => { throw new Error('before it began') })\n")
      const failing = Serving.start(undefined, { NODE_OPTIONS: `--require=${script}` })
      await expect(failing.served.address()).rejects.toThrow()
      await eventually(() => expect(failing.isAlive).toBe(false))
      expect(failing.served.child.exitCode).not.toBe(0)
      await failing.stop()
    })
  })
})
