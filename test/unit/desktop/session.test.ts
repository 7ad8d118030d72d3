import { mkdirSync, mkdtempSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { autostartEntry, autostartFile, setAutostart } from '../../../src/main/core/session/autostart-entry.ts'
import { sessionShowsTrays } from '../../../src/main/core/session/tray-watcher.ts'
import { packageRootFrom } from '../../../src/main/core/package.ts'
import { GoToSource } from '../../../src/main/desktop/go-to-source.ts'
import { openFirst } from '../../../src/main/desktop/open-first.ts'
import { startCommand } from '../../../src/main/desktop/login-item.ts'
import { menuTemplate } from '../../../src/main/desktop/menu.ts'
import { failureOf } from '../../../src/shared/failure.ts'
import { fakeShell } from '../../../src/shell/fake.ts'

vi.mock('electron', () => ({ app: {} }))

const folder = mkdtempSync(join(tmpdir(), 'stillpoint-session-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('whether a tray is shown', () => {
  const missing = { failure: { kind: 'missing-tool', tool: 'x' } as const }

  it.each([
    ['busctl', { busctl: 'b true\n' }, true],
    ['busctl', { busctl: 'b false\n' }, false],
    ['gdbus', { busctl: missing, gdbus: '(true,)\n' }, true],
    ['dbus-send', { busctl: missing, gdbus: missing, 'dbus-send': 'method return\n   boolean true\n' }, true],
    ['dbus-send after the others failed', { busctl: { exitCode: 1 }, gdbus: { exitCode: 1 }, 'dbus-send': '' }, false]
  ])('is asked of the session bus with %s', async (_, answers, shows) => {
    expect(await sessionShowsTrays(fakeShell(answers))).toBe(shows)
  })

  it('is no where nobody can be asked, or nobody answers', async () => {
    expect(await sessionShowsTrays(fakeShell({}))).toBe(false)
    const silent = { failure: { kind: 'timeout', what: 'busctl', afterMs: 2000 } as const }
    expect(await sessionShowsTrays(fakeShell({ busctl: silent, gdbus: silent, 'dbus-send': silent }))).toBe(false)
  })
})

describe('the autostart entry', () => {
  const command = ['/opt/Still point/stillpoint', '--hidden']
  let n = 0
  const fresh = (): string => join(folder, `${(n += 1)}/autostart/stillpoint.desktop`)

  it('lies where the session looks for it', () => {
    expect(autostartFile({ XDG_CONFIG_HOME: '/home/l/.cfg' })).toBe('/home/l/.cfg/autostart/stillpoint.desktop')
    expect(autostartFile({ XDG_CONFIG_HOME: 'relative' })).toMatch(/\/\.config\/autostart\/stillpoint\.desktop$/)
  })

  it('is written, changed when the command changes, and taken away', async () => {
    const file = fresh()
    await setAutostart(file, command)
    expect(readFileSync(file, 'utf8')).toContain('\nExec="/opt/Still point/stillpoint" "--hidden"\n')
    await setAutostart(file, ['/new', '--hidden'])
    expect(readFileSync(file, 'utf8')).toContain('\nExec="/new" "--hidden"\n')
    await setAutostart(file, undefined)
    expect(existsSync(file)).toBe(false)
    await setAutostart(file, undefined)
  })

  it('that is right already is not touched', async () => {
    const file = fresh()
    await setAutostart(file, command)
    const before = statSync(file).ino
    await setAutostart(file, command)
    expect(statSync(file).ino).toBe(before)
  })

  it("of somebody else's is neither written over nor taken away", async () => {
    const file = fresh()
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, '[Desktop Entry]\nExec=other\n')
    const failed = await setAutostart(file, command).catch(failureOf)
    expect(failed).toMatchObject({ kind: 'usage' })
    await setAutostart(file, undefined)
    expect(readFileSync(file, 'utf8')).toBe('[Desktop Entry]\nExec=other\n')
  })

  it('quotes what would mean something else', () => {
    const [exec] = autostartEntry(['/a"b`c$d\\e%f\ng'])
      .split('\n')
      .filter((line) => line.startsWith('Exec='))
    expect(exec).toBe('Exec="/a\\\\"b\\\\`c\\\\$d\\\\\\\\e%%f\\ng"')
  })
})

describe('the command that starts this Stillpoint', () => {
  const place = { platform: 'linux', env: {}, execPath: '/opt/Stillpoint/stillpoint', autostartFile: '' } as const
  const app = (isPackaged: boolean) => ({ isPackaged, getAppPath: () => '/src/stillpoint' })

  it('is the program, the AppImage around it, or Electron with the checkout; always hidden', () => {
    expect(startCommand(app(true), place)).toEqual(['/opt/Stillpoint/stillpoint', '--hidden'])
    expect(startCommand(app(true), { ...place, env: { APPIMAGE: '/home/l/S.AppImage' } })[0]).toBe('/home/l/S.AppImage')
    expect(startCommand(app(false), place)).toEqual(['/opt/Stillpoint/stillpoint', '/src/stillpoint', '--hidden'])
  })
})

describe('the first window', () => {
  const keeperOf = () => ({ window: undefined, open: vi.fn<(minimized: boolean) => void>() })
  const tray =
    (...answers: boolean[]) =>
    () =>
      Promise.resolve(answers.shift() ?? false)

  it('opens at once when a person starts Stillpoint', async () => {
    const keeper = keeperOf()
    await openFirst(keeper, tray(), ['stillpoint'], 1)
    expect(keeper.open).toHaveBeenCalledExactlyOnceWith(false)
  })

  it('stays away when the session starts it and a tray is, or soon becomes, there', async () => {
    const keeper = keeperOf()
    await openFirst(keeper, tray(false, false, true), ['stillpoint', '--hidden'], 1)
    expect(keeper.open).not.toHaveBeenCalled()
  })

  it('opens minimised when the session starts it and no tray comes', async () => {
    const keeper = keeperOf()
    await openFirst(keeper, tray(), ['stillpoint', '--hidden'], 1)
    expect(keeper.open).toHaveBeenCalledExactlyOnceWith(true)
  })
})

describe('where the window is wanted', () => {
  it('is heard by who listens, and for a while by who comes later', () => {
    vi.useFakeTimers()
    const [early, late, tooLate] = [vi.fn(), vi.fn(), vi.fn()]
    const source = new GoToSource()
    source.listen(early)
    source.go({ screen: 'settings' })
    source.listen(late)
    vi.advanceTimersByTime(10_000)
    source.listen(tooLate)
    vi.useRealTimers()
    source.go({ screen: 'downtime' })
    source.go({ screen: 'downtime' })
    expect(early.mock.calls.splice(-3)).toEqual([[{ screen: 'downtime' }], [undefined], [{ screen: 'downtime' }]])
    expect(early.mock.calls).toEqual([[undefined], [{ screen: 'settings' }], [undefined]])
    expect(late.mock.calls.slice(0, 2)).toEqual([[{ screen: 'settings' }], [undefined]])
    expect(tooLate.mock.calls[0]).toEqual([undefined])
  })
})

describe('the menu bar', () => {
  const goTo = vi.fn()
  const items = (platform: NodeJS.Platform) =>
    menuTemplate(platform, { goTo, open: vi.fn() }).flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []))
  const pressed = (platform: NodeJS.Platform, accelerator: string): unknown => {
    goTo.mockClear()
    for (const { click } of items(platform).filter((item) => item.accelerator === accelerator))
      (click as (() => void) | undefined)?.()
    return goTo.mock.calls[0]?.[0]
  }

  it.each(['linux', 'win32', 'darwin'] as const)('of %s leads everywhere by keyboard', (platform) => {
    const screens = [1, 2, 3, 4, 5, 6].map((n) => pressed(platform, `CmdOrCtrl+${n}`))
    expect(screens).toEqual(
      ['overview', 'hosts', 'restore', 'activity', 'downtime', 'settings'].map((screen) => ({ screen }))
    )
    expect(pressed(platform, 'CmdOrCtrl+,')).toEqual({ screen: 'settings' })
    expect(pressed(platform, 'CmdOrCtrl+N')).toEqual({ screen: 'hosts', adding: true })
    expect(pressed(platform, 'F1')).toEqual({ screen: 'overview', firstSteps: true })
    expect(items(platform).filter(({ role }) => role === 'quit')).toHaveLength(1)
  })

  it('has no key twice', () => {
    for (const platform of ['linux', 'darwin'] as const) {
      const keys = items(platform).flatMap(({ accelerator }) => accelerator ?? [])
      expect(new Set(keys).size).toBe(keys.length)
    }
  })
})

describe('where engine and runtimes are', () => {
  const checkout = join(folder, 'checkout')
  const resources = join(folder, 'resources')
  mkdirSync(join(checkout, 'out/main'), { recursive: true })
  writeFileSync(join(checkout, 'package.json'), '{}')

  it('is where it is said, else packed beside the app, else in the checkout', () => {
    const from = (env: Record<string, string>) =>
      packageRootFrom(join(checkout, 'out/main'), { env, resourcesPath: resources })
    expect(from({})).toBe(checkout)
    mkdirSync(join(resources, 'stillpoint/out/engine'), { recursive: true })
    expect(from({})).toBe(join(resources, 'stillpoint'))
    expect(from({ STILLPOINT_RESOURCES: '/elsewhere' })).toBe('/elsewhere')
    expect(packageRootFrom(join(checkout, 'out'), { env: {} })).toBe(checkout)
  })
})
