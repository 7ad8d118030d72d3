import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import type { CoreFrame } from '../../src/shared/frames.ts'
import { buildIfStale } from '../contract/built-window.ts'
import { openWindow, provingAddress, provingOwn } from '../contract/tab-key-of.ts'
import { Served } from '../e2e/served.ts'

const ROOT = join(import.meta.dirname, '../..')

/** `stillpoint serve` as built, with a settings folder, a session and a browser of its own, none of which is real. */
export class Serving {
  readonly home = mkdtempSync(join(tmpdir(), 'stillpoint-serving-'))
  readonly runtime = join(this.home, 'run')
  readonly settings = join(this.home, 'settings')
  readonly served: Served
  private readonly bin = join(this.home, 'bin')

  private constructor(browser: string | undefined, env: Readonly<Record<string, string>>, args: readonly string[]) {
    for (const folder of [this.runtime, this.bin]) mkdirSync(folder, { mode: 0o700 })
    if (browser !== undefined) this.program('xdg-open', browser)
    this.served = Served.within(
      {
        HOME: this.home,
        STILLPOINT_HOME: this.settings,
        XDG_CACHE_HOME: join(this.home, 'cache'),
        XDG_RUNTIME_DIR: this.runtime,
        PATH: `${this.bin}:${process.env['PATH'] ?? ''}`,
        ...env
      },
      ...args
    )
  }

  /** @param browser what `xdg-open` does, in shell; undefined: nothing is opened */
  static start(browser?: string, env: Readonly<Record<string, string>> = {}, ...args: readonly string[]): Serving {
    buildIfStale()
    execFileSync(process.execPath, [join(ROOT, 'scripts/build-node.mjs')])
    return new Serving(browser, env, browser === undefined ? args : ['--open', ...args])
  }

  get pid(): number {
    return this.served.child.pid ?? 0
  }

  get isAlive(): boolean {
    return this.served.child.exitCode === null && this.served.child.signalCode === null
  }

  /** Files, sockets and pipes that the process has open. */
  get handles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  get residentBytes(): number {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) * 1024
  }

  async stop(): Promise<void> {
    await this.served.stop()
    rmSync(this.home, { recursive: true, force: true })
  }

  private program(name: string, script: string): void {
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(this.bin, name), 0o755)
  }
}

/** The operator's own window: it is let in, asks, and is answered. */
export class OwnWindow {
  readonly key: string
  private readonly socket: WebSocket
  private next = 0

  private constructor(key: string, socket: WebSocket) {
    this.key = key
    this.socket = socket
  }

  static async open(address: string): Promise<OwnWindow> {
    const proving = provingAddress(address)
    return new OwnWindow(proving.own, await openWindow(new URL(address).origin, proving))
  }

  static async withKey(origin: string, key: string): Promise<OwnWindow> {
    return new OwnWindow(key, await openWindow(origin, provingOwn(key)))
  }

  /** @throws if it is thrown out */
  ask(channel: string): Promise<unknown> {
    const id = this.next++
    return new Promise((resolve, reject) => {
      const thrownOut = (): void => reject(new Error('the window was thrown out'))
      const hear = (data: Buffer): void => {
        const frame = JSON.parse(data.toString()) as CoreFrame
        if (!('id' in frame) || frame.id !== id) return
        this.socket.off('message', hear).off('close', thrownOut)
        resolve(frame.reply)
      }
      if (this.socket.readyState !== WebSocket.OPEN) thrownOut()
      this.socket.on('message', hear).once('close', thrownOut)
      this.socket.send(JSON.stringify({ id, channel, question: [] }))
    })
  }

  close(): void {
    this.socket.terminate()
  }
}
