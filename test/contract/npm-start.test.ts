import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { electronBinary, noElectronBecause, sourceOf } from '../../scripts/how-to-start.mjs'
import { buildIfStale } from './built-window.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'stillpoint-start-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('whether the window can be opened in Electron', () => {
  const here = { platform: 'linux', uid: 1000, env: { DISPLAY: ':0' } }

  it('depends on a graphical session, and on not being root', () => {
    expect(noElectronBecause(here)).toBeUndefined()
    expect(noElectronBecause({ ...here, env: { WAYLAND_DISPLAY: 'wayland-0' } })).toBeUndefined()
    expect(noElectronBecause({ ...here, env: {} })).toMatch(/no graphical session/)
    expect(noElectronBecause({ ...here, uid: 0 })).toMatch(/as root/)
    expect(noElectronBecause({ platform: 'darwin', uid: 501, env: {} })).toBeUndefined()
    expect(noElectronBecause({ platform: 'win32', uid: undefined, env: {} })).toBeUndefined()
  })

  it('depends on the binary, which is looked for without fetching it', () => {
    const electron = join(folder, 'node_modules/electron')
    mkdirSync(join(electron, 'dist'), { recursive: true })
    expect(electronBinary(folder, {})).toBeUndefined()
    writeFileSync(join(electron, 'path.txt'), 'electron')
    expect(electronBinary(folder, {})).toBeUndefined()
    writeFileSync(join(electron, 'dist/electron'), '')
    expect(electronBinary(folder, {})).toBe(join(electron, 'dist/electron'))
    expect(electronBinary(folder, { ELECTRON_OVERRIDE_DIST_PATH: '/nowhere' })).toBeUndefined()
  })

  it('may depend on where it is fetched from', () => {
    expect(sourceOf({})).toEqual({ host: 'github.com', port: 443, isProxied: false })
    expect(sourceOf({ ELECTRON_MIRROR: 'http://mirror.example:8080/e/' })).toMatchObject({
      host: 'mirror.example',
      port: 8080
    })
    expect(sourceOf({ ELECTRON_MIRROR: 'nonsense', https_proxy: 'http://p' })).toMatchObject({
      host: 'github.com',
      isProxied: true
    })
  })
})

describe('npm start where Electron cannot run', () => {
  it('says so in one line and serves the window', async () => {
    buildIfStale()
    const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...env } = process.env
    const home = join(folder, 'home')
    const args = [join(ROOT, 'scripts/start.mjs'), '--no-open']
    const child = spawn(process.execPath, args, { env: { ...env, STILLPOINT_HOME: home, XDG_CACHE_HOME: home } })
    let said = ''
    const address = await new Promise<string>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        said += chunk.toString()
        const url = /http:\/\/127\.0\.0\.1:\d+\/#\S+/.exec(said)?.[0]
        if (url !== undefined) resolve(url)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => reject(new Error(`ended: ${said}`)))
    })
    expect(said.split('\n').filter((line) => line.includes('in your browser instead'))).toHaveLength(1)
    expect((await fetch(address.split('#')[0] ?? '')).status).toBe(200)
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
    await expect(fetch(address.split('#')[0] ?? '')).rejects.toThrow()
  })
})
