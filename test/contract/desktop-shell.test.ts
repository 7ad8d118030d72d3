import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { jobNotice } from '../../src/main/core/live/job-notice.ts'
import type { DesktopSide } from '../../src/main/desktop/desktop-side.ts'
import { fail } from '../../src/shared/failure.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import type { GoTo } from '../../src/shared/views/notice-view.ts'
import type { Choices } from '../../src/shared/views/settings-view.ts'
import { ended, jobOf, liveOf } from '../unit/desktop/jobs.ts'
import { fakeDesktopCore } from './fake-desktop-core.ts'
import { fakeElectron, FakeContents, type FakeChoices } from './fake-electron.ts'
import { eventually } from '../patience.ts'

const base = mkdtempSync(join(tmpdir(), 'stillpoint-desktop-'))
const RESOURCES = join(import.meta.dirname, '../../resources')
let n = 0
afterAll(() => rmSync(base, { recursive: true }))
afterEach(() => {
  vi.doUnmock('electron')
  vi.restoreAllMocks()
})

interface Wish extends FakeChoices {
  readonly chosen?: Partial<Choices>
  /** The panel shows tray icons. */
  readonly showsTray?: boolean
  readonly argv?: readonly string[]
  readonly folder?: string
}

/** The desktop on a fake of Electron and a fake of the core. */
async function started({ chosen = {}, showsTray = true, argv = [], ...wish }: Wish = {}) {
  const folder = wish.folder ?? join(base, String((n += 1)))
  const fake = fakeElectron(wish)
  const core = fakeDesktopCore(chosen)
  const failures: unknown[] = []
  const goTos: (GoTo | undefined)[] = []
  const sides: DesktopSide[] = []
  vi.resetModules()
  vi.doMock('electron', () => fake.modules)
  vi.spyOn(process, 'argv', 'get').mockReturnValue(['electron', '.', ...argv])
  const { startDesktop } = await import('../../src/main/desktop/start.ts')
  startDesktop({
    userData: join(folder, 'window'),
    windowFile: join(folder, 'window.json'),
    autostartFile: join(folder, 'autostart/stillpoint.desktop'),
    rendererRoot: join(folder, 'renderer'),
    preload: join(folder, 'index.cjs'),
    icons: RESOURCES,
    trayIsShown: () => Promise.resolve(showsTray),
    openCore: (_port, side) => {
      sides.push(side)
      side.goTo.listen((to) => goTos.push(to))
      return core.core
    },
    onFailure: (error) => failures.push(error)
  })
  await eventually(() => expect(sides).toHaveLength(1))
  await settled()
  const { windows, trays, modules } = fake
  return { ...fake, ...modules, core, folder, failures, goTos, side: sides[0], window: windows[0], tray: trays[0] }
}
type Started = Awaited<ReturnType<typeof started>>

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))
const press = (label: string) => () => label
const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('not there')
  return value
}
/** What has been drawn once a second has passed. */
const drawn = (check: () => void): Promise<void> => eventually(check, 50)

describe('the tray', () => {
  it('shows the state as picture, sentence and menu', async () => {
    const { tray } = await started()
    await drawn(() =>
      expect(tray?.setToolTip).toHaveBeenLastCalledWith(expect.stringMatching(/^Stillpoint: All 4 VMs/))
    )
    expect(tray?.menu.map(({ label, type }) => label ?? type)).toEqual([
      expect.stringMatching(/^All 4 VMs are protected/),
      'separator',
      'Back up now',
      'separator',
      'Open Stillpoint',
      'Quit'
    ])
  })

  it('changes its picture with the worst state, and back', async () => {
    const { tray, core } = await started()
    const good = readFileSync(join(RESOURCES, 'tray/good@3x.png')).length
    const danger = readFileSync(join(RESOURCES, 'tray/danger@3x.png')).length
    const shows = (bytes: number): Promise<void> =>
      drawn(() => expect(tray?.setImage.mock.lastCall?.[0]).toMatchObject({ of: `${bytes} bytes` }))
    await shows(good)
    const job = ended(jobOf(1), 'failed-clean')
    const at = new Date().toISOString()
    const notice = { id: 'x', at, severity: 'failure', title: 'It failed', text: '', acknowledged: false } as const
    core.jobs.set([job])
    core.notices.set([notice])
    await shows(danger)
    expect(tray?.setToolTip).toHaveBeenLastCalledWith('Stillpoint: It failed')
    core.notices.set([{ ...notice, acknowledged: true }])
    await shows(good)
  })

  it('is drawn at most once a second, and only when something is different', async () => {
    const { tray, core } = await started()
    const job = jobOf(1)
    core.jobs.set([job])
    for (let done = 1; done <= 500; done++) core.live.set([liveOf(job, 'x', done, 500)])
    await drawn(() => expect(JSON.stringify(tray?.menu)).toContain('100 %'))
    expect(tray?.setContextMenu.mock.calls.length).toBeLessThanOrEqual(2)
    const calls = tray?.setContextMenu.mock.calls.length
    core.live.set([{ ...liveOf(job, 'x', 500, 500), lastSignAt: '2026-11-25T10:09:00.000Z' }])
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(tray?.setContextMenu.mock.calls.length).toBe(calls)
  })

  it('backs up a VM, and says so where it cannot be', async () => {
    const { tray, core, notifications, goTos } = await started()
    const [host] = core.data.hosts
    const vm = present(host?.vms[0])
    const label = `${vm.name} (${present(host).name})`
    await drawn(() => present(tray).choose('Back up now', label))
    expect(core.backUp).toHaveBeenCalledExactlyOnceWith(host?.name, vm.uuid)
    expect(notifications).toEqual([])
    core.backUp.mockImplementation(() => Promise.reject(failing()))
    present(tray).choose('Back up now', label)
    await settled()
    expect(notifications.map(({ options }) => options.title)).toEqual([`${vm.name} could not be backed up`])
    notifications[0]?.emit('click')
    expect(goTos.at(-1)).toEqual({ screen: 'vm', host: host?.name, vm: vm.uuid })
  })

  it('opens the window, leads it somewhere, and quits', async () => {
    const { tray, window, goTos, app } = await started()
    await drawn(() => present(tray).choose('Open Stillpoint'))
    expect(window?.focus).toHaveBeenCalledOnce()
    const state = present(tray?.menu[0]?.label)
    present(tray).choose(state)
    expect(goTos.at(-1)).toEqual({ screen: 'overview' })
    tray?.emit('click')
    expect(window?.focus).toHaveBeenCalledTimes(3)
    present(tray).choose('Quit')
    expect(app.quit).toHaveBeenCalledOnce()
  })

  it('is not missed where it cannot be made', async () => {
    const { window, trays, side, failures, core } = await started({ hasTray: false })
    core.jobs.set([jobOf(1)])
    await settled()
    expect([trays.length, failures.length, await side?.hasTray()]).toEqual([0, 1, false])
    expect(window?.loadURL).toHaveBeenCalledOnce()
  })

  it('does not count where the panel shows none', async () => {
    expect(await (await started({ showsTray: false })).side?.hasTray()).toBe(false)
    expect(await (await started()).side?.hasTray()).toBe(true)
  })
})

const failing = (): Error => {
  try {
    return fail({ kind: 'host-unreachable', host: 'kvm-1', reason: 'nothing listens there' })
  } catch (error) {
    return error as Error
  }
}

describe('closing the window', () => {
  it('asks once, and keeps running in the tray from then on', async () => {
    const { window, core, boxes, app, windows } = await started({ press: press('Keep running in the tray') })
    expect(window?.close()).toBe(false)
    await eventually(() => expect(window?.hide).toHaveBeenCalledOnce())
    expect(core.choices.value?.onClose).toBe('tray')
    window?.close()
    await eventually(() => expect(window?.hide).toHaveBeenCalledTimes(2))
    expect([boxes.length, app.quit.mock.calls.length]).toEqual([1, 0])
    app.emit('second-instance')
    expect([window?.visible, windows.length]).toEqual([true, 1])
  })

  it('quits if that is the answer, and says goodbye to the hosts first', async () => {
    const { window, core, app } = await started({ press: press('Quit') })
    window?.close()
    await eventually(() => expect(app.exit).toHaveBeenCalledOnce())
    expect(core.choices.value?.onClose).toBe('quit')
    expect(core.close).toHaveBeenCalledOnce()
    expect(window?.destroyed).toBe(true)
  })

  it('does nothing if the answer is no, or if nobody can be asked', async () => {
    for (const answer of [press('Cancel'), () => undefined]) {
      const { window, core, app } = await started({ press: answer })
      window?.close()
      await settled()
      expect([window?.destroyed, window?.hide.mock.calls.length, app.quit.mock.calls.length]).toEqual([false, 0, 0])
      expect(core.changeChoices).not.toHaveBeenCalled()
    }
  })

  it('asks once as well on a desktop without a tray, and then quits', async () => {
    const { window, core, app, boxes } = await started({ showsTray: false, press: press('Quit') })
    window?.close()
    await eventually(() => expect(app.exit).toHaveBeenCalledOnce())
    expect(boxes.map(({ message }) => message)).toEqual(['Closing the window quits Stillpoint'])
    expect(core.choices.value?.onClose).toBe('quit')
  })

  it('says where the backup goes on', async () => {
    const { window, core, boxes, notifications } = await started({ press: press('Keep running in the tray') })
    core.jobs.set([jobOf(1)])
    window?.close()
    await eventually(() => expect(window?.hide).toHaveBeenCalledOnce())
    expect(boxes[0]?.detail).toContain('The backup of web1 goes on on alpha.')
    expect(notifications.map(({ options }) => options.body)).toEqual(['The backup of web1 goes on on alpha.'])
  })

  it('does not hold up the end of the session', async () => {
    const { window, core, boxes, powerMonitor, app } = await started()
    core.jobs.set([jobOf(1)])
    powerMonitor.emit('shutdown')
    app.quit()
    await eventually(() => expect(app.exit).toHaveBeenCalledOnce())
    expect([window?.destroyed, boxes.length]).toEqual([true, 0])
  })

  it('has what is known kept at the end of a session of Windows, which says nothing else', async () => {
    const { window, core } = await started()
    expect(core.keepWhatIsKnown).not.toHaveBeenCalled()
    window?.emit('session-end')
    expect(core.keepWhatIsKnown).toHaveBeenCalledOnce()
  })
})

/** As the core tells of it: the job, and the notice about it. */
function end(core: ReturnType<typeof fakeDesktopCore>, job: JobView): void {
  core.jobs.set([job])
  const [said, acknowledged] = jobNotice(job, core.choices.value)
  core.notices.set([{ ...said, acknowledged }])
}

describe('notifications', () => {
  it('tell of a failure and lead to its job', async () => {
    const { core, notifications, goTos, window } = await started()
    const job = jobOf(1)
    core.jobs.set([job])
    end(core, ended(job, 'failed-clean'))
    expect(notifications.map(({ options, shown }) => [options.title, shown])).toEqual([
      ['The backup of web1 on alpha failed', true]
    ])
    present(window).minimized = true
    notifications[0]?.emit('click')
    expect(goTos.at(-1)).toEqual({ screen: 'job', job: job.id })
    expect(window?.restore).toHaveBeenCalledOnce()
  })

  it('tell of success only where that was chosen', async () => {
    const tells = async (notifySuccess: boolean): Promise<number> => {
      const { core, notifications } = await started({ chosen: { notifySuccess } })
      core.jobs.set([jobOf(1)])
      end(core, ended(jobOf(1), 'done'))
      return notifications.length
    }
    expect([await tells(false), await tells(true)]).toEqual([0, 1])
  })

  it('are not missed where there are none', async () => {
    const { core, notifications, failures } = await started({ hasNotifications: false })
    core.jobs.set([jobOf(1)])
    end(core, ended(jobOf(1), 'failed-clean'))
    expect([notifications, failures]).toEqual([[], []])
  })

  it('come under the name that Windows knows', async () => {
    const { app } = await started()
    expect(app.setAppUserModelId).toHaveBeenCalledExactlyOnceWith('app.stillpoint')
  })
})

describe('power', () => {
  it('looks at everything anew on waking up and on unlocking, once for both', async () => {
    const { core, powerMonitor } = await started()
    powerMonitor.emit('resume')
    powerMonitor.emit('unlock-screen')
    expect(core.wake).toHaveBeenCalledOnce()
  })

  it('keeps the computer awake while a point is copied, not while a host works', async () => {
    const { core, powerSaveBlocker } = await started()
    core.jobs.set([jobOf(1)])
    // What a host says of its jobs is no work of this computer.
    core.jobs.set([jobOf(1), jobOf(2, { kind: 'copy' })])
    expect(powerSaveBlocker.start).not.toHaveBeenCalled()
    const copy = jobOf(3, { kind: 'copy', isHere: true })
    core.jobs.set([jobOf(1), copy])
    core.live.set([liveOf(copy, 'copying')])
    expect(powerSaveBlocker.start).toHaveBeenCalledExactlyOnceWith('prevent-app-suspension')
    expect(powerSaveBlocker.stop).not.toHaveBeenCalled()
    core.jobs.set([jobOf(1), ended(copy, 'done')])
    expect(powerSaveBlocker.stop).toHaveBeenCalledExactlyOnceWith(7)
  })

  it('shows progress in the taskbar', async () => {
    const { core, window } = await started()
    core.live.set([liveOf(jobOf(1), 'x', 1, 4)])
    core.live.set([])
    expect(window?.setProgressBar.mock.calls.map(([bar]) => bar)).toEqual([0.25, -1])
  })
})

describe('starting at login', () => {
  const entry = ({ folder }: Started): string => join(folder, 'autostart/stillpoint.desktop')

  it('is off until it is chosen, and off again', async () => {
    const app = await started()
    await settled()
    expect(existsSync(entry(app))).toBe(false)
    await app.core.changeChoices({ startAtLogin: true })
    await eventually(() => expect(readFileSync(entry(app), 'utf8')).toContain('"/src/stillpoint" "--hidden"'))
    await app.core.changeChoices({ startAtLogin: false })
    await eventually(() => expect(existsSync(entry(app))).toBe(false))
  })

  it('that cannot be set up is said, and not shown as chosen', async () => {
    const folder = join(base, String((n += 1)))
    writeFileSync(folder, 'not a folder')
    const { core, boxes } = await started({ folder, chosen: { startAtLogin: true } })
    await eventually(() => expect(core.choices.value?.startAtLogin).toBe(false))
    expect(boxes.map(({ message }) => message)).toEqual(['Starting at login could not be set up'])
  })

  it('opens no window where the tray is there to wait in', async () => {
    const { windows, tray, app } = await started({ argv: ['--hidden'] })
    expect(windows).toEqual([])
    tray?.emit('click')
    expect(windows).toHaveLength(1)
    expect(app.quit).not.toHaveBeenCalled()
  })
})

describe('the place of the window', () => {
  const laptop = { x: 0, y: 0, width: 1920, height: 1200 }
  const beside = { x: 1920, y: 0, width: 2560, height: 1440 }

  it('is remembered for each set-up of screens', async () => {
    const folder = join(base, String((n += 1)))
    const docked = await started({ folder, displays: [laptop, beside] })
    const window = present(docked.window)
    window.bounds = { x: 2100, y: 50, width: 1500, height: 1000 }
    window.maximized = true
    window.emit('move')
    window.close()
    const alone = await started({ folder, displays: [laptop] })
    expect(alone.window?.options).toMatchObject({ width: 1100, height: 720 })
    expect(alone.window?.options.x).toBeUndefined()
    const again = await started({ folder, displays: [beside, laptop] })
    expect(again.window?.options).toMatchObject({ x: 2100, y: 50, width: 1500, height: 1000 })
    again.window?.emit('ready-to-show')
    expect(again.window?.maximize).toHaveBeenCalledOnce()
  })

  it('comes back when its screens come back', async () => {
    const { window, displays, screen } = await started({ displays: [laptop, beside] })
    const { bounds } = present(window)
    present(window).bounds = { ...bounds, x: 2000, y: 60 }
    window?.emit('move')
    await new Promise((resolve) => setTimeout(resolve, 600))
    displays.pop()
    screen.emit('display-removed')
    expect(window?.setBounds).not.toHaveBeenCalled()
    displays.push(beside)
    screen.emit('display-added')
    expect(window?.setBounds).toHaveBeenCalledExactlyOnceWith({ ...bounds, x: 2000, y: 60 })
  })
})

describe('a page whose process is gone', () => {
  const crash = ({ window }: Started): boolean | undefined =>
    window?.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 5 })

  it('is loaded again once by itself, with a word', async () => {
    const app = await started()
    crash(app)
    expect(app.window?.webContents.reload).toHaveBeenCalledOnce()
    expect(app.boxes.map(({ message }) => message)).toEqual(['The window had stopped and was opened again'])
    expect(app.failures).toHaveLength(1)
  })

  it('is loaded a second time only if the person says so', async () => {
    const app = await started({ press: ({ buttons = [] }) => buttons[0] })
    crash(app)
    crash(app)
    await settled()
    expect(app.boxes.map(({ message }) => message)).toContain('The window has stopped twice within a minute')
    expect(app.window?.webContents.reload).toHaveBeenCalledTimes(2)
    const gone = await started({ press: press('Quit') })
    crash(gone)
    crash(gone)
    await settled()
    expect(gone.app.quit).toHaveBeenCalledOnce()
  })

  it('that ended in good order is left alone', async () => {
    const { window } = await started()
    window?.webContents.emit('render-process-gone', {}, { reason: 'clean-exit', exitCode: 0 })
    expect(window?.webContents.reload).not.toHaveBeenCalled()
  })
})

describe('what the page may load and save', () => {
  it('is nothing from any network', async () => {
    const { session } = await started()
    const [decide] = session.defaultSession.webRequest.onBeforeRequest.mock.calls[0] ?? []
    const refused = (url: string): boolean => {
      const answer = vi.fn<(decision: { cancel: boolean }) => void>()
      decide?.({ url }, answer)
      return answer.mock.calls[0]?.[0].cancel ?? false
    }
    const elsewhere = [
      'https://evil.example/x.js',
      'http://127.0.0.1:8080/',
      'ws://127.0.0.1/',
      'file:///etc/passwd',
      'app://stillpoint.evil/index.html',
      'app://evil/',
      'blob:https://evil.example/1',
      'data:text/html,x'
    ]
    expect(elsewhere.filter((url) => !refused(url))).toEqual([])
    expect(['app://stillpoint/index.html', 'blob:app://stillpoint/1-2'].filter(refused)).toEqual([])
  })

  it('is saved only from what it made itself, and only where the person says', async () => {
    const { session, window } = await started()
    const download = (url: string, contents: FakeContents, name = 'downtimes.csv') => {
      const preventDefault = vi.fn()
      const item = { getURL: () => url, getFilename: () => name, setSaveDialogOptions: vi.fn(), setSavePath: vi.fn() }
      session.defaultSession.emit('will-download', { preventDefault }, item, contents)
      expect(item.setSavePath).not.toHaveBeenCalled()
      return preventDefault.mock.calls.length > 0 ? 'refused' : (item.setSaveDialogOptions.mock.calls[0]?.[0] as object)
    }
    const ours = present(window).webContents
    const foreign = Object.assign(new FakeContents(), { mainFrame: { url: 'https://evil.example/' } })
    expect(download('blob:app://stillpoint/1-2', ours)).toEqual({ defaultPath: '/home/l/downloads/downtimes.csv' })
    expect(download('blob:app://stillpoint/1-2', ours, '../../.bashrc')).toEqual({
      defaultPath: '/home/l/downloads/.bashrc'
    })
    expect(download('blob:app://stillpoint/1-2', foreign)).toBe('refused')
    expect(download('https://evil.example/x.exe', ours)).toBe('refused')
    expect(download('app://stillpoint/index.html', ours)).toBe('refused')
  })

  it('is looked into with developer tools only in a checkout', async () => {
    const tools = async (isPackaged: boolean): Promise<unknown> =>
      (await started({ isPackaged })).window?.options.webPreferences?.devTools
    expect([await tools(true), await tools(false)]).toEqual([false, true])
  })
})
