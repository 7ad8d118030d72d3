import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../bin/stillpoint.mjs', import.meta.url))

/** `stillpoint serve` as an operator starts it. */
export class Served {
  readonly url: string
  private readonly child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.child = child
    this.url = url
  }

  static async start(home: string, ...args: readonly string[]): Promise<Served> {
    const env = { ...process.env, STILLPOINT_HOME: home }
    const child = spawn(
      process.execPath,
      [
        LAUNCHER,
        'serve',
        '--json',
        ...(args.includes('--open') ? [] : ['--no-open']),
        ...args.filter((arg) => arg !== '--open')
      ],
      {
        env,
        stdio: ['ignore', 'pipe', 'inherit']
      }
    )
    const url = await new Promise<string>((resolve, reject) => {
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const line = text.split('\n').find((each) => each.includes('"serving"'))
        if (line !== undefined) resolve((JSON.parse(line) as { url: string }).url)
      })
      child.once('exit', (code) => reject(new Error(`stillpoint serve ended with ${code ?? 'a signal'}: ${text}`)))
    })
    return new Served(child, url)
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return
    this.child.kill('SIGTERM')
    await once(this.child, 'exit')
  }
}
