import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../bin/stillpoint.mjs', import.meta.url))

/** `stillpoint serve` as an operator starts it. */
export class Served {
  readonly child: ChildProcess
  private readonly addresses: AsyncIterator<string>

  private constructor(child: ChildProcess, addresses: AsyncIterator<string>) {
    this.child = child
    this.addresses = addresses
  }

  static start = (home: string, ...args: readonly string[]): Served => Served.within({ STILLPOINT_HOME: home }, ...args)

  /** @param env beside what is here */
  static within(env: Readonly<Record<string, string>>, ...args: readonly string[]): Served {
    const options = args.includes('--open') ? args.filter((arg) => arg !== '--open') : ['--no-open', ...args]
    const child = spawn(process.execPath, [LAUNCHER, 'serve', '--json', ...options], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    return new Served(child, addressesIn(child.stdout))
  }

  /** One that nobody has used: each is good once. A new one is there when the last has been used. */
  async address(): Promise<string> {
    const next = await this.addresses.next()
    if (next.done === true) throw new Error(`stillpoint serve ended with ${this.child.exitCode ?? 'a signal'}`)
    return next.value
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGTERM')
    await once(this.child, 'exit')
  }
}

async function* addressesIn(output: Readable): AsyncGenerator<string> {
  for await (const line of createInterface({ input: output }))
    if (line.includes('"serving"')) yield (JSON.parse(line) as { url: string }).url
}
