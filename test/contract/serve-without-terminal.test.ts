import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { Serving } from '../hostile/serving.ts'
import { eventually } from '../patience.ts'
import { askChallenge, keyIn, nameOf, tabKeyOf } from './tab-key-of.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/stillpoint.mjs', import.meta.url))

/** Who has neither a terminal nor `--json`, lost the only window, and asks by a signal. */
it('shows a new address when it is told to, and the old one stays used', async () => {
  const beside = Serving.start() // builds what is stale, and lends its home
  onTestFinished(() => beside.stop())
  const child = spawn(process.execPath, [LAUNCHER, 'serve', '--no-open'], {
    env: { ...process.env, HOME: beside.home, STILLPOINT_HOME: join(beside.home, 'other') },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  onTestFinished(async () => {
    if (child.exitCode !== null || !child.kill('SIGTERM')) return
    await once(child, 'exit')
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const addresses = (): string[] => lines.flatMap((line) => /Stillpoint is at (http\S+#\S+)/.exec(line)?.[1] ?? [])

  await eventually(() => expect(lines.join('\n')).toContain(`kill -USR2 ${child.pid ?? 0}`), 200)
  const [first = ''] = addresses()
  await tabKeyOf(first) // and its tab is closed
  expect((await askChallenge(new URL(first).origin, nameOf(keyIn(first)))).ok).toBe(false)
  child.kill('SIGUSR2')
  await eventually(() => expect(addresses().length).toBeGreaterThan(1), 200)
  const second = addresses()[1] ?? ''
  expect(new URL(second).origin).toBe(new URL(first).origin)
  expect(await tabKeyOf(second)).toMatch(/^[\w-]{43}$/)
  child.kill('SIGUSR2')
  await eventually(() => expect(addresses().length).toBeGreaterThan(2), 200)
  expect(addresses()).toHaveLength(3) // one for each time
  expect(child.exitCode).toBeNull()
})

it('opens the browser once more, by a file of its own, and leaves none', async () => {
  const serving = Serving.start('echo "$1" >> "$HOME/opened"')
  onTestFinished(() => serving.stop())
  const opened = (): string[] => readFileSync(join(serving.home, 'opened'), 'utf8').trim().split('\n')
  await serving.served.address()
  await eventually(() => expect(opened()).toHaveLength(1), 200)
  serving.served.child.kill('SIGUSR2')
  await serving.served.address()
  await eventually(() => expect(opened()).toHaveLength(2), 200)
  const files = opened().map((url) => fileURLToPath(url))
  expect(new Set(files).size).toBe(2)
  const keys = files.map((file) => /url=(\S+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? '')
  for (const key of keys) expect(await tabKeyOf(key)).toMatch(/^[\w-]{43}$/)
  await serving.served.stop()
  for (const file of files) expect(() => readFileSync(file)).toThrow('ENOENT')
})
