import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { foldersIn, watchFolders } from '../../../src/main/core/live/folder-script.ts'

let state = ''
let stop = (): void => undefined
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'stillpoint-folders-'))
  for (const name of ['jobs', 'policies', 'runs', 'outbox']) mkdirSync(join(state, name))
})
afterEach(() => {
  stop()
  rmSync(state, { recursive: true })
})

/** What the script says, from its first look on. */
async function watching(): Promise<{ said: () => readonly string[] }> {
  const [command, ...args] = watchFolders(join(state, 'jobs'), state)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  stop = () => void child.kill()
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await new Promise((resolve) => setTimeout(resolve, 600))
  return { said: () => foldersIn(text) }
}

const journal = (n: number): string => {
  const dir = join(state, 'runs', `20261125T12000${n}Z-00000a`)
  mkdirSync(dir, { recursive: true })
  return join(dir, 'journal.jsonl')
}

describe('the watch over the folders of a host', () => {
  it('is quiet while nothing moves', async () => {
    writeFileSync(journal(1), '{}\n')
    const { said } = await watching()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(said()).toEqual([])
  })

  it.each<[string, () => void, string]>([
    ['a job that begins', () => mkdirSync(join(state, 'jobs', 'x')), 'jobs'],
    ['a policy that is put', () => writeFileSync(join(state, 'policies', 'a.json'), '{}'), 'policies'],
    ['a message that waits', () => writeFileSync(join(state, 'outbox', 'm'), ''), 'policies'],
    ['a run that begins', () => writeFileSync(journal(2), '{}\n'), 'runs']
  ])('hears of %s', async (_, move, folder) => {
    const { said } = await watching()
    move()
    await vi.waitFor(() => expect(said()).toEqual([folder]), { timeout: 4000 })
  })

  it('hears of a run whose folder was there before it began to write', async () => {
    writeFileSync(journal(1), '{}\n')
    const path = journal(3)
    const { said } = await watching()
    writeFileSync(path, '{}\n')
    await vi.waitFor(() => expect(said()).toEqual(['runs']), { timeout: 4000 })
  })

  it('hears a run go on, also among many', async () => {
    for (let n = 1; n <= 9; n++) writeFileSync(journal(n), '{}\n')
    const { said } = await watching()
    appendFileSync(journal(7), '{}\n')
    await vi.waitFor(() => expect(said()).toEqual(['runs']), { timeout: 4000 })
  })
})
