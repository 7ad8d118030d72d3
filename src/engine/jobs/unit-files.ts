import { existsSync, mkdirSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { UNITS_DIR } from '../../shared/host-paths.ts'
import type { Shell } from '../../shared/shell.ts'
import { syncDir } from '../../store/durable.ts'
import { expectZero } from '../expect-zero.ts'

/** A unit as its host's systemd is to have it. */
export interface WantedUnit {
  readonly name: string
  readonly text: string
  /** It is asked for at every boot. */
  readonly isEnabled?: true
  /** It runs now. */
  readonly isActive?: true
}

/** What systemd says of a unit, which need not be what its file says. */
export interface UnitState {
  readonly needsReload: boolean
  readonly isEnabled: boolean
  readonly isActive: boolean
}

/** Writes those units whose files say something else, each of them whole or not at all, also in a power cut. Answers them. */
export async function writeUnitFiles(wanted: readonly WantedUnit[], dir: string = UNITS_DIR): Promise<WantedUnit[]> {
  const now = await Promise.all(wanted.map(({ name }) => readFile(`${dir}/${name}`, 'utf8').catch(() => '')))
  const changed = wanted.filter(({ text }, n) => text !== now[n])
  if (changed.length === 0) return []
  mkdirSync(dir, { recursive: true })
  for (const { name, text } of changed) {
    await writeFile(`${dir}/${name}.new`, text, { mode: 0o644, flush: true })
    await rename(`${dir}/${name}.new`, `${dir}/${name}`)
  }
  await syncDir(dir)
  return changed
}

const PROPERTIES = ['Id', 'NeedDaemonReload', 'UnitFileState', 'ActiveState'].flatMap((name) => ['-p', name])

/** One call for all. A unit that systemd does not speak of is missing. */
export async function unitStates(shell: Shell, names: readonly string[]): Promise<ReadonlyMap<string, UnitState>> {
  const { stdout } = await shell.run(['systemctl', 'show', ...PROPERTIES, ...names])
  const blocks = stdout.split('\n\n').map((block) => new Map(block.split('\n').map(property)))
  return new Map(blocks.map((block) => [block.get('Id') ?? '', stateIn(block)]))
}

function property(line: string): [string, string] {
  const end = line.indexOf('=')
  return [line.slice(0, end), line.slice(end + 1)]
}

const stateIn = (block: ReadonlyMap<string, string>): UnitState => ({
  needsReload: block.get('NeedDaemonReload') !== 'no',
  isEnabled: block.get('UnitFileState') === 'enabled',
  isActive: block.get('ActiveState') === 'active'
})

/** A file can say what systemd never heard of: whoever wrote it may have been killed before he said so. */
export const isInEffect = ({ isEnabled, isActive }: WantedUnit, state: UnitState | undefined): boolean =>
  state !== undefined && !state.needsReload && (!isEnabled || state.isEnabled) && (!isActive || state.isActive)

/** Sees to it that units are as they are wanted, in their files and in systemd. Safe to do again, wherever it was cut short. */
export async function ensureUnits(shell: Shell, wanted: readonly WantedUnit[], dir: string = UNITS_DIR): Promise<void> {
  const written = await writeUnitFiles(wanted, dir)
  const names = wanted.map(({ name }) => name)
  const states = written.length > 0 ? undefined : await unitStates(shell, names)
  if (states !== undefined && wanted.every((unit) => isInEffect(unit, states.get(unit.name)))) return
  await expectZero(shell, ['systemctl', 'daemon-reload'])
  await enableUnits(shell, wanted, dir)
}

/** Those that are to be enabled; and started, where they are to run. */
export async function enableUnits(shell: Shell, wanted: readonly WantedUnit[], dir: string = UNITS_DIR): Promise<void> {
  for (const starting of [false, true]) {
    const units = wanted.filter(({ isEnabled, isActive }) => isEnabled === true && (isActive === true) === starting)
    const options = ['--quiet', ...(starting ? ['--now'] : [])]
    if (units.length > 0) await expectZero(shell, ['systemctl', 'enable', ...options, ...units.map(({ name }) => name)])
  }
  await makeLinksLast(dir)
}

/** `enable` makes links, which a power cut may take away again. */
async function makeLinksLast(dir: string): Promise<void> {
  const folders = ['timers.target.wants', 'multi-user.target.wants'].map((name) => `${dir}/${name}`)
  for (const folder of [...folders, dir].filter(existsSync)) await syncDir(folder)
}
