import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { LiveValue } from '../../src/main/core/live/live-value.ts'
import { openIpcDoor } from '../../src/main/doors/ipc.ts'
import { openBrowserDoor, type BrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { bridgeOver, type Transport } from '../../src/shared/bridge.ts'
import type { Bridge, Handlers } from '../../src/shared/contract.ts'
import { contract } from '../../src/shared/contract.ts'
import { kindsOf, LATEST } from '../../src/shared/contract-shape.ts'
import { ENDED, proofProtocol, SUBPROTOCOL } from '../../src/shared/frames.ts'
import type { Result } from '../../src/shared/result.ts'
import type { NoticeView } from '../../src/shared/views/notice-view.ts'
import { fakeCore } from '../e2e/fake-core.ts'
import { keyIn, openWindow, provedBy, provingAddress, provingOwn, tabKeyOf } from './tab-key-of.ts'
import { eventually } from '../patience.ts'

const root = mkdtempSync(join(tmpdir(), 'stillpoint-doors-'))
afterAll(() => rmSync(root, { recursive: true }))

const notice = (id: string): NoticeView => ({
  id,
  at: '2026-11-25T09:00:00.000Z',
  severity: 'info',
  title: id,
  text: '',
  acknowledged: false
})

/** The fake core with one push in our hands. */
function coreWith(notices: LiveValue<readonly NoticeView[]>): Handlers {
  const { handlers } = fakeCore('small')
  return { ...handlers, notices: { ...handlers.notices, changed: (listener) => notices.listen(listener) } }
}

interface Opened {
  readonly bridge: Bridge
  readonly transport: Transport
  close(): Promise<void>
}

/** Electron's IPC as the preload uses it, in one process. */
function overIpc(handlers: Handlers): Promise<Opened> {
  const calls = new Map<string, (question: readonly unknown[]) => Promise<Result<unknown>>>()
  const listeners = new Set<(channel: string, json: string | undefined) => void>()
  const valueOf = (json: string | undefined): unknown => (json === undefined ? undefined : JSON.parse(json))
  const stop = openIpcDoor(
    contract,
    handlers,
    {
      handle: (channel, answer) => void calls.set(channel, answer),
      send: (channel, json) => listeners.forEach((listener) => listener(channel, json))
    },
    vi.fn()
  )
  const ask: Transport['ask'] = (channel, question) =>
    calls.get(channel)?.(structuredClone(question)) ?? Promise.reject(new Error(`no handler for ${channel}`))
  const transport: Transport = {
    ask,
    listen: (channel, listener) => {
      const pass = (name: string, json: string | undefined): void => {
        if (name === channel) listener(valueOf(json))
      }
      listeners.add(pass)
      void ask(LATEST, [channel]).then((answer) => {
        const latest = (answer as { value?: { json: string | undefined } }).value
        if (latest !== undefined) listener(valueOf(latest.json))
      })
      return () => void listeners.delete(pass)
    }
  }
  return Promise.resolve({
    bridge: bridgeOver(kindsOf(contract), transport) as Bridge,
    transport,
    close: () => Promise.resolve().then(stop)
  })
}

const openDoor = (handlers: Handlers): Promise<BrowserDoor> =>
  openBrowserDoor(contract, handlers, { port: 0, rendererRoot: root, report: vi.fn() })

async function connect(
  door: BrowserDoor,
  changes: { origin?: string | undefined; host?: string; protocol?: string; path?: string } = {}
): Promise<WebSocket> {
  const { origin = door.origin, host, path = '/core' } = changes
  const protocol = changes.protocol ?? (await provedBy(door.origin, provingAddress(door.address()))).protocol
  return new WebSocket(`ws://127.0.0.1:${door.port}${path}`, [SUBPROTOCOL, protocol], {
    ...('origin' in changes && changes.origin === undefined ? {} : { origin }),
    headers: host === undefined ? {} : { host }
  })
}

/** The real socket, as the page speaks through it. */
async function overSocket(handlers: Handlers): Promise<Opened> {
  const door = await openDoor(handlers)
  const waiting = new Map<number, (reply: unknown) => void>()
  const listeners = new Map<string, (value: unknown) => void>()
  const latest = new Map<string, unknown>()
  const socket = await openWindow(door.origin, provingAddress(door.address()), (frame) => {
    if ('push' in frame) {
      latest.set(frame.push, frame.value)
      listeners.get(frame.push)?.(frame.value)
    } else if ('id' in frame) waiting.get(frame.id)?.(frame.reply)
  })
  let next = 0
  const transport: Transport = {
    ask: (channel, question) =>
      new Promise((resolve) => {
        waiting.set(next, resolve)
        socket.send(JSON.stringify({ id: next++, channel, question }))
      }),
    listen: (channel, listener) => {
      listeners.set(channel, listener)
      if (latest.has(channel)) listener(latest.get(channel))
      return () => void listeners.delete(channel)
    }
  }
  return { bridge: bridgeOver(kindsOf(contract), transport) as Bridge, transport, close: () => door.close() }
}

describe.each([
  ['IPC', overIpc],
  ['WebSocket', overSocket]
])('the contract over %s', (_name, open) => {
  let opened: Opened | undefined
  afterEach(() => opened?.close())

  it('answers a question, and lets a failure through as data', async () => {
    opened = await open(fakeCore('small').handlers)
    expect(await opened.bridge.hosts.sshEntries()).toMatchObject({
      ok: true,
      value: expect.arrayContaining([expect.objectContaining({ alias: 'kvm-1' })]) as unknown
    })
    expect(await opened.bridge.points.show('20260101T000000Z-000000')).toMatchObject({
      ok: false,
      failure: { kind: 'not-found' }
    })
  })

  it('tells a window that comes late everything that was said before, and all that changes', async () => {
    const notices = new LiveValue<readonly NoticeView[]>(0, [notice('first')])
    opened = await open(coreWith(notices))
    const heard = vi.fn()
    opened.bridge.notices.changed(heard)
    await eventually(() => expect(heard).toHaveBeenCalledWith([notice('first')]))
    notices.set([notice('second')])
    await eventually(() => expect(heard).toHaveBeenLastCalledWith([notice('second')]))
  })

  it('refuses extra arguments, questions of the wrong shape and unknown channels', async () => {
    opened = await open(fakeCore('small').handlers)
    const { transport } = opened
    const refused = { ok: false, failure: { kind: 'usage' } }
    expect(await transport.ask('hosts.sshEntries', ['more'])).toMatchObject(refused)
    expect(await transport.ask('hosts.refresh', [{ name: 1 }])).toMatchObject(refused)
    expect(await transport.ask('hosts.refresh', [{ name: 'a', more: 1 }])).toMatchObject(refused)
    const unknown = await transport.ask('hosts.destroy', []).catch(() => refused) // Electron itself rejects it
    expect(unknown).toMatchObject({ ok: false })
  })
})

describe('the browser door', () => {
  let door: BrowserDoor | undefined
  afterEach(() => door?.close())
  const opens = (socket: WebSocket): Promise<boolean> =>
    new Promise((resolve) => {
      socket.once('open', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
  const statusOf = (headers: Record<string, string>, method = 'GET', path = '/'): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: door?.port, path, method, headers }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      sent.on('error', reject).end()
    })

  it('lets in its own page with the token, and nobody else', async () => {
    door = await openDoor(fakeCore('small').handlers)
    const { port } = door
    expect(await opens(await connect(door))).toBe(true)
    expect(
      await opens(await connect(door, { protocol: proofProtocol(`${'A'.repeat(43)}.`.repeat(4).slice(0, -1)) }))
    ).toBe(false)
    expect(await opens(await connect(door, { protocol: proofProtocol('') }))).toBe(false)
    expect(await opens(await connect(door, { origin: 'http://evil.example' }))).toBe(false)
    expect(await opens(await connect(door, { origin: `http://localhost:${port}` }))).toBe(false)
    expect(await opens(await connect(door, { origin: undefined }))).toBe(false)
    expect(await opens(await connect(door, { host: `evil.example:${port}` }))).toBe(false)
    expect(await opens(await connect(door, { path: '/other' }))).toBe(false)
    expect(await opens(new WebSocket(`ws://127.0.0.1:${port}/core`, { origin: `http://127.0.0.1:${port}` }))).toBe(
      false
    )
  })

  it('gives files to its own name only, by GET only', async () => {
    door = await openDoor(fakeCore('small').handlers)
    const host = `127.0.0.1:${door.port}`
    expect(await statusOf({ host })).toBe(404) // nothing is built in this folder
    expect(await statusOf({ host: `localhost:${door.port}` })).toBe(403)
    expect(await statusOf({ host: 'evil.example' })).toBe(403)
    expect(await statusOf({ host }, 'POST')).toBe(405)
    expect(await statusOf({ host }, 'GET', '/../../etc/passwd')).toBe(404)
  })

  it('gives a key of 256 bits for each window, another one to its tab, and knows none of another launch', async () => {
    door = await openDoor(fakeCore('small').handlers)
    const other = await openDoor(fakeCore('small').handlers)
    const [first, second] = [door.address(), door.address()]
    const tab = await tabKeyOf(first)
    expect(new Set([keyIn(first), keyIn(second), tab]).size).toBe(3)
    expect([first, second].map((address) => Buffer.from(keyIn(address), 'base64url').length)).toEqual([32, 32])
    await expect(openWindow(other.origin, provingOwn(tab))).rejects.toThrow('403')
    const { protocol } = await provedBy(door.origin, provingOwn(tab))
    expect(await opens(await connect(other, { protocol }))).toBe(false)
    await expect(tabKeyOf(other.address().replace(/#.*/, `#${keyIn(second)}`))).rejects.toThrow('403')
    await other.close()
  })

  it.each([
    ['100 MB', Buffer.alloc(100 << 20, 0x61), 1009],
    ['what is no JSON', 'not json', 1007],
    ['a frame of another shape', '{"id":-1}', 1007],
    ['binary', Buffer.from('{}'), 1008]
  ])('hangs up on %s', async (_what, data, code) => {
    door = await openDoor(fakeCore('small').handlers)
    const socket = await connect(door)
    await opens(socket)
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.send(data, () => undefined)
    expect([code, 1006]).toContain(await closed)
    expect(await opens(await connect(door))).toBe(true)
  })

  it('hangs up on whoever asks without end', async () => {
    door = await openDoor(fakeCore('small').handlers)
    const socket = await connect(door)
    await opens(socket)
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    for (let n = 0; n < 2000; n++)
      socket.send(JSON.stringify({ id: n, channel: 'hosts.sshEntries', question: [] }), () => undefined)
    expect(await closed).toBe(1008)
  })

  it('says goodbye to its windows when it ends, and to one that does not listen for a while', async () => {
    const ending = await openDoor(fakeCore('small').handlers)
    const hears = await connect(ending)
    await opens(hears)
    const sleeps = await connect(ending)
    await opens(sleeps)
    sleeps.pause()
    const code = new Promise<number>((resolve) => hears.once('close', resolve))
    await ending.close()
    expect(await code).toBe(ENDED)
    sleeps.terminate()
  })

  it('says plainly that its port is taken', async () => {
    door = await openDoor(fakeCore('small').handlers)
    const again = openBrowserDoor(contract, fakeCore('small').handlers, {
      port: door.port,
      rendererRoot: root,
      report: vi.fn()
    })
    await expect(again).rejects.toMatchObject({ failure: { kind: 'io', code: 'EADDRINUSE' } })
  })
})
