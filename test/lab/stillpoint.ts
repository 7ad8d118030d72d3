import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LabHost } from './host.ts'

type Line = Readonly<Record<string, unknown>>

export interface Answer {
  readonly exit: number | null
  /** All JSON lines. */
  readonly lines: readonly Line[]
  /** The last one. */
  readonly result: Line
  readonly stderr: string
}

const LAUNCHER = fileURLToPath(new URL('../../bin/stillpoint.mjs', import.meta.url))

/** The terminal door as a script uses it, with a settings folder of its own. */
export class Stillpoint {
  readonly home = mkdtempSync(join(tmpdir(), 'stillpoint-home-'))

  /** Runs a command with `--json` to its end. `onLine` sees each line as it comes, and the process. */
  async run(
    args: readonly string[],
    onLine: (line: Line, child: ChildProcess) => void = () => undefined,
    extra: Readonly<Record<string, string>> = {}
  ): Promise<Answer> {
    const env = { ...process.env, STILLPOINT_HOME: this.home, ...extra }
    // A busy test machine lengthens pauses; the warning about it is not what these tests are about.
    const budget = args[0] === 'backup' && !args.includes('--budget') ? ['--budget', '10000'] : []
    const child = spawn(process.execPath, [LAUNCHER, ...args, ...budget, '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const lines: Line[] = []
    let rest = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const whole = (rest + text).split('\n')
      rest = whole.pop() ?? ''
      for (const line of whole) {
        lines.push(JSON.parse(line) as Line)
        onLine(lines.at(-1) ?? {}, child)
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const exit = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { exit, lines, result: lines.at(-1) ?? {}, stderr }
  }

  add(host: LabHost, ...flags: readonly string[]): Promise<Answer> {
    return this.run([
      'host',
      'add',
      host.name,
      `ssh://${host.user}@${host.address}:${host.port}`,
      '--identity',
      host.identityFile,
      ...flags
    ])
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}
