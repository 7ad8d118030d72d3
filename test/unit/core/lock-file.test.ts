import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { whileLocked } from '../../../src/main/core/settings/lock-file.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-lock-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const path = (): string => join(folder, 'settings.json')
const lock = (): string => `${path()}.lock`
const QUICK = { aliveMs: 50, unknownMs: 50 }

/** The name of a holder as this program has it. */
const ownName = (): string => whileLocked(path(), () => readlinkSync(lock()))
const nameOf = (pid: number, startedAt: string): string => ownName().replace(/\.\d+\.\d+\./, `.${pid}.${startedAt}.`)
const startOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[19] ?? ''

async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid ?? 0
}

describe('the lock of a file', () => {
  it('is there while the work is done, and gone afterwards, also where that fails', () => {
    expect(whileLocked(path(), () => readdirSync(folder))).toEqual(['settings.json.lock'])
    expect(() =>
      whileLocked(path(), () => {
        throw new Error('no')
      })
    ).toThrow('no')
    expect(readdirSync(folder)).toEqual([])
  })

  it('of a Stillpoint that died is taken over at once', async () => {
    symlinkSync(nameOf(await deadPid(), '1'), lock())
    expect(whileLocked(path(), () => 'done', { aliveMs: 50, unknownMs: 3_600_000 })).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it('of a Stillpoint that died is taken over where another program has its number by now', () => {
    symlinkSync(nameOf(process.pid, '1'), lock())
    expect(whileLocked(path(), () => 'done', QUICK)).toBe('done')
  })

  it('is taken over where the one that was to take it away died as well', async () => {
    const dead = nameOf(await deadPid(), '1')
    symlinkSync(dead, lock())
    const died = new Set<string>()
    // Whoever takes it away is stopped in the middle, again and again.
    for (let n = 0; n < 3; n += 1) {
      const script = `
        import fs from 'node:fs'
        import { syncBuiltinESMExports } from 'node:module'
        const real = fs.symlinkSync
        fs.symlinkSync = (to, at) => { real(to, at); process.kill(process.pid, 'SIGKILL') }
        syncBuiltinESMExports()
        const { whileLocked } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/main/core/settings/lock-file.ts'))})
        whileLocked(${JSON.stringify(path())}, () => undefined)`
      spawnSync(process.execPath, ['--input-type=module', '--eval', script])
      readdirSync(folder).forEach((name) => died.add(name))
    }
    expect(died.size).toBe(4)
    expect(whileLocked(path(), () => 'done')).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it('of one that lives is waited for, and then it is said who holds it', () => {
    const name = nameOf(process.pid, startOf(process.pid))
    symlinkSync(name, lock())
    expect(() => whileLocked(path(), () => undefined, QUICK)).toThrow(`process ${process.pid}`)
    expect(readlinkSync(lock())).toBe(name)
  })

  it('of another computer, or of before the last start of this one, is waited for a little', () => {
    symlinkSync(`elsewhere.${process.pid}.${startOf(process.pid)}.0123456789ab`, lock())
    expect(() => whileLocked(path(), () => undefined, { aliveMs: 50, unknownMs: 3_600_000 })).toThrow('io')
    expect(whileLocked(path(), () => 'done', { aliveMs: 3_600_000, unknownMs: 50 })).toBe('done')
  })

  it.each<[string, () => unknown]>([
    ['a file', () => writeFileSync(lock(), 'mine')],
    ['a folder', () => mkdirSync(join(lock(), 'x'), { recursive: true })],
    ['a pipe', () => spawnSync('mkfifo', [lock()])],
    ['a link', () => symlinkSync('/etc/passwd', lock())],
    ['a link to itself', () => symlinkSync(lock(), lock())]
  ])('makes room where %s has its name', (_, make) => {
    make()
    expect(whileLocked(path(), () => 'done', QUICK)).toBe('done')
    expect(readdirSync(folder).map((name) => name.replace(/-[0-9a-f]+$/, ''))).toEqual(['settings.json.lock.broken'])
  })
})
