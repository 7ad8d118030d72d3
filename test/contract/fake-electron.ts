import { EventEmitter } from 'node:events'
import { registerHooks } from 'node:module'
import vm from 'node:vm'
import { vi } from 'vitest'
import type {
  App,
  BrowserWindow as ElectronWindow,
  BrowserWindowConstructorOptions,
  CustomScheme,
  Dialog,
  IpcMain,
  IpcMainInvokeEvent,
  Menu,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  NativeImage,
  PowerSaveBlocker,
  Protocol,
  Rectangle,
  Session,
  Shell,
  WebContents,
  WindowOpenHandlerResponse
} from 'electron'

type Invoked = Parameters<IpcMain['handle']>[1]
type Serve = Parameters<Protocol['handle']>[1]

/** True if whoever hears the event prevents what it announces. */
function isPrevented(emit: (event: { preventDefault(): void }) => void): boolean {
  const preventDefault = vi.fn<() => void>()
  emit({ preventDefault })
  return preventDefault.mock.calls.length > 0
}

/** A page: what it was told by the desktop can be asked of it. */
export class FakeContents extends EventEmitter {
  readonly mainFrame = { url: 'app://stillpoint/index.html' }
  readonly send = vi.fn<WebContents['send']>()
  readonly reload = vi.fn<WebContents['reload']>()
  windowOpen: (() => WindowOpenHandlerResponse) | undefined
  setWindowOpenHandler(handler: () => WindowOpenHandlerResponse): void {
    this.windowOpen = handler
  }
  getURL(): string {
    return this.mainFrame.url
  }
}

export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents()
  readonly loadURL = vi.fn((url: string) => Promise.resolve(url).then(() => undefined))
  readonly show = vi.fn<ElectronWindow['show']>(() => void (this.visible = true))
  readonly hide = vi.fn<ElectronWindow['hide']>(() => void (this.visible = false))
  readonly focus = vi.fn<ElectronWindow['focus']>()
  readonly restore = vi.fn<ElectronWindow['restore']>()
  readonly minimize = vi.fn<ElectronWindow['minimize']>(() => void (this.minimized = true))
  readonly maximize = vi.fn<ElectronWindow['maximize']>(() => void (this.maximized = true))
  readonly setBounds = vi.fn<ElectronWindow['setBounds']>()
  readonly setProgressBar = vi.fn<ElectronWindow['setProgressBar']>()
  readonly options: BrowserWindowConstructorOptions
  bounds: Rectangle
  visible = false
  minimized = false
  maximized = false
  destroyed = false
  constructor(options: BrowserWindowConstructorOptions) {
    super()
    this.options = options
    const { x = 0, y = 0, width = 0, height = 0 } = options
    this.bounds = { x, y, width, height }
  }
  isMinimized = (): boolean => this.minimized
  isMaximized = (): boolean => this.maximized
  isVisible = (): boolean => this.visible
  isDestroyed = (): boolean => this.destroyed
  isFullScreen = (): boolean => false
  getNormalBounds = (): Rectangle => this.bounds
  /** What a click on the cross does: true if the window was closed by it. */
  close(): boolean {
    if (isPrevented((event) => this.emit('close', event))) return false
    this.destroyed = true
    this.emit('closed')
    return true
  }
}

export class FakeTray extends EventEmitter {
  readonly setImage = vi.fn<(image: unknown) => void>()
  readonly setToolTip = vi.fn<(text: string) => void>()
  readonly setContextMenu = vi.fn<(menu: unknown) => void>()
  /** The menu as it was last set, by label. */
  get menu(): readonly MenuItemConstructorOptions[] {
    return (this.setContextMenu.mock.lastCall?.[0] ?? []) as MenuItemConstructorOptions[]
  }
  /** Chooses an entry by its labels, from the menu inwards. */
  choose(...labels: readonly string[]): void {
    const entry = labels.reduce<MenuItemConstructorOptions | undefined>(
      (at, label) => (at?.submenu as MenuItemConstructorOptions[]).find((each) => each.label === label),
      { submenu: [...this.menu] }
    )
    if (entry?.click === undefined) throw new Error(`nothing to choose at ${labels.join(' > ')}`)
    ;(entry.click as () => void)()
  }
}

export interface FakeNotification extends EventEmitter {
  readonly options: { readonly title: string; readonly body: string }
  shown: boolean
}

export interface FakeChoices {
  readonly firstInstance?: boolean
  readonly hasTray?: boolean
  readonly hasNotifications?: boolean
  readonly isPackaged?: boolean
  readonly displays?: readonly Rectangle[]
  /** The button that a person presses, by its label. None: the dialog cannot be shown. */
  readonly press?: (dialog: MessageBoxOptions) => string | undefined
}

/** As much of Electron as the desktop uses, typed by Electron itself: what it renames does not compile here. */
export function fakeElectron(choices: FakeChoices = {}) {
  const { firstInstance = true, hasTray = true, hasNotifications = true, isPackaged = false } = choices
  const windows: FakeWindow[] = []
  const trays: FakeTray[] = []
  const notifications: FakeNotification[] = []
  const calls = new Map<string, Invoked>()
  const schemes = new Map<string, Serve>()
  const order: string[] = []
  const displays = [...(choices.displays ?? [{ x: 0, y: 0, width: 1920, height: 1200 }])]
  let quitting = false
  const openWindows = (): FakeWindow[] => windows.filter(({ destroyed }) => !destroyed)
  const app = Object.assign(new EventEmitter(), {
    isPackaged,
    requestSingleInstanceLock: vi.fn<App['requestSingleInstanceLock']>(() => firstInstance),
    exit: vi.fn<App['exit']>(),
    setPath: vi.fn<App['setPath']>(),
    getPath: vi.fn<App['getPath']>((name) => `/home/l/${name}`),
    getAppPath: vi.fn<App['getAppPath']>(() => '/src/stillpoint'),
    getVersion: vi.fn<App['getVersion']>(() => '0.1.0'),
    enableSandbox: vi.fn<App['enableSandbox']>(),
    setAppUserModelId: vi.fn<App['setAppUserModelId']>(),
    getLoginItemSettings: vi.fn(() => ({ openAtLogin: false, wasOpenedAtLogin: false })),
    setLoginItemSettings: vi.fn<App['setLoginItemSettings']>(),
    whenReady: vi.fn<App['whenReady']>(() => Promise.resolve().then(() => void order.push('ready'))),
    /** As Electron does it: ask, close the windows, ask once more. That all are closed is then no news. */
    quit: vi.fn<App['quit']>(() => {
      if (isPrevented((event) => app.emit('before-quit', event))) return
      quitting = true
      if (openWindows().every((window) => window.close())) app.emit('will-quit', { preventDefault: () => undefined })
      quitting = false
    })
  })
  class BrowserWindow extends FakeWindow {
    constructor(options: BrowserWindowConstructorOptions) {
      super(options)
      windows.push(this)
      app.emit('web-contents-created', {}, this.webContents)
      this.once('closed', () => !quitting && openWindows().length === 0 && app.emit('window-all-closed'))
    }
    static getAllWindows = openWindows
  }
  class Tray extends FakeTray {
    constructor(icon: unknown) {
      super()
      if (!hasTray) throw new Error('no tray')
      this.setImage(icon)
      trays.push(this)
    }
  }
  class Notification extends EventEmitter implements FakeNotification {
    static isSupported = (): boolean => hasNotifications
    readonly options: FakeNotification['options']
    shown = false
    constructor(options: FakeNotification['options']) {
      super()
      this.options = options
      notifications.push(this)
    }
    show(): void {
      this.shown = true
    }
  }
  const protocol = {
    registerSchemesAsPrivileged: vi.fn<Protocol['registerSchemesAsPrivileged']>((list: CustomScheme[]) => {
      order.push(...list.map(({ scheme }) => `scheme ${scheme}`))
    }),
    handle: vi.fn<Protocol['handle']>((scheme, serve) => void schemes.set(scheme, serve))
  }
  const defaultSession = Object.assign(new EventEmitter(), {
    setPermissionRequestHandler: vi.fn<Session['setPermissionRequestHandler']>(),
    setPermissionCheckHandler: vi.fn<Session['setPermissionCheckHandler']>(),
    setDevicePermissionHandler: vi.fn<Session['setDevicePermissionHandler']>(),
    webRequest: { onBeforeRequest: vi.fn<(decide: Decide) => void>() }
  })
  const boxes: MessageBoxOptions[] = []
  const showMessageBox = vi.fn((...given: [unknown, MessageBoxOptions] | [MessageBoxOptions]) => {
    const box = given.length === 2 ? given[1] : given[0]
    boxes.push(box)
    const pressed = choices.press?.(box)
    const response = box.buttons?.indexOf(pressed ?? '') ?? -1
    return response < 0
      ? new Promise<never>((_resolve, reject) => setImmediate(() => reject(new Error('no dialogs'))))
      : Promise.resolve({ response, checkboxChecked: false })
  })
  const image = (of: string): NativeImage =>
    Object.assign(Object.create(null), { of, setTemplateImage: vi.fn() }) as NativeImage
  const modules = {
    app,
    BrowserWindow,
    dialog: {
      showMessageBox: showMessageBox as unknown as Dialog['showMessageBox'],
      showErrorBox: vi.fn<Dialog['showErrorBox']>()
    },
    ipcMain: { handle: vi.fn<IpcMain['handle']>((channel, answer) => void calls.set(channel, answer)) },
    Menu: {
      buildFromTemplate: vi.fn((template: unknown) => template),
      setApplicationMenu: vi.fn<typeof Menu.setApplicationMenu>()
    },
    nativeImage: {
      createFromPath: (path: string) => image(path),
      createFromBuffer: (buffer: Buffer) => image(`${buffer.length} bytes`)
    },
    nativeTheme: { shouldUseDarkColors: true },
    Notification,
    powerMonitor: new EventEmitter(),
    powerSaveBlocker: {
      start: vi.fn<PowerSaveBlocker['start']>(() => 7),
      stop: vi.fn<PowerSaveBlocker['stop']>(() => true)
    },
    protocol,
    screen: Object.assign(new EventEmitter(), {
      getAllDisplays: () => displays.map((bounds) => ({ bounds, workArea: bounds }))
    }),
    session: { defaultSession },
    shell: { openExternal: vi.fn<Shell['openExternal']>(() => Promise.resolve()) },
    Tray
  } satisfies Partial<Record<keyof typeof import('electron'), unknown>>
  return { modules, windows, trays, notifications, boxes, calls, schemes, order, displays }
}
export type FakeElectron = ReturnType<typeof fakeElectron>
type Decide = (details: { readonly url: string }, answer: (decision: { readonly cancel: boolean }) => void) => void

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
