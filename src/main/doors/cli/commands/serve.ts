import { spawn } from 'node:child_process'
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
import { cacheFolder } from '../../../core/settings/folders.ts'
import { errorLog } from '../../error-log.ts'
import { handlersOver } from '../../handlers.ts'
import { openBrowserDoor } from '../../serve/open-browser-door.ts'
import { EXIT } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'

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

/** Until Ctrl-C, or until nobody looks any more. */
async function serve({ core: { folder }, out, interrupts }: Session, options: ServeOptions): Promise<typeof EXIT.done> {
  const rendererRoot = join(packageRoot(), 'out/renderer')
  if (!existsSync(join(rendererRoot, 'index.html')))
    fail({ kind: 'io', path: rendererRoot, code: 'ENOENT', detail: 'The window is not built. Build it: npm run build' })
  const live = new LiveCore({ folder, cache: cacheFolder(process.env), root: packageRoot() })
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
  const report = errorLog(folder)
  const onWindows = (count: number): void => idle.windows(count)
  try {
    const door = await openBrowserDoor(contract, handlers, { port: options.port, rendererRoot, report, onWindows })
    out.event('serving', { url: door.url, port: door.port })
    if (!out.json)
      out.note([`Stillpoint is at ${door.url}`, 'It is for you alone: the address holds a key. Ctrl-C ends it.'])
    if (options.open) openInBrowser(door.url)
    await interrupts.handledBy(
      () => idle.end(),
      () => idle.over
    )
    await door.close()
  } finally {
    await live.close()
  }
  out.result({ ended: true })
  return EXIT.done
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

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler']
}

/** Whoever has no browser on this machine has read the address. */
function openInBrowser(url: string): void {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open']
  spawn(program, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref()
}
