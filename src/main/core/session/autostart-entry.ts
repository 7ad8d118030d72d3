import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fail } from '../../../shared/failure.ts'
import { makeDirs, syncDir, writeDurably } from '../../../store/durable.ts'
import { readSmallFile } from '../settings/small-file.ts'

const LARGEST_BYTES = 1 << 20
/** Says that the file is ours. Others' of the same name are left alone. */
const OURS = 'X-Stillpoint-Autostart=true'

export function autostartFile(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['XDG_CONFIG_HOME']
  const config = named?.startsWith('/') === true ? named : join(homedir(), '.config')
  return join(config, 'autostart/stillpoint.desktop')
}

/**
 * Puts the entry that starts this command with the session, or takes it away.
 * @throws `usage` if a file of that name is not ours, `io` if it cannot be written
 */
export async function setAutostart(file: string, command: readonly string[] | undefined): Promise<void> {
  const found = textOf(file)
  const wanted = command && autostartEntry(command)
  if (found === wanted) return
  const isForeign = found !== undefined && !found.split('\n').includes(OURS)
  if (isForeign && wanted === undefined) return
  if (isForeign) fail({ kind: 'usage', message: `${file} was not written by Stillpoint, so it stays as it is.` })
  if (wanted !== undefined) await makeDirs(dirname(file))
  if (wanted === undefined) await rm(file)
  else await writeDurably(file, Buffer.from(wanted))
  await syncDir(dirname(file))
}

/** Undefined: there is none. What cannot be read is not ours. */
function textOf(file: string): string | undefined {
  try {
    return readSmallFile(file, LARGEST_BYTES)
  } catch {
    return ''
  }
}

export const autostartEntry = (command: readonly string[]): string =>
  [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Stillpoint',
    'Comment=Watches over the backups of your VMs',
    `Exec=${command.map(quoted).join(' ')}`,
    'Icon=stillpoint',
    'Terminal=false',
    'X-GNOME-Autostart-enabled=true',
    OURS,
    ''
  ].join('\n')

/** The desktop entry specification, twice: quotes of `Exec`, then escapes of a string. `%` would begin a field code. */
const quoted = (argument: string): string =>
  `"${argument
    .replaceAll(/["`$\\]/g, '\\$&')
    .replaceAll('\\', '\\\\')
    .replaceAll('%', '%%')
    .replaceAll('\n', '\\n')}"`
