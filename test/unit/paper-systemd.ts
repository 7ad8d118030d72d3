import { existsSync, readFileSync } from 'node:fs'
import { fakeShell, type FakeAnswer, type FakeCall, type FakeShell } from '../../src/shell/fake.ts'

/** A systemd that knows units as it read them last, and can be told to fail. */
export interface PaperSystemd {
  readonly shell: FakeShell
  /** What it was told to do, without questions. */
  readonly told: () => readonly string[]
  /** Texts of units as it goes by them. */
  readonly loaded: Map<string, string>
  readonly enabled: Set<string>
  readonly active: Set<string>
  /** The next command that begins so fails. */
  failNext: string | undefined
  /** It says of every unit that it has to be read anew, however often it was. */
  isNeverContent: boolean
}

export function paperSystemd(dir: () => string): PaperSystemd {
  const inFile = (name: string): string | undefined =>
    existsSync(`${dir()}/${name}`) ? readFileSync(`${dir()}/${name}`, 'utf8') : undefined
  const shell = fakeShell({ systemctl: (call) => answer(call) })
  const systemd: PaperSystemd = {
    shell,
    told: () => shell.lines.filter((line) => !line.startsWith('systemctl show')),
    loaded: new Map(),
    enabled: new Set(),
    active: new Set(),
    failNext: undefined,
    isNeverContent: false
  }

  const know = (name: string): string => {
    const text = systemd.loaded.get(name) ?? inFile(name) ?? ''
    systemd.loaded.set(name, text)
    return text
  }
  const show = (names: readonly string[]): string =>
    names
      .map(
        (name) =>
          `Id=${name}\nActiveState=${systemd.active.has(name) ? 'active' : 'inactive'}\n` +
          `UnitFileState=${systemd.enabled.has(name) ? 'enabled' : 'disabled'}\n` +
          `NeedDaemonReload=${know(name) !== inFile(name) || systemd.isNeverContent ? 'yes' : 'no'}\n`
      )
      .join('\n')

  function answer({ line, argv: [, verb = '', ...rest] }: FakeCall): FakeAnswer | string {
    if (systemd.failNext !== undefined && line.startsWith(systemd.failNext)) {
      systemd.failNext = undefined
      return { exitCode: 1, stderr: 'Failed to connect to bus' }
    }
    const units = rest.filter((word) => word.startsWith('stillpoint-'))
    if (verb === 'show') return show(units)
    if (verb === 'daemon-reload') for (const name of systemd.loaded.keys()) systemd.loaded.set(name, inFile(name) ?? '')
    for (const name of units) {
      if (verb === 'enable') systemd.enabled.add(name)
      if (verb === 'start' || (verb === 'enable' && rest.includes('--now'))) {
        know(name)
        systemd.active.add(name)
      }
      if (verb === 'stop') systemd.active.delete(name)
    }
    return ''
  }
  return systemd
}
