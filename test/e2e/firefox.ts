import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { eventually } from '../patience.ts'

/** What `xdg-open` does in shell: starts Debian's Firefox, to which it says who it is and where it can be spoken to. */
export const OPEN_IN_FIREFOX = [
  'echo $$ > "$HOME/firefox.pid"',
  'exec firefox-esr --headless --no-remote --profile "$HOME/firefox" --remote-debugging-port=0 "$1" > "$HOME/firefox.log" 2>&1'
].join('\n')

/** It comes up as on any other day: no first steps, nothing fetched, no wish to be the default; and it has patience. */
const PREFERENCES = {
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
  'dom.max_chrome_script_run_time': 0,
  'dom.max_script_run_time': 0
}

interface Said {
  readonly id?: number
  readonly result?: unknown
  readonly message?: string
  readonly method?: string
  readonly params?: { readonly level?: string; readonly text?: string }
}

interface Context {
  readonly context: string
  readonly url: string
}

const GONE = 'Firefox has gone'

/** Debian's Firefox by WebDriver BiDi, which Playwright does not speak: its Firefox is one of its own. */
export class Firefox {
  /** Errors of pages, since they were opened. */
  readonly problems: string[] = []
  private readonly pid: number
  private readonly socket: WebSocket
  private readonly waiting = new Map<number, (said: Said) => void>()
  private next = 0

  private constructor(pid: number, socket: WebSocket) {
    this.pid = pid
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('close', () => this.waiting.forEach((told) => told({ message: GONE })))
    socket.on('message', (data: Buffer) => this.hear(JSON.parse(data.toString()) as Said))
  }

  /** A profile of its own, before it is started. */
  static prepare(home: string): void {
    const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${value});`)
    mkdirSync(join(home, 'firefox'), { mode: 0o700 })
    writeFileSync(join(home, 'firefox/user.js'), lines.join('\n'))
  }

  /** The one that `xdg-open` has started, or is about to. */
  static async startedIn(home: string): Promise<Firefox> {
    const said = join(home, 'firefox/WebDriverBiDiServer.json')
    const port = await eventually(() => {
      const { ws_port: found } = JSON.parse(readFileSync(said, 'utf8')) as { ws_port: number }
      return found
    })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/session`)
    await once(socket, 'open')
    const firefox = new Firefox(Number(readFileSync(join(home, 'firefox.pid'), 'utf8')), socket)
    await firefox.ask('session.new', { capabilities: {} })
    await firefox.ask('session.subscribe', { events: ['log.entryAdded'] })
    return firefox
  }

  /** Its tab at an address, once it is there. */
  tabAt(isIt: (url: string) => boolean): Promise<FirefoxTab> {
    return eventually(async () => {
      const { contexts } = (await this.ask('browsingContext.getTree', {})) as { contexts: readonly Context[] }
      const found = contexts.find(({ url }) => isIt(url))
      if (found === undefined) throw new Error(`tabs are at ${contexts.map(({ url }) => url).join(', ') || 'nothing'}`)
      return new FirefoxTab(this, found.context)
    })
  }

  async newTab(url: string): Promise<FirefoxTab> {
    const { context } = (await this.ask('browsingContext.create', { type: 'tab' })) as Context
    await this.ask('browsingContext.navigate', { context, url, wait: 'complete' })
    return new FirefoxTab(this, context)
  }

  /** @throws what Firefox says is wrong */
  ask(method: string, params: object): Promise<unknown> {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error(`${method}: ${GONE}`))
    const id = this.next++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, message }) => {
        if (message === undefined) resolve(result)
        else reject(new Error(`${method}: ${message}`))
      })
      this.socket.send(JSON.stringify({ id, method, params }))
    })
  }

  /** It goes, and all its processes. */
  async close(): Promise<void> {
    await this.ask('browser.close', {}).catch(() => undefined)
    await eventually(() => {
      if (existsSync(`/proc/${this.pid}`)) throw new Error('Firefox is still there')
    })
    this.socket.terminate()
  }

  private hear(said: Said): void {
    if (said.id !== undefined) this.waiting.get(said.id)?.(said)
    else if (said.method === 'log.entryAdded' && said.params?.level === 'error')
      this.problems.push(said.params.text ?? 'an error')
  }
}

export class FirefoxTab {
  private readonly firefox: Firefox
  private readonly context: string

  constructor(firefox: Firefox, context: string) {
    this.firefox = firefox
    this.context = context
  }

  /** What an expression in the page comes to, as JSON. */
  async evaluate(expression: string): Promise<unknown> {
    const said = (await this.firefox.ask('script.evaluate', {
      expression: `JSON.stringify(${expression})`,
      target: { context: this.context },
      awaitPromise: false,
      userActivation: true
    })) as { result?: { value?: string }; exceptionDetails?: { text: string } }
    if (said.exceptionDetails !== undefined) throw new Error(said.exceptionDetails.text)
    return JSON.parse(said.result?.value ?? 'null')
  }

  /** Until the page says this to whoever looks at it. */
  async says(words: RegExp): Promise<void> {
    await eventually(async () => {
      const text = String(await this.evaluate('document.body.innerText'))
      if (!words.test(text)) throw new Error(`it says: ${text}`)
    })
  }

  async reload(): Promise<void> {
    await this.firefox.ask('browsingContext.reload', { context: this.context, wait: 'complete' })
  }

  async goTo(url: string): Promise<void> {
    await this.firefox.ask('browsingContext.navigate', { context: this.context, url, wait: 'complete' })
  }

  async close(): Promise<void> {
    await this.firefox.ask('browsingContext.close', { context: this.context })
  }
}
