import { EventEmitter } from 'node:events'
import { registerHooks } from 'node:module'
import vm from 'node:vm'
import { vi } from 'vitest'
import type {
  App,
  BrowserWindowConstructorOptions,
  CustomScheme,
  IpcMain,
  IpcMainInvokeEvent,
  Menu,
  Protocol,
  Session,
  Shell,
  WebContents,
  WindowOpenHandlerResponse
} from 'electron'

type Invoked = Parameters<IpcMain['handle']>[1]
type Serve = Parameters<Protocol['handle']>[1]

/** A page: what it was told by the desktop can be asked of it. */
export class FakeContents extends EventEmitter {
  readonly mainFrame = { url: 'app://stillpoint/index.html' }
  readonly send = vi.fn<WebContents['send']>()
  windowOpen: (() => WindowOpenHandlerResponse) | undefined
  setWindowOpenHandler(handler: () => WindowOpenHandlerResponse): void {
    this.windowOpen = handler
  }
}

export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents()
  readonly loadURL = vi.fn((url: string) => Promise.resolve(url).then(() => undefined))
  readonly show = vi.fn<() => void>()
  readonly focus = vi.fn<() => void>()
  readonly restore = vi.fn<() => void>()
  minimized = false
  readonly options: BrowserWindowConstructorOptions
  constructor(options: BrowserWindowConstructorOptions) {
    super()
    this.options = options
  }
  isMinimized(): boolean {
    return this.minimized
  }
}

/** As much of Electron as the desktop uses, typed by Electron itself: what it renames does not compile here. */
export function fakeElectron({ firstInstance = true } = {}) {
  const windows: FakeWindow[] = []
  const calls = new Map<string, Invoked>()
  const schemes = new Map<string, Serve>()
  const order: string[] = []
  const app = Object.assign(new EventEmitter(), {
    requestSingleInstanceLock: vi.fn<App['requestSingleInstanceLock']>(() => firstInstance),
    quit: vi.fn<App['quit']>(),
    setPath: vi.fn<App['setPath']>(),
    enableSandbox: vi.fn<App['enableSandbox']>(),
    whenReady: vi.fn<App['whenReady']>(() => Promise.resolve().then(() => void order.push('ready')))
  })
  class BrowserWindow extends FakeWindow {
    constructor(options: BrowserWindowConstructorOptions) {
      super(options)
      windows.push(this)
      app.emit('web-contents-created', {}, this.webContents)
    }
    static getAllWindows = () => windows
  }
  const protocol = {
    registerSchemesAsPrivileged: vi.fn<Protocol['registerSchemesAsPrivileged']>((list: CustomScheme[]) => {
      order.push(...list.map(({ scheme }) => `scheme ${scheme}`))
    }),
    handle: vi.fn<Protocol['handle']>((scheme, serve) => void schemes.set(scheme, serve))
  }
  const defaultSession = {
    setPermissionRequestHandler: vi.fn<Session['setPermissionRequestHandler']>(),
    setPermissionCheckHandler: vi.fn<Session['setPermissionCheckHandler']>(),
    setDevicePermissionHandler: vi.fn<Session['setDevicePermissionHandler']>()
  }
  const modules = {
    app,
    BrowserWindow,
    ipcMain: { handle: vi.fn<IpcMain['handle']>((channel, answer) => void calls.set(channel, answer)) },
    Menu: {
      buildFromTemplate: vi.fn((template: unknown) => template),
      setApplicationMenu: vi.fn<typeof Menu.setApplicationMenu>()
    },
    nativeTheme: { shouldUseDarkColors: true },
    protocol,
    session: { defaultSession },
    shell: { openExternal: vi.fn<Shell['openExternal']>(() => Promise.resolve()) }
  } satisfies Partial<Record<keyof typeof import('electron'), unknown>>
  return { modules, windows, calls, schemes, order }
}
export type FakeElectron = ReturnType<typeof fakeElectron>

/** The event of a question that this frame of this page asks. */
export const invokedBy = (sender: FakeContents, senderFrame: object | null = sender.mainFrame): IpcMainInvokeEvent =>
  ({ sender, senderFrame }) as unknown as IpcMainInvokeEvent

const shelf = globalThis as { stillpointFakeElectron?: FakeElectron['modules'] }

/** Past vitest's own module runner, so that the bundle is loaded as Electron's Node would load it. */
const nativeImport = vm.runInThisContext('(url) => import(url)', {
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
}) as (url: string) => Promise<unknown>

let boots = 0

/** Runs a built main bundle with this fake in the place of `electron`. */
export async function boot(bundle: string, fake: FakeElectron): Promise<void> {
  boots += 1
  const names = Object.keys(fake.modules).join(', ')
  const source = `export const { ${names} } = globalThis.stillpointFakeElectron // ${boots}`
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'electron'
        ? { url: `data:text/javascript,${encodeURIComponent(source)}`, format: 'module', shortCircuit: true }
        : next(specifier, context)
  })
  shelf.stillpointFakeElectron = fake.modules
  try {
    await nativeImport(`file://${bundle}?boot=${boots}`)
  } finally {
    hooks.deregister()
  }
}
