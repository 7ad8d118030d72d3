import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import vm from 'node:vm'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { boot, FakeContents, fakeElectron, invokedBy, type FakeElectron } from './fake-electron.ts'
import { built, buildIfStale } from './built-window.ts'

const home = mkdtempSync(join(tmpdir(), 'stillpoint-boot-'))
const settings = join(home, 'settings.json')
const host = {
  name: 'host-a',
  address: '10.0.0.5',
  user: 'root',
  identityFile: '/home/l/.ssh/id',
  addedAt: '2026-11-23T12:00:00.000Z'
}
const writeHosts = (...hosts: object[]): void =>
  writeFileSync(settings, JSON.stringify({ version: 1, hosts, places: [] }))

beforeAll(() => {
  buildIfStale()
  vi.stubEnv('STILLPOINT_HOME', home)
  writeHosts(host)
}, 60_000)
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

async function booted(fake: FakeElectron = fakeElectron()) {
  await boot(built.main, fake)
  const window = await vi.waitFor(() => {
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
  const ask = ({ calls }: Booted, event: ReturnType<typeof invokedBy>, ...question: unknown[]): Promise<unknown> =>
    Promise.resolve(calls.get('hosts.list')?.(event, ...question))

  it('are those of the contract and no others', async () => {
    expect([...(await booted()).calls.keys()]).toEqual(['hosts.list'])
  })

  it('are answered with the hosts of the settings, without what the window has no business with', async () => {
    const app = await booted()
    const { name, address, user, addedAt } = host
    expect(await ask(app, invokedBy(app.contents))).toEqual({ ok: true, value: [{ name, address, user, addedAt }] })
  })

  it('are refused with extra arguments', async () => {
    const app = await booted()
    const refused = { ok: false, failure: { kind: 'usage' } }
    expect(await ask(app, invokedBy(app.contents), 'x')).toMatchObject(refused)
    expect(await ask(app, invokedBy(app.contents), undefined, 'x')).toMatchObject(refused)
  })

  it('are refused unheard from any sender but the top frame of our own window', async () => {
    const app = await booted()
    const navigated = { url: 'https://evil.example/' }
    const senders = [
      invokedBy(app.contents, null),
      invokedBy(app.contents, { url: 'app://stillpoint/index.html' }),
      invokedBy(new FakeContents())
    ]
    for (const sender of senders)
      expect(await ask(app, sender)).toMatchObject({ ok: false, failure: { kind: 'usage' } })
    Object.assign(app.contents.mainFrame, navigated)
    expect(await ask(app, invokedBy(app.contents))).toMatchObject({ ok: false })
  })

  it('get the reason while the settings are of a newer version, and the list once they are readable', async () => {
    writeFileSync(settings, JSON.stringify({ version: 99, hosts: [], places: [] }))
    const app = await booted()
    expect(await ask(app, invokedBy(app.contents))).toMatchObject({ ok: false, failure: { kind: 'usage' } })
    writeHosts(host)
    expect(await ask(app, invokedBy(app.contents))).toMatchObject({ ok: true })
  })
})

describe('pushes', () => {
  it('tell the window when the terminal door has added a host', async () => {
    const app = await booted()
    writeHosts(host, { ...host, name: 'host-b' })
    await vi.waitFor(() => expect(app.contents.send).toHaveBeenCalled(), { timeout: 5000 })
    const [channel, cards] = app.contents.send.mock.calls[0] ?? []
    expect(channel).toBe('hosts.changed')
    expect((cards as { name: string }[]).map(({ name }) => name)).toEqual(['host-a', 'host-b'])
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
    expect([fake.windows.length, fake.calls.size, fake.schemes.size]).toEqual([0, 0, 0])
  })

  it('brings its window to the front when it is started again', async () => {
    const { app, window, windows } = await booted()
    window.minimized = true
    app.emit('second-instance')
    expect(window.restore).toHaveBeenCalledOnce()
    expect(window.focus).toHaveBeenCalledOnce()
    expect(windows).toHaveLength(1)
  })

  it('sandboxes every page and quits with its last window', async () => {
    const { app } = await booted()
    expect(app.enableSandbox).toHaveBeenCalledOnce()
    app.emit('window-all-closed')
    expect(app.quit).toHaveBeenCalledOnce()
  })

  it('opens only addresses of the fixed table', async () => {
    const { Menu, shell } = await booted()
    const template = Menu.buildFromTemplate.mock.calls[0]?.[0] as { role: string; submenu?: { click: () => void }[] }[]
    template.flatMap(({ submenu = [] }) => submenu).forEach(({ click }) => click())
    expect(shell.openExternal.mock.calls.map(([url]) => new URL(url).host)).toEqual(['libvirt.org', 'www.qemu.org'])
  })
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
    expect(Object.entries(bridge).map(([group, names]) => [group, Object.keys(names)])).toEqual([
      ['hosts', ['list', 'changed']]
    ])
  })

  it('passes values on, and never the event', async () => {
    const { exposed, ipcRenderer } = loaded()
    const hosts = exposed.get('stillpoint')?.['hosts']
    expect(await hosts?.['list']?.()).toBe('answer')
    expect(ipcRenderer.invoke).toHaveBeenCalledWith('hosts.list')
    const listener = vi.fn()
    const stop = hosts?.['changed']?.(listener) as () => void
    const [channel, pass] = (ipcRenderer.on.mock.calls[0] ?? []) as [string, (...given: unknown[]) => void]
    pass({ sender: 'ipcRenderer' }, ['card'], 'more')
    expect([channel, listener.mock.calls]).toEqual(['hosts.changed', [[['card']]]])
    stop()
    expect(ipcRenderer.off).toHaveBeenCalledWith('hosts.changed', pass)
  })
})
