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
import { comesToAnEnd, eventually, PATIENCE_MS } from '../../patience.ts'
import { whileLocked } from '../../../src/main/core/settings/lock-file.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-lock-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const path = (): string => join(folder, 'settings.json')
const lock = (): string => `${path()}.lock`
const QUICK = { aliveMs: 50, stoppedMs: 50, unknownMs: 50 }
const NEVER = 3_600_000

/** The name of a holder as this program has it. */
const ownName = (): string => whileLocked(path(), () => readlinkSync(lock()))
const nameOf = (pid: number, startedAt: string): string => ownName().replace(/\.\d+\.\d+\./, `.${pid}.${startedAt}.`)
const startOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[19] ?? ''

/** A program that does nothing, for as long as the work takes. */
async function whileAnotherLives(work: (pid: number) => void | Promise<void>): Promise<void> {
  const child = spawn('sleep', ['3600'])
  try {
    await once(child, 'spawn')
    await work(child.pid ?? 0)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** What this program prints where calls of the system are as the patch has them. */
function withPatch(patch: string, work: string): string {
  const script = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const real = { ...fs }
    const failWith = (code) => { throw Object.assign(new Error(code), { code }) }
    ${patch}
    syncBuiltinESMExports()
    const { whileLocked } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/main/core/settings/lock-file.ts'))})
    const path = ${JSON.stringify(path())}
    const QUICK = ${JSON.stringify(QUICK)}
    ${work}`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    timeout: PATIENCE_MS
  }).stdout
}

const PRINT = `console.log(whileLocked(path, () => 'done', { ...QUICK, aliveMs: ${NEVER} }))`
const PRINT_FAILURE = `try { console.log(whileLocked(path, () => 'done', QUICK)) } catch (error) { console.log(error.message) }`

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
    expect(whileLocked(path(), () => 'done', { ...QUICK, unknownMs: NEVER })).toBe('done')
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

  it('of one that lives is waited for, and then it is said who holds it', async () => {
    await whileAnotherLives((pid) => {
      const name = nameOf(pid, startOf(pid))
      symlinkSync(name, lock())
      expect(() => whileLocked(path(), () => undefined, { ...QUICK, stoppedMs: NEVER })).toThrow(`process ${pid}`)
      expect(readlinkSync(lock())).toBe(name)
    })
  })

  it('of one that lives is waited for once, not at every change, until another has it', async () => {
    await whileAnotherLives((pid) => {
      symlinkSync(nameOf(pid, startOf(pid)), lock())
      expect(() => whileLocked(path(), () => undefined, QUICK)).toThrow('too long')
      const again = (): unknown => whileLocked(path(), () => undefined, { ...QUICK, aliveMs: NEVER })
      expect(() => comesToAnEnd(again)).toThrow('too long')
      rmSync(lock())
      expect(whileLocked(path(), () => 'done', QUICK)).toBe('done')
    })
  })

  it('of one that is stopped is hardly waited for, and that is said', async () => {
    await whileAnotherLives(async (pid) => {
      symlinkSync(nameOf(pid, startOf(pid)), lock())
      process.kill(pid, 'SIGSTOP')
      await eventually(() => expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(') T '))
      const locked = (): unknown => whileLocked(path(), () => undefined, { ...QUICK, aliveMs: NEVER })
      expect(() => comesToAnEnd(locked)).toThrow('it is stopped')
    })
  })

  it('of this very program was left over, and is taken away', () => {
    symlinkSync(ownName(), lock())
    expect(whileLocked(path(), () => 'done', { ...QUICK, unknownMs: NEVER })).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it('is not taken away from this very program while it works', () => {
    const within = (): unknown => whileLocked(path(), () => whileLocked(path(), () => 'twice', QUICK))
    expect(within).toThrow('too long')
    expect(readdirSync(folder)).toEqual([])
  })

  it('of another computer, or of before the last start of this one, is waited for a little', () => {
    symlinkSync(`elsewhere.${process.pid}.${startOf(process.pid)}.0123456789ab`, lock())
    expect(() => whileLocked(path(), () => undefined, { ...QUICK, unknownMs: NEVER })).toThrow('io')
    expect(whileLocked(path(), () => 'done', { ...QUICK, aliveMs: NEVER })).toBe('done')
  })

  it.each(['EPERM', 'EROFS'])('is done without where the file system has no links: %s', (code) => {
    expect(withPatch(`fs.symlinkSync = () => failWith('${code}')`, PRINT)).toBe('done\n')
  })

  it.each(['EPERM', 'EROFS'])('is done without where one is left over that cannot be taken away: %s', async (code) => {
    symlinkSync(nameOf(await deadPid(), '1'), lock())
    const patch = `fs.symlinkSync = (_, at) => failWith(fs.lstatSync(at, { throwIfNoEntry: false }) ? 'EEXIST' : '${code}')`
    expect(withPatch(patch, PRINT)).toBe('done\n')
  })

  it('is ours where the file system says that it is taken, and by us', () => {
    const patch = `fs.symlinkSync = (to, at) => { real.symlinkSync(to, at); failWith('EEXIST') }`
    expect(withPatch(patch, PRINT)).toBe('done\n')
  })

  it('ends where the file system says that it is taken, and shows nothing', () => {
    expect(withPatch(`fs.symlinkSync = () => failWith('EEXIST')`, PRINT_FAILURE)).toContain(
      'something has been writing'
    )
  })

  it('that cannot be taken away changes nothing of what was done, and is taken away the next time', () => {
    const patch = `let fails = 1; fs.rmSync = (...all) => (fails-- > 0 ? failWith('EIO') : real.rmSync(...all))`
    const work = `${PRINT}; console.log(fs.readdirSync(${JSON.stringify(folder)}).length); ${PRINT}`
    expect(withPatch(patch, work)).toBe('done\n1\ndone\n')
    expect(readdirSync(folder)).toEqual([])
  })

  it('of one that is hidden from us is waited for a little', async () => {
    await whileAnotherLives((pid) => {
      symlinkSync(nameOf(pid, startOf(pid)), lock())
      const patch = `
        fs.readFileSync = (path, ...all) => path === '/proc/${pid}/stat' ? failWith('ENOENT') : real.readFileSync(path, ...all)
        process.kill = () => failWith('EPERM')`
      const work = `const waits = { ...QUICK, unknownMs: ${NEVER} }
        try { whileLocked(path, () => undefined, waits) } catch (error) { console.log(error.message) }`
      expect(withPatch(patch, work)).toContain(`process ${pid}`)
      expect(withPatch(patch, PRINT)).toBe('done\n')
    })
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
