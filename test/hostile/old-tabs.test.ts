import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { openBrowserDoor, type BrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { SocketTransport, type LinkEnd, type LinkState } from '../../src/renderer/app/socket-transport.ts'
import { theTabKey } from '../../src/renderer/app/tab-key.ts'
import { contract } from '../../src/shared/contract.ts'
import { SUBPROTOCOL } from '../../src/shared/frames.ts'
import { fakeCore } from '../e2e/fake-core.ts'
import { eventually } from '../patience.ts'
import { keyIn, tabKeyOf } from '../contract/tab-key-of.ts'
import { tallyOf } from './tally.ts'

/** The page's own side of the door, on the real door, and on whoever has its port after it. */
const tally = tallyOf('another program at the port of a Stillpoint that has ended')

const folder = mkdtempSync(join(tmpdir(), 'stillpoint-tab-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What a browser keeps of a tab, and where it is. */
class Tab {
  readonly kept: Map<string, string>
  readonly states: LinkState[] = []
  readonly ends: LinkEnd[] = []
  readonly pushed: string[] = []
  readonly sockets: WebSocket[] = []
  transport: SocketTransport | undefined
  hash = ''
  /** What is lost of the next loading, which then stays as it is; and whether it has been. */
  loses: 'question' | 'answer' | 'proof' | undefined
  hasLost = false
  /** Nobody is reached. */
  isCut = false

  constructor(kept = new Map<string, string>()) {
    this.kept = kept
  }

  /** As a browser loads the page: with an address, or once more without. */
  load(origin: string, address?: string): void {
    this.leave()
    this.hash = address === undefined ? '' : new URL(address).hash
    vi.stubGlobal('sessionStorage', {
      getItem: (name: string) => this.kept.get(name) ?? null,
      setItem: (name: string, value: string) => this.kept.set(name, value),
      removeItem: (name: string) => this.kept.delete(name)
    })
    vi.stubGlobal('location', { hash: this.hash, pathname: '/' })
    vi.stubGlobal('history', { replaceState: () => (this.hash = '') })
    const { sockets, loses } = this
    this.hasLost = false
    const lost = (): Promise<never> => {
      this.hasLost = true
      return new Promise(() => undefined)
    }
    vi.stubGlobal('fetch', async (path: string, options: RequestInit) => {
      if (this.isCut) throw new TypeError('fetch failed')
      if (loses === 'question') return lost()
      const answer = await realFetch(origin + path, {
        ...options,
        headers: { ...(options.headers as Record<string, string>), origin }
      })
      return loses === 'answer' ? lost() : answer
    })
    vi.stubGlobal(
      'WebSocket',
      class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols, { origin })
          this.on('error', () => undefined)
          if (loses === 'proof') this.once('message', () => void lost())
          sockets.push(this)
        }

        override addEventListener(...given: Parameters<WebSocket['addEventListener']>): void {
          if (loses !== 'proof') super.addEventListener(...given)
        }
      }
    )
    const key = theTabKey()
    if (key === undefined) return
    this.transport = new SocketTransport(
      `${origin.replace('http', 'ws')}/core`,
      key,
      (state) => this.states.push(state),
      (why) => this.ends.push(why)
    )
    this.transport.listen('questions.changed', (value) => this.pushed.push(JSON.stringify(value)))
  }

  get isUp(): boolean {
    return this.states.at(-1) === 'up'
  }

  /** As where the door's process is killed: what it would say at its end is not heard, and nobody is there until another is. */
  async loseDoor(): Promise<void> {
    this.isCut = true
    this.sockets[0]?.terminate()
    await eventually(() => expect(this.states.at(-1)).toBe('lost'))
  }

  up = (): Promise<void> => eventually(() => expect(this.isUp).toBe(true))

  /** The browser takes down what the page had. */
  leave(): void {
    this.sockets.splice(0).forEach((socket) => {
      socket.removeAllListeners().on('error', () => undefined)
      socket.terminate()
    })
    this.states.length = 0
    this.ends.length = 0
  }
}

const realFetch = fetch
let door: BrowserDoor
let tab: Tab
let used: ReturnType<typeof vi.fn<() => void>>
let address: string

const openDoor = (port = 0): Promise<BrowserDoor> =>
  openBrowserDoor(contract, fakeCore('small').handlers, { port, rendererRoot: folder, report: vi.fn() })

beforeEach(async () => {
  door = await openDoor()
  used = vi.fn<() => void>()
  address = door.address(used)
  tab = new Tab()
})
afterEach(async () => {
  tab.leave()
  await door.close()
  vi.unstubAllGlobals()
})

const info = (): Promise<unknown> => tab.transport?.ask('app.info', []) ?? Promise.resolve()
const LOST = { ok: false, failure: { kind: 'connection-lost' } }

describe('a tab', () => {
  it('opens a window by its address, once both sides have proved the key, and keeps no key of the address', async () => {
    tab.load(door.origin, address)
    expect(tab.hash).toBe('')
    await tab.up()
    expect(await info()).toMatchObject({ ok: true })
    expect(used).toHaveBeenCalledTimes(1)
    expect([...tab.kept.values()].join('')).not.toContain(keyIn(address))
  })

  it('comes back to the same process: after a reload, in a second tab of its own, and where its socket broke', async () => {
    tab.load(door.origin, address)
    await tab.up()
    tab.load(door.origin)
    await tab.up()
    tab.load(door.origin, address) // the used address once more
    await tab.up()
    tab.sockets[0]?.terminate()
    await eventually(() => expect(tab.states).toContain('lost'))
    await tab.up()
    expect(await info()).toMatchObject({ ok: true })
    const second = new Tab(new Map(tab.kept))
    second.load(door.origin)
    await second.up()
    expect([tab.ends, second.ends]).toEqual([[], []])
    second.leave()
  })

  it.each(['question', 'answer', 'proof'] as const)(
    'keeps its address where it was reloaded, and the %s of the door was lost',
    async (loses) => {
      tab.loses = loses
      tab.load(door.origin, address)
      await eventually(() => expect(tab.hasLost).toBe(true))
      expect([tab.hash, tab.isUp, used.mock.calls.length]).toEqual(['', false, loses === 'proof' ? 1 : 0])
      tab.loses = undefined
      tab.load(door.origin)
      await tab.up()
      expect(await info()).toMatchObject({ ok: true })
      expect(used).toHaveBeenCalledTimes(1)
      expect([...tab.kept.values()].join('')).not.toContain(keyIn(address))
    }
  )

  it('is refused where another had the address first, and one of two at once wins', async () => {
    await tabKeyOf(address)
    tab.load(door.origin, address)
    await eventually(() => expect(tab.ends).toEqual(['refused']))
    expect(tab.kept.size).toBe(0)
    const mine = door.address(used)
    const [first, second] = [new Tab(), new Tab()]
    for (const each of [first, second]) each.load(door.origin, mine)
    await eventually(() =>
      expect([first.ends.length + second.ends.length, [first.isUp, second.isUp].sort()]).toEqual([1, [false, true]])
    )
    expect(used).toHaveBeenCalledTimes(2)
    for (const each of [first, second]) each.leave()
  })

  it('asks nothing by a bare address, and reads nothing of what another program left in its place', () => {
    tab.load(door.origin)
    expect(tab.transport).toBeUndefined()
    for (const left of [
      '5',
      'null',
      '{}',
      '[1]',
      '[null]',
      '[{"key":1}]',
      '[{"address":"x"}]',
      '[{"key":"../x"}]',
      'x'.repeat(43)
    ]) {
      tab = new Tab(new Map([['stillpoint-token', left]]))
      tab.load(door.origin)
      expect(tab.transport).toBeUndefined()
    }
  })
})

describe('a Stillpoint that ends', () => {
  it('tells its tabs, which say so and never ask again', async () => {
    tab.load(door.origin, address)
    await tab.up()
    await door.close()
    await eventually(() => expect(tab.ends).toEqual(['ended']))
    expect(tab.kept.size).toBe(0)
    expect(await info()).toMatchObject(LOST)
    expect(tab.sockets).toHaveLength(1)
  })

  it('and another one at its port are told apart', async () => {
    tab.load(door.origin, address)
    await tab.up()
    const { port } = door
    await tab.loseDoor()
    await door.close()
    door = await openDoor(port)
    expect(tab.ends).toEqual([])
    tab.isCut = false
    await eventually(() => expect(tab.ends).toEqual(['ended']))
  })
})

/** Another program at the port of a Stillpoint that crashed. It writes down all that it hears. */
class Imposter {
  readonly heard: string[] = []
  private readonly server: Server
  private readonly sockets = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL })

  constructor(answer: { readonly status: number; readonly body: string }, says: readonly string[]) {
    this.server = createServer((request, response) => {
      this.heard.push(`${request.method ?? ''} ${request.url ?? ''} ${JSON.stringify(request.headers)}`)
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
    })
    this.server.on('upgrade', (request, stream, head) => {
      this.heard.push(JSON.stringify(request.headers))
      this.sockets.handleUpgrade(request, stream, head, (socket) => {
        socket.on('message', (data: Buffer) => this.heard.push(`a frame ${data.toString()}`))
        for (const line of says) socket.send(line)
      })
    })
  }

  async listen(port: number): Promise<void> {
    this.server.listen(port, '127.0.0.1')
    await once(this.server, 'listening')
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
    this.sockets.clients.forEach((socket) => socket.terminate())
  }
}

describe('another program that has the port after a Stillpoint that ended without a word', () => {
  const challenge = JSON.stringify({ challenge: 'x'.repeat(43), key: 'x'.repeat(43) })
  const question = JSON.stringify({ push: 'questions.changed', value: [{ id: '1', kind: 'passphrase' }] })
  const wrong = JSON.stringify({ proof: 'x'.repeat(43) })
  const IMPOSTERS: Readonly<Record<string, readonly [{ status: number; body: string }, readonly string[]]>> = {
    'knows no key': [{ status: 403, body: '{}' }, []],
    'is no Stillpoint at all': [{ status: 501, body: '<html>' }, []],
    'answers with something else': [{ status: 200, body: '[]' }, []],
    'answers with nothing': [{ status: 200, body: 'null' }, []],
    'answers with a challenge of another shape': [{ status: 200, body: '{"challenge":"x"}' }, []],
    'asks for a passphrase': [{ status: 200, body: challenge }, [question, question]],
    'proves another key, and asks': [{ status: 200, body: challenge }, [wrong, question]],
    'sends what is no JSON': [{ status: 200, body: challenge }, ['<html>', question]]
  }

  it.each(Object.keys(IMPOSTERS))('%s: it learns nothing, and the tab ends', async (what) => {
    await tally.tried(async () => {
      const [answer, says] = IMPOSTERS[what] ?? [{ status: 0, body: '' }, []]
      const imposter = new Imposter(answer, says)
      tab.load(door.origin, address)
      await tab.up()
      const kept = [...tab.kept.values()].join('')
      const key = /[\w-]{43}/.exec(kept)?.[0] ?? ''
      const { port } = door
      await tab.loseDoor()
      await door.close()
      await imposter.listen(port)
      const before = tab.pushed.length
      expect(tab.ends).toEqual([])
      tab.isCut = false
      await eventually(() => expect(tab.ends).toEqual(['ended']))
      expect(imposter.heard).not.toEqual([])
      expect(await tab.transport?.ask('questions.answer', [{ id: '1', text: 'a passphrase' }])).toMatchObject(LOST)
      expect(tab.isUp).toBe(false)
      expect(tab.pushed.slice(before)).toEqual([])
      expect(key).toHaveLength(43)
      for (const secret of [key, keyIn(address), 'passphrase', 'a frame'])
        expect(imposter.heard.join('\n')).not.toContain(secret)
      expect(tab.kept.size).toBe(0)
      imposter.close()
    })
  })
})
