import { mkdirSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { RECOVER_TIMER, RECOVER_UNIT, UNITS_DIR } from '../../shared/host-paths.ts'
import type { Shell } from '../../shared/shell.ts'
import { expectZero } from '../expect-zero.ts'
import { engineCommand, KEEP_COMPILED } from './engine-command.ts'

/** Every flavour of libvirt's daemon, each with the socket by which it is started. */
export const LIBVIRT_UNITS = ['libvirtd', 'virtqemud', 'virtnetworkd', 'virtstoraged', 'virtlogd', 'virtlockd']
  .flatMap((name) => [`${name}.socket`, `${name}.service`])
  .join(' ')

const UNITS = [RECOVER_UNIT, RECOVER_TIMER] as const

/** Writes the units that put right what was interrupted: at every boot, and from then on until nothing is left to do. Safe to do again. */
export async function ensureRecoverUnits(shell: Shell): Promise<void> {
  const texts = { [RECOVER_UNIT]: serviceText(), [RECOVER_TIMER]: TIMER_TEXT }
  const now = await Promise.all(UNITS.map((unit) => readFile(pathOf(unit), 'utf8').catch(() => '')))
  if (UNITS.every((unit, n) => texts[unit] === now[n])) return
  mkdirSync(UNITS_DIR, { recursive: true })
  for (const unit of UNITS) await writeFile(pathOf(unit), texts[unit], { flush: true })
  await expectZero(shell, ['systemctl', 'daemon-reload'])
  await expectZero(shell, ['systemctl', 'enable', '--quiet', ...UNITS])
}

/**
 * For units that systemd is to forget when they have ended: the last thing they do, if they ended badly, is to arm the timer.
 * `OnFailure=` would do that too, but systemd 252 keeps a failed unit for as long as it knows what that names.
 */
export const TAKE_UP_AFTER_FAILURE = `ExecStopPost=-/bin/sh -c 'test "$$SERVICE_RESULT" = success || systemctl start --no-block ${RECOVER_TIMER}'`

/** Has the host take up what lies there dead, and go on with it until it is closed. Returns at once. */
export async function beginRecovery(shell: Shell): Promise<void> {
  await shell.run(['systemctl', 'start', '--no-block', RECOVER_TIMER, RECOVER_UNIT])
}

/** Nothing is left to be tried again, until the next boot or the next job that dies. Whoever says so looks once more behind it. */
export async function standDown(shell: Shell): Promise<void> {
  await shell.run(['systemctl', 'stop', RECOVER_TIMER])
}

/** Takes the units off the host. Returns the files that went. */
export async function removeRecoverUnits(shell: Shell): Promise<string[]> {
  await shell.run(['systemctl', 'disable', '--quiet', '--now', RECOVER_TIMER])
  await shell.run(['systemctl', 'disable', '--quiet', RECOVER_UNIT])
  const removed: string[] = []
  for (const unit of UNITS) {
    const isThere = await readFile(pathOf(unit)).then(
      () => true,
      () => false
    )
    if (isThere) removed.push(pathOf(unit))
    await rm(pathOf(unit), { force: true })
  }
  return removed
}

const pathOf = (unit: string): string => `${UNITS_DIR}/${unit}`

/**
 * Fails as long as something is left, which arms the timer, whatever has become of the process. No deadline: folding back
 * what a VM wrote in a night takes its time, and each step has one of its own.
 */
const serviceText = (): string => `[Unit]
Description=Stillpoint: put right what an interrupted backup or restore left
After=${LIBVIRT_UNITS} network.target local-fs.target remote-fs.target
OnFailure=${RECOVER_TIMER}
StartLimitIntervalSec=0

[Service]
Type=oneshot
${KEEP_COMPILED}
ExecStart=${engineCommand().join(' ')} recover-all
StandardInput=null
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
`

/**
 * Monotonic: seconds since it was armed, then since the last try. A clock that leaps changes nothing. The first try may take
 * half a minute, for VMs that cannot be started yet.
 */
const TIMER_TEXT = `[Unit]
Description=Stillpoint: try again what could not be put right yet

[Timer]
Unit=${RECOVER_UNIT}
OnActiveSec=1s
OnActiveSec=10s
OnActiveSec=20s
OnActiveSec=40s
OnActiveSec=60s
OnActiveSec=80s
OnActiveSec=120s
OnUnitInactiveSec=2min
AccuracySec=1s

[Install]
WantedBy=timers.target
`
