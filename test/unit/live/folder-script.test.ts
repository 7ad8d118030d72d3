import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FolderWords, watchFolders } from '../../../src/main/core/live/folder-script.ts'
import { eventually } from '../../patience.ts'

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

/** What the script says, from its first look on; `looked` waits for the end of one more. */
async function watching(): Promise<{ said: () => readonly string[]; looked: () => Promise<void> }> {
  const [command, ...args] = watchFolders(join(state, 'jobs'), state)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  stop = () => void child.kill()
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  let last: string | undefined
  const looked = async (): Promise<void> => {
    last = await eventually(() => sleepOf(child.pid ?? 0, last))
  }
  await looked()
  return { said: () => new FolderWords().take(Buffer.from(text)), looked }
}

/** Between two looks it sleeps. */
function sleepOf(pid: number, before: string | undefined): string {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const found = children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'sleep\n')
  if (found === undefined || found === before) throw new Error('it is looking')
  return found
}

const journal = (n: number): string => {
  const dir = join(state, 'runs', `20261125T12000${n}Z-00000a`)
  mkdirSync(dir, { recursive: true })
  return join(dir, 'journal.jsonl')
}

describe('the watch over the folders of a host', () => {
  it('is quiet while nothing moves', async () => {
    writeFileSync(journal(1), '{}\n')
    const { said, looked } = await watching()
    await looked()
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
    await eventually(() => expect(said()).toEqual([folder]))
  })

  it('hears of a run whose folder was there before it began to write', async () => {
    writeFileSync(journal(1), '{}\n')
    const path = journal(3)
    const { said } = await watching()
    writeFileSync(path, '{}\n')
    await eventually(() => expect(said()).toEqual(['runs']))
  })

  it('hears a run go on, also among many', async () => {
    for (let n = 1; n <= 9; n++) writeFileSync(journal(n), '{}\n')
    const { said } = await watching()
    appendFileSync(journal(7), '{}\n')
    await eventually(() => expect(said()).toEqual(['runs']))
  })
})
