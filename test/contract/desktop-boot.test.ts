import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import vm from 'node:vm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { contract } from '../../src/shared/contract.ts'
import { channelsOf, LATEST } from '../../src/shared/contract-shape.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { MenuItemConstructorOptions } from 'electron'
import { boot, FakeContents, fakeElectron, invokedBy, type FakeElectron } from './fake-electron.ts'
import { built, buildIfStale } from './built-window.ts'
import { eventually } from '../patience.ts'

const base = mkdtempSync(join(tmpdir(), 'stillpoint-boot-'))
const bin = join(base, 'bin')
const host = {
  name: 'host-a',
  address: '127.0.0.1',
  port: 1, // nobody listens there
  user: 'root',
  machineId: '5ca1ab1e',
  addedAt: '2026-11-23T12:00:00.000Z'
}
let home = ''
let homes = 0
const writeSettings = (value: object): void => writeFileSync(join(home, 'settings.json'), JSON.stringify(value))
const writeHosts = (...hosts: object[]): void => writeSettings({ version: 1, hosts, places: [] })

/** The session bus of a desktop that shows tray icons, or does not. */
function panelShowsTray(shows: boolean): void {
  writeFileSync(join(bin, 'busctl'), `#!/bin/sh\necho b ${shows}\n`)
  chmodSync(join(bin, 'busctl'), 0o755)
}

beforeAll(() => {
  buildIfStale()
  mkdirSync(bin)
  vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`)
  vi.stubEnv('XDG_CONFIG_HOME', join(base, 'config'))
  vi.stubEnv('XDG_CACHE_HOME', join(base, 'cache'))
})
beforeEach(() => {
  home = join(base, String((homes += 1)))
  mkdirSync(home)
  vi.stubEnv('STILLPOINT_HOME', home)
  panelShowsTray(true)
  writeHosts(host)
})
afterEach(() =>
  closing.splice(0).forEach(({ modules }) => modules.app.emit('will-quit', { preventDefault: () => undefined }))
)
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true })
})

const closing: FakeElectron[] = []

async function booted(fake: FakeElectron = fakeElectron()) {
  closing.push(fake)
  await boot(built.main, fake)
  const window = await eventually(() => {
    const [first] = fake.windows
    if (first?.loadURL.mock.calls.length !== 1) throw new Error('no window yet')
    return first
  })
  return { ...fake, ...fake.modules, window, contents: window.webContents }
}
type Booted = Awaited<ReturnType<typeof booted>>

describe('the window', () => {
  it('shuts its page in: sandbox, a world of its own, no node, no webview', async () => {
    const { window } = await booted()
    expect(window.options.webPreferences).toMatchObject({
      preload: built.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false
    })
  })

  it('is shown when there is something to see, in the colours of the system', async () => {
    const { window } = await booted()
    expect(window.loadURL).toHaveBeenCalledExactlyOnceWith('app://stillpoint/index.html')
    expect(window.options).toMatchObject({ show: false, backgroundColor: '#15181b' })
    expect(window.show).not.toHaveBeenCalled()
    window.emit('ready-to-show')
    expect(window.show).toHaveBeenCalledOnce()
  })

  it('goes nowhere else, opens nothing and attaches nothing', async () => {
    const { contents } = await booted()
    const prevented = (event: string, url: string): boolean => {
      const preventDefault = vi.fn()
      contents.emit(event, { url, preventDefault })
      return preventDefault.mock.calls.length > 0
    }
    const moves = ['will-navigate', 'will-frame-navigate', 'will-redirect']
    const elsewhere = ['https://evil.example/', 'app://stillpoint.evil/', 'file:///etc/passwd', 'javascript:alert(1)']
    expect(moves.flatMap((move) => elsewhere.map((url) => prevented(move, url)))).not.toContain(false)
    expect(prevented('will-navigate', 'app://stillpoint/index.html')).toBe(false)
    expect(prevented('will-attach-webview', 'app://stillpoint/index.html')).toBe(true)
    expect(contents.windowOpen?.()).toEqual({ action: 'deny' })
  })

  it('is granted no permission and no device', async () => {
    const { session } = await booted()
    const { setPermissionRequestHandler, setPermissionCheckHandler, setDevicePermissionHandler } =
      session.defaultSession
    const answer = vi.fn()
    const request = setPermissionRequestHandler.mock.calls[0]?.[0] as unknown as (...asked: unknown[]) => void
    request({}, 'clipboard-read', answer)
    expect(answer).toHaveBeenCalledExactlyOnceWith(false)
    expect((setPermissionCheckHandler.mock.calls[0]?.[0] as unknown as () => boolean)()).toBe(false)
    expect((setDevicePermissionHandler.mock.calls[0]?.[0] as unknown as () => boolean)()).toBe(false)
  })
})

describe('the app: protocol', () => {
  const served = async ({ schemes }: Booted, url: string, method = 'GET'): Promise<Response> => {
    const serve = schemes.get('app')
    if (serve === undefined) throw new Error('nothing serves app:')
    // As it comes from Chromium; a real Request would tidy the address up.
    return serve({ url, method } as Request)
  }

  it('is a scheme with an origin before Electron is ready, and no more privileged than that', async () => {
    const { order, protocol } = await booted()
    expect(order).toEqual(['scheme app', 'ready'])
    expect(protocol.registerSchemesAsPrivileged.mock.calls[0]?.[0]).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true } }
    ])
  })

  it('serves the page with its policy, and every file that the page names', async () => {
    const app = await booted()
    const page = await served(app, 'app://stillpoint/index.html')
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; /)
    const html = await page.text()
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/)
    const named = Array.from(html.matchAll(/(?:src|href)="\.([^"]+)"/g), ([, path]) => path ?? '')
    expect(named.length).toBeGreaterThanOrEqual(2)
    for (const path of named) expect((await served(app, `app://stillpoint${path}`)).status, path).toBe(200)
  })

  it.each([
    'app://stillpoint/../main/index.js',
    'app://stillpoint/../../package.json',
    'app://stillpoint/%2e%2e/main/index.js',
    'app://stillpoint/..\\main\\index.js',
    'app://stillpoint/index.html\0',
    'app://stillpoint/index.html%00',
    'app://stillpoint.evil/index.html',
    'app://stillpoint',
    'app://evil/index.html'
  ])('has nothing at %j', async (url) => {
    expect((await served(await booted(), url)).status).toBe(404)
  })

  it('answers nothing but GET', async () => {
    expect((await served(await booted(), 'app://stillpoint/index.html', 'POST')).status).toBe(405)
  })
})

describe('questions over IPC', () => {
  const answerTo = ({ calls }: Booted, channel: string, event: ReturnType<typeof invokedBy>, ...question: unknown[]) =>
    Promise.resolve(calls.get(channel)?.(event, ...question) as unknown)
  const ask = (app: Booted, channel: string, ...question: unknown[]): Promise<unknown> =>
    answerTo(app, channel, invokedBy(app.contents), ...question)

  it('are every call of the contract, the last word of pushes, and no others', async () => {
    const calls = channelsOf(contract).flatMap(([name, { kind }]) => (kind === 'call' ? [name] : []))
    expect([...(await booted()).calls.keys()].sort()).toEqual([...calls, LATEST].sort())
  })

  it('are answered with where the window is and what goes there', async () => {
    const app = await booted()
    const value = {
      version: '0.1.0',
      door: 'desktop',
      platform: process.platform,
      home,
      canStartAtLogin: true,
      hasTray: true,
      demoCommand: 'npm run demo'
    }
    // The panel is asked in good time, and may answer late.
    await eventually(async () => expect(await ask(app, 'app.info')).toEqual({ ok: true, value }))
    panelShowsTray(false)
    expect(await ask(await booted(), 'app.info')).toMatchObject({ value: { hasTray: false } })
  })

  it('are refused with extra arguments', async () => {
    const app = await booted()
    const refused = { ok: false, failure: { kind: 'usage' } }
    expect(await ask(app, 'app.info', 'x')).toMatchObject(refused)
    expect(await ask(app, 'app.info', undefined, 'x')).toMatchObject(refused)
  })

  it('are refused unheard from any sender but the top frame of our own window', async () => {
    const app = await booted()
    const senders = [
      invokedBy(app.contents, null),
      invokedBy(app.contents, { url: 'app://stillpoint/index.html' }),
      invokedBy(new FakeContents())
    ]
    const refused = { ok: false, failure: { kind: 'usage' } }
    for (const channel of ['app.info', 'settings.change', LATEST])
      for (const sender of senders) expect(await answerTo(app, channel, sender, {})).toMatchObject(refused)
    Object.assign(app.contents.mainFrame, { url: 'https://evil.example/' })
    expect(await ask(app, 'app.info')).toMatchObject(refused)
  })

  it('change what the operator has chosen, for window, tray and the session', async () => {
    const app = await booted()
    expect(await ask(app, 'settings.change', { startAtLogin: true })).toEqual({ ok: true, value: undefined })
    const entry = join(base, 'config/autostart/stillpoint.desktop')
    await eventually(() => expect(readFileSync(entry, 'utf8')).toContain('"--hidden"'))
    expect(readFileSync(join(home, 'settings.json'), 'utf8')).toContain('"startAtLogin": true')
    await ask(app, 'settings.change', { startAtLogin: false })
    await eventually(() => expect(existsSync(entry)).toBe(false))
  })

  it('open a page of the fixed table, by its key only', async () => {
    const app = await booted()
    await ask(app, 'app.openLink', 'qemuManual')
    for (const key of ['https://evil.example/', 'toString', '', null]) await ask(app, 'app.openLink', key)
    expect(app.shell.openExternal.mock.calls.map(([url]) => url)).toEqual(['https://www.qemu.org/docs/master/'])
  })
})

describe('pushes', () => {
  const hostsIn = ({ contents }: Booted): readonly HostView[] =>
    JSON.parse(
      String(contents.send.mock.calls.findLast(([channel]) => channel === 'hosts.changed')?.[1] ?? '[]')
    ) as HostView[]

  it('tell the window of the hosts in the settings, without what it has no business with', async () => {
    const app = await booted()
    await eventually(() => expect(hostsIn(app)).toMatchObject([{ name: 'host-a', state: 'down' }]))
    expect(JSON.stringify(hostsIn(app))).not.toContain('5ca1ab1e')
  })

  it('tell the window when the terminal door has added a host', async () => {
    const app = await booted()
    writeHosts(host, { ...host, name: 'host-b' })
    await eventually(() => expect(hostsIn(app).map(({ name }) => name)).toEqual(['host-a', 'host-b']))
  })

  it('lead the window to where the menu says', async () => {
    const app = await booted()
    const template = app.Menu.buildFromTemplate.mock.calls.flatMap(([given]) => given as MenuItemConstructorOptions[])
    const settings = template
      .flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []))
      .find(({ accelerator }) => accelerator === 'CmdOrCtrl+,')
    ;(settings?.click as (() => void) | undefined)?.()
    expect(app.contents.send).toHaveBeenLastCalledWith('app.goTo', '{"screen":"settings"}')
  })

  it('say in the tray, as in the window, that a host does not answer', async () => {
    const { trays } = await booted()
    await eventually(() =>
      expect(trays[0]?.setToolTip).toHaveBeenLastCalledWith(expect.stringContaining('host-a is out of reach'))
    )
  })
})

describe('the app', () => {
  it('keeps what Chromium writes in a folder of its own below the settings', async () => {
    expect((await booted()).app.setPath).toHaveBeenCalledExactlyOnceWith('userData', join(home, 'window'))
  })

  it('does nothing but quit if another instance runs', async () => {
    const fake = fakeElectron({ firstInstance: false })
    await boot(built.main, fake)
    await new Promise(setImmediate)
    expect(fake.modules.app.quit).toHaveBeenCalledOnce()
    expect(fake.modules.app.whenReady).not.toHaveBeenCalled()
    expect([fake.windows, fake.trays, [...fake.calls], [...fake.schemes]]).toEqual([[], [], [], []])
  })

  it('brings its window to the front when it is started again', async () => {
    const { app, window, windows } = await booted()
    window.minimized = true
    app.emit('second-instance')
    expect(window.restore).toHaveBeenCalledOnce()
    expect(window.focus).toHaveBeenCalledOnce()
    expect(windows).toHaveLength(1)
  })

  it('sandboxes every page', async () => {
    expect((await booted()).app.enableSandbox).toHaveBeenCalledOnce()
  })

  it('ends when it is told to, and closes its connections first', async () => {
    const { app, window } = await booted()
    app.quit()
    await eventually(() => expect(app.exit).toHaveBeenCalledOnce())
    expect(window.destroyed).toBe(true)
  })

  it('writes down what nobody caught, and goes on, from when its core is there until it has ended', async () => {
    const before = process.listeners('uncaughtException')
    const { app } = await booted()
    const added = process.listeners('uncaughtException').filter((listener) => !before.includes(listener))
    expect(added).toHaveLength(1)
    added[0]?.(new Error('nobody caught this'), 'uncaughtException')
    expect(readFileSync(join(home, 'errors.log'), 'utf8')).toContain('nobody caught this')
    expect(app.exit).not.toHaveBeenCalled()
    app.quit()
    await eventually(() => expect(process.listeners('uncaughtException')).not.toContain(added[0]))
  })

  it('goes on when its settings cannot be read for a while', async () => {
    const { failures, app, contents } = { failures: vi.fn(), ...(await booted()) }
    process.on('unhandledRejection', failures)
    writeSettings({ version: 99, hosts: [], places: [] })
    await eventually(() => expect(contents.send.mock.calls.map(([channel]) => channel)).toContain('notices.changed'))
    process.off('unhandledRejection', failures)
    expect(failures).not.toHaveBeenCalled()
    expect(app.exit).not.toHaveBeenCalled()
  })

  it('starts on settings of a newer version, says so, and leaves them as they are', async () => {
    writeSettings({ version: 99, hosts: [], places: [] })
    const { calls, contents, app } = await booted()
    const latest: unknown = await calls.get(LATEST)?.(invokedBy(contents), 'notices.changed')
    expect(JSON.stringify(latest)).toContain('written by a newer Stillpoint')
    expect(await calls.get('settings.change')?.(invokedBy(contents), { notifySuccess: true })).toMatchObject({
      ok: false,
      failure: { kind: 'usage' }
    })
    expect(readFileSync(join(home, 'settings.json'), 'utf8')).toContain('"version":99')
    expect(app.exit).not.toHaveBeenCalled()
  })

  it.each(['', '{"version":1,"hos', '[]', 'null'])(
    'starts on settings that read %j, and keeps them aside',
    async (text) => {
      writeFileSync(join(home, 'settings.json'), text)
      await booted()
      const aside = readdirSync(home).find((name) => name.startsWith('settings.json.broken-'))
      expect(readFileSync(join(home, aside ?? ''), 'utf8')).toBe(text)
    }
  )
})

describe('the preload', () => {
  const source = (): string => readFileSync(built.preload, 'utf8')

  function loaded() {
    const required: string[] = []
    const exposed = new Map<string, Record<string, Record<string, (...given: unknown[]) => unknown>>>()
    const ipcRenderer = { invoke: vi.fn(() => Promise.resolve('answer')), on: vi.fn(), off: vi.fn() }
    const contextBridge = { exposeInMainWorld: (name: string, value: never) => void exposed.set(name, value) }
    const require = (name: string): unknown => {
      required.push(name)
      return { contextBridge, ipcRenderer }
    }
    vm.runInNewContext(source(), { require, module: { exports: {} }, exports: {} })
    return { required, exposed, ipcRenderer }
  }

  it('is one CommonJS file that requires only electron', () => {
    expect(readdirSync(dirname(built.preload))).toEqual(['index.cjs'])
    expect(loaded().required).toEqual(['electron'])
    expect(source()).not.toMatch(/^\s*(?:import|export)\b|\bimport\(/m)
    for (const name of builtinModules) expect(source()).not.toContain(`require("${name}")`)
  })

  it('gives the window one frozen object of named functions', () => {
    const { exposed } = loaded()
    expect([...exposed.keys()]).toEqual(['stillpoint'])
    const bridge = exposed.get('stillpoint') ?? {}
    expect(Object.isFrozen(bridge) && Object.values(bridge).every(Object.isFrozen)).toBe(true)
    expect(Object.entries(bridge).map(([group, names]) => [group, Object.keys(names)])).toEqual(
      Object.entries(contract).map(([group, channels]) => [group, Object.keys(channels)])
    )
  })

  it('passes values on, and never the event', async () => {
    const { exposed, ipcRenderer } = loaded()
    const bridge = exposed.get('stillpoint')
    expect(await bridge?.['points']?.['show']?.('20261122T201744Z-7f3a21')).toBe('answer')
    expect(ipcRenderer.invoke).toHaveBeenCalledExactlyOnceWith('points.show', '20261122T201744Z-7f3a21')
    const listener = vi.fn()
    const stop = bridge?.['hosts']?.['changed']?.(listener) as () => void
    expect(ipcRenderer.invoke).toHaveBeenLastCalledWith(LATEST, 'hosts.changed')
    const [channel, pass] = (ipcRenderer.on.mock.calls[0] ?? []) as [string, (...given: unknown[]) => void]
    pass({ sender: 'ipcRenderer' }, '["host"]', 'more')
    expect([channel, listener.mock.calls]).toEqual(['hosts.changed', [[['host']]]])
    stop()
    expect(ipcRenderer.off).toHaveBeenCalledWith('hosts.changed', pass)
  })
})
