import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchScript } from '../../src/engine/jobs/watch-script.ts'
import { localShell } from '../../src/shell/local.ts'

const ID = '20261124T010000Z-000001'
const OTHER = '20261124T010000Z-000002'
const BEGIN = '{"n":0,"at":"2026-11-24T01:00:00.000Z","type":"begin","id":"x"}\n'
const END = '{"n":12,"at":"2026-11-24T01:12:04.000Z","type":"end","report":{}}\n'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'stillpoint-watch-'))
  for (const name of ['run', 'bin', 'state/jobs', 'state/runs']) mkdirSync(join(dir, name), { recursive: true })
  const systemctl = `#!/bin/sh
case $1 in
  show) for unit; do :; done; echo ActiveState=$(cat ${dir}/run/$unit.state 2>/dev/null || echo inactive) ;;
  *) echo "$*" >> ${dir}/told ;;
esac
`
  writeFileSync(join(dir, 'bin/systemctl'), systemctl, { mode: 0o755 })
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

const job = (id: string, journal?: string): void => entry('jobs', id, journal)
const run = (id: string, journal?: string): void => entry('runs', id, journal)
function entry(kind: string, id: string, journal: string | undefined): void {
  mkdirSync(join(dir, 'state', kind, id))
  if (journal !== undefined) writeFileSync(join(dir, 'state', kind, id, 'journal.jsonl'), journal)
}
const unitIs = (id: string, state: string): void => {
  writeFileSync(join(dir, `run/stillpoint-job-${id}.service.state`), state)
}
/** By this process, or by one of its number that is no more. */
function isHeld(lock: string, { lives = true } = {}): void {
  const begun = readFileSync('/proc/self/stat', 'utf8').split(' ')[21] ?? ''
  const holder = { by: 'somebody', since: '2026-11-24T01:00:00.000Z', pid: process.pid, begun: lives ? begun : '17' }
  writeFileSync(join(dir, `run/${lock}.lock`), JSON.stringify(holder))
}

/** True if the recovery was started, as the script stands in its unit. */
async function starts(): Promise<boolean> {
  const script = watchScript(join(dir, 'state'), join(dir, 'run'))
  expect(script).not.toMatch(/['\\\n]/)
  rmSync(join(dir, 'told'), { force: true })
  const env = { PATH: `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}` }
  expect((await localShell().run(['sh', '-c', script], { env })).exitCode).toBe(0)
  const told = await localShell().run(['cat', join(dir, 'told')])
  if (told.exitCode === 0) expect(told.stdout).toBe('start --no-block stillpoint-recover.service\n')
  return told.exitCode === 0
}

describe('the look of every minute', () => {
  it('starts the recovery where nothing is open, which takes the watch away', async () => {
    expect(await starts()).toBe(true)
    job(ID, BEGIN + END)
    run(ID, BEGIN + END)
    expect(await starts()).toBe(true)
  })

  it.each(['active', 'activating', 'deactivating', 'reloading'])(
    'leaves a job alone whose unit is %s',
    async (state) => {
      job(ID, BEGIN)
      unitIs(ID, state)
      expect(await starts()).toBe(false)
    }
  )

  it.each(['inactive', 'failed', ''])('has a job taken up whose unit is %s, beside others that live', async (state) => {
    for (const id of [ID, OTHER]) job(id, BEGIN)
    unitIs(ID, 'active')
    unitIs(OTHER, state)
    expect(await starts()).toBe(true)
  })

  it('leaves an order alone that somebody is just handing to systemd, until he is dead', async () => {
    job(ID)
    isHeld(`submit-${ID}`)
    expect(await starts()).toBe(false)
    isHeld(`submit-${ID}`, { lives: false })
    expect(await starts()).toBe(true)
  })

  it('leaves a run alone whose process lives, until that is dead', async () => {
    run(ID, BEGIN)
    isHeld(`run-${ID}`)
    expect(await starts()).toBe(false)
    isHeld(`run-${ID}`, { lives: false })
    expect(await starts()).toBe(true)
    writeFileSync(join(dir, `run/run-${ID}.lock`), '')
    expect(await starts()).toBe(true)
  })

  it('knows an end though an engine before this one has written behind it, and a torn one for none', async () => {
    job(OTHER, BEGIN)
    unitIs(OTHER, 'active')
    job(ID, `${BEGIN}${END}{"n":13,"at":"20`)
    expect(await starts()).toBe(false)
    writeFileSync(join(dir, 'state/jobs', ID, 'journal.jsonl'), `${BEGIN}${END.slice(0, 40)}`)
    expect(await starts()).toBe(true)
  })
})
