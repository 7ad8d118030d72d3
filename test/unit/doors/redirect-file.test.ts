import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { foldersForBrowser } from '../../../src/main/doors/serve/own-browser.ts'
import { writeRedirectFile } from '../../../src/main/doors/serve/redirect-file.ts'

const ADDRESS = 'http://127.0.0.1:7878/#key'
let place: string
beforeEach(() => (place = mkdtempSync(join(tmpdir(), 'stillpoint-place-'))))
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(place, { recursive: true })
})

describe('the file that leads to the window', () => {
  it('is for its owner alone, leads there without a script, and goes with its folder', () => {
    const file = writeRedirectFile([place], ADDRESS)
    const path = fileURLToPath(file?.url ?? '')
    const text = readFileSync(path, 'utf8')
    expect(text).toContain(`content="0; url=${ADDRESS}"`)
    expect(text).not.toContain('<script')
    expect([path, join(path, '..')].map((each) => statSync(each).mode & 0o777)).toEqual([0o600, 0o700])
    expect([file?.remove(), file?.remove(), readdirSync(place)]).toEqual([true, false, []])
  })

  it('is in the next place where the first has a folder of its name that is not ours alone', () => {
    const second = join(place, 'second')
    const open = join(place, 'open')
    const linked = join(place, 'linked')
    for (const folder of [second, open, linked]) mkdirSync(folder)
    mkdirSync(join(open, 'stillpoint-open'))
    chmodSync(join(open, 'stillpoint-open'), 0o777)
    symlinkSync(second, join(linked, 'stillpoint-open'))
    const file = writeRedirectFile([open, linked, join(place, 'second')], ADDRESS)
    expect(fileURLToPath(file?.url ?? '').startsWith(`${second}/stillpoint-open/`)).toBe(true)
    expect(readdirSync(join(open, 'stillpoint-open'))).toEqual([])
  })

  it('is nowhere where no place takes it', () => {
    writeFileSync(join(place, 'file'), '')
    expect(writeRedirectFile([join(place, 'file'), '/dev/null'], ADDRESS)).toBeUndefined()
  })

  it('clears away what one left that was killed, and no other', () => {
    const folder = join(place, 'stillpoint-open')
    mkdirSync(folder, { mode: 0o700 })
    const ended = spawnSync('true').pid
    for (const name of [`open-${ended}-a.html`, `open-${process.ppid}-b.html`, 'notes.txt'])
      writeFileSync(join(folder, name), '')
    writeRedirectFile([place], ADDRESS)
    expect(readdirSync(folder)).toHaveLength(3)
    expect(readdirSync(folder)).not.toContain(`open-${ended}-a.html`)
  })
})

describe('where a browser can read it', () => {
  const browserIs = (desktopFile: string): void => {
    const bin = join(place, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'xdg-settings'), `#!/bin/sh\necho ${desktopFile}\n`, { mode: 0o755 })
    vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`)
    vi.stubEnv('HOME', place)
  }
  const runtime = (): string => join(place, 'run')
  beforeEach(() => {
    mkdirSync(runtime(), { mode: 0o700 })
    mkdirSync(join(place, 'snap/firefox/common'), { recursive: true })
  })

  it.each([
    'firefox-esr.desktop',
    'chromium.desktop',
    'org.mozilla.firefox.desktop',
    '',
    'gone_gone.desktop',
    '../../x_y.desktop'
  ])("is the session's own folder for %j", async (desktopFile) => {
    browserIs(desktopFile)
    expect(await foldersForBrowser({ XDG_RUNTIME_DIR: runtime() }, '/settings')).toEqual([runtime(), '/settings'])
  })

  it("is a snap's own folder for a snap", async () => {
    browserIs('firefox_firefox.desktop')
    expect((await foldersForBrowser({ XDG_RUNTIME_DIR: runtime() }, '/settings'))[0]).toBe(
      join(place, 'snap/firefox/common')
    )
  })

  it('is not a folder of the session that others may enter, nor one that is named from here', async () => {
    browserIs('chromium.desktop')
    chmodSync(runtime(), 0o755)
    for (const dir of [runtime(), 'run', '', '/gone'])
      expect(await foldersForBrowser({ XDG_RUNTIME_DIR: dir }, '/settings')).toEqual(['/settings'])
  })
})
