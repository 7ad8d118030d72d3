import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { contract } from '../../../../shared/contract.ts'
import { openLink } from '../../../../shared/external-links.ts'
import { fail } from '../../../../shared/failure.ts'
import { LiveCore } from '../../../core/live/live-core.ts'
import { LiveValue } from '../../../core/live/live-value.ts'
import type { GoTo } from '../../../../shared/views/notice-view.ts'
import { demoCommand, packageRoot, packageVersion } from '../../../core/package.ts'
import { cacheFolder, settingsFolder } from '../../../core/settings/folders.ts'
import { errorLog } from '../../error-log.ts'
import { handlersOver } from '../../handlers.ts'
import { goOnWhateverHappens } from '../../last-resort.ts'
import { openBrowserDoor, type BrowserDoor } from '../../serve/open-browser-door.ts'
import { foldersForBrowser, openInBrowser } from '../../serve/own-browser.ts'
import { writeRedirectFile, type RedirectFile } from '../../serve/redirect-file.ts'
import { EXIT } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import { onEnter } from '../on-enter.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { sayOfFiles, type Session } from '../session.ts'

interface ServeOptions extends ActionOptions {
  readonly port: number
  readonly open: boolean
  readonly endWhenIdle?: number
}

export const serveCommand = (perform: Perform): Command =>
  leaf('serve', 'Offer the window to your own browser, on this computer only, and open it', [
    'serve',
    'serve --port 7878 --no-open',
    'serve --end-when-idle 10'
  ])
    .option('--port <N>', 'port on 127.0.0.1 (default: any that is free)', portNumber, 0)
    .option('--no-open', 'only print the address')
    .option('--end-when-idle <MINUTES>', 'end when no window has been open for so long', minutes)
    .action((options: ServeOptions) => perform(options, (session) => serve(session, options)))

function portNumber(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('0 to 65535.')
}

function minutes(text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 10_000) return value
  throw new InvalidArgumentError('A number of minutes.')
}

/** Until Ctrl-C, or until nobody looks any more. Settings that are not ours to understand keep no window from opening, and are said. */
async function serve(session: Session, options: ServeOptions): Promise<typeof EXIT.done> {
  const { out, interrupts } = session
  const folder = settingsFolder(process.env)
  const rendererRoot = join(packageRoot(), 'out/renderer')
  if (!existsSync(join(rendererRoot, 'index.html')))
    fail({ kind: 'io', path: rendererRoot, code: 'ENOENT', detail: 'The window is not built. Build it: npm run build' })
  const live = new LiveCore({ folder, cache: cacheFolder(process.env), root: packageRoot() })
  sayOfFiles(live.core, out)
  const demo = demoCommand()
  const idle = new IdleTimer(options.endWhenIdle)
  const handlers = handlersOver(live, {
    info: () => ({
      version: packageVersion(),
      door: 'browser',
      platform: process.platform,
      home: folder,
      canStartAtLogin: false,
      hasTray: false,
      ...(demo !== undefined && { demoCommand: demo })
    }),
    openLink: (link) => openLink((url) => Promise.resolve().then(() => openInBrowser(url)), link),
    goTo: new LiveValue<GoTo | undefined>()
  })
  const report = errorLog(folder, undefined, (text) => live.notLogged(text))
  const onWindows = (count: number): void => idle.windows(count)
  try {
    const door = await openBrowserDoor(contract, handlers, { port: options.port, rendererRoot, report, onWindows })
    const stopCatching = goOnWhateverHappens(report)
    const stopShowing = await showTheWay(door, session, options.open)
    try {
      await interrupts.handledBy(
        () => idle.end(),
        () => idle.over
      )
    } finally {
      stopShowing()
      await door.close()
      stopCatching()
    }
  } finally {
    await live.close()
  }
  out.result({ ended: true })
  return EXIT.done
}

/**
 * How the operator gets to the window. By a file, where the browser is opened; by an address with a key in it where it is not,
 * and for each window more. For `--json` there is a new address as soon as the last one has been used. Each is good once, so
 * that where there is no terminal to press Enter at (systemd, nohup, a desktop's starter) a signal shows the way once more.
 */
async function showTheWay(door: BrowserDoor, session: Session, opens: boolean): Promise<() => void> {
  const { out, terminal } = session
  const announce = (): void => out.event('serving', { url: door.address(announce), port: door.port })
  const say = (...lines: string[]): void => (out.json ? undefined : out.note(lines))
  const tell = (before: string): void =>
    say(`${before} ${door.address()}`, 'It is for you alone: its key opens one window.')
  const files: RedirectFile[] = []
  const show = async (): Promise<void> => {
    if (out.json) announce()
    const file = opens ? await redirectFile(door, settingsFolder(process.env)) : undefined
    if (file === undefined) {
      tell('Stillpoint is at')
      return
    }
    files.push(file)
    say(`Stillpoint is at ${door.origin} and opens in your browser.`)
    openInBrowser(file.url, () => {
      if (file.remove()) tell('No browser could be opened here. Stillpoint is at')
    })
  }
  const stopShowing = onShowAgain(() => void show())
  await show()
  say(
    terminal.interactive ? 'Enter shows an address for another window, Ctrl-C ends Stillpoint.' : howWithoutTerminal()
  )
  const stop = terminal.interactive ? onEnter(() => tell('For another window:')) : () => undefined
  return () => {
    stop()
    stopShowing()
    for (const file of files) file.remove()
  }
}

const SHOW_AGAIN = 'SIGUSR2' // the other one is Node's own: it begins to debug

/**
 * Windows has no such signal. Elsewhere a library (when-exit, which settings are written with) takes it for the end: it would
 * drop what is being written, and send the signal once more.
 */
function onShowAgain(show: () => void): () => void {
  if (process.platform === 'win32') return () => undefined
  process.removeAllListeners(SHOW_AGAIN)
  process.on(SHOW_AGAIN, show)
  return () => process.off(SHOW_AGAIN, show)
}

const howWithoutTerminal = (): string =>
  process.platform === 'win32'
    ? 'Ctrl-C ends it.'
    : `For another window: kill -USR2 ${process.pid}. Ctrl-C, or kill ${process.pid}, ends Stillpoint.`

/** Leads to an address, and is removed once its key is used. */
async function redirectFile(door: BrowserDoor, settings: string): Promise<RedirectFile | undefined> {
  const folders = await foldersForBrowser(process.env, settings)
  const file: RedirectFile | undefined = writeRedirectFile(
    folders,
    door.address(() => file?.remove())
  )
  return file
}

/** Over when told to be, or, if asked, after so long without a window. */
class IdleTimer {
  readonly over: Promise<void>
  private resolve: () => void = () => undefined
  private readonly afterMs: number | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(minutes: number | undefined) {
    this.afterMs = minutes === undefined ? undefined : minutes * 60_000
    this.over = new Promise((resolve) => (this.resolve = resolve))
    this.windows(0)
  }

  windows(count: number): void {
    clearTimeout(this.timer)
    if (count === 0 && this.afterMs !== undefined) this.timer = setTimeout(() => this.end(), this.afterMs)
  }

  end(): void {
    clearTimeout(this.timer)
    this.resolve()
  }
}
