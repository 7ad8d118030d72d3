import { readFile, rm } from 'node:fs/promises'
import { TELL_SERVICE, TELL_TIMER } from '../../shared/host-paths.ts'
import type { Shell } from '../../shared/shell.ts'
import { expectZero } from '../expect-zero.ts'
import { engineCommand, KEEP_COMPILED } from '../jobs/engine-command.ts'
import { ensureUnits } from '../jobs/unit-files.ts'
import { readChannels, TELL_FILES, type TellFiles } from './channels-file.ts'
import { isOutboxEmpty } from './outbox.ts'

const UNITS = [TELL_TIMER, TELL_SERVICE] as const

/** Has the host look every five minutes for what is to be told, if there is anybody to tell. Safe to do again. */
export async function ensureTellTimer(shell: Shell, files: TellFiles = TELL_FILES): Promise<void> {
  if (!isNeeded(files)) return removeTellTimer(shell, files)
  const timer = { name: TELL_TIMER, text: timerText, isEnabled: true, isActive: true } as const
  await ensureUnits(shell, [timer, { name: TELL_SERVICE, text: serviceText() }], files.units)
}

/** Settings that cannot be read count: the operator is to hear of what waits. */
function isNeeded(files: TellFiles): boolean {
  try {
    return Object.keys(readChannels(files)).length > 0 || !isOutboxEmpty(files)
  } catch {
    return true
  }
}

/** Takes both units off the host. */
export async function removeTellTimer(shell: Shell, files: TellFiles = TELL_FILES): Promise<void> {
  const found = await Promise.all(
    UNITS.map((unit) =>
      readFile(`${files.units}/${unit}`).then(
        () => true,
        () => false
      )
    )
  )
  if (!found.includes(true)) return
  await shell.run(['systemctl', 'disable', '--now', '--quiet', TELL_TIMER])
  for (const unit of UNITS) await rm(`${files.units}/${unit}`, { force: true })
  await expectZero(shell, ['systemctl', 'daemon-reload'])
}

const timerText = `[Unit]
Description=Stillpoint: messages that wait, digests and silence

[Timer]
OnCalendar=*:0/5
AccuracySec=30s
Persistent=false

[Install]
WantedBy=timers.target
`

function serviceText(): string {
  return `[Unit]
Description=Stillpoint: tell what is due
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
${KEEP_COMPILED}
ExecStart=${engineCommand().join(' ')} tell
StandardInput=null
TimeoutStartSec=900
`
}
