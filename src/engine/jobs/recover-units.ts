import { readFile, rm } from 'node:fs/promises'
import { RECOVER_TIMER, RECOVER_UNIT, UNITS_DIR, WATCH_TIMER, WATCH_UNIT } from '../../shared/host-paths.ts'
import type { Shell } from '../../shared/shell.ts'
import { expectZero } from '../expect-zero.ts'
import { END_FOR_GREP, JOURNAL_NAME } from '../journal/journal-end.ts'
import { engineCommand, KEEP_COMPILED } from './engine-command.ts'
import { ensureUnits } from './unit-files.ts'
import { watchScript } from './watch-script.ts'

/** Every flavour of libvirt's daemon, each with the socket by which it is started. */
export const LIBVIRT_UNITS = 'libvirtd virtqemud virtsecretd virtnetworkd virtstoraged virtlogd virtlockd'
  .split(' ')
  .flatMap((name) => [`${name}.socket`, `${name}.service`])
  .join(' ')

/** Writes the units that put right what was interrupted: at every boot, and from then on until nothing is left to do. Safe to do again. */
export const ensureRecoverUnits = (shell: Shell): Promise<void> =>
  ensureUnits(shell, [
    { name: RECOVER_UNIT, text: serviceText(), isEnabled: true },
    { name: RECOVER_TIMER, text: TIMER_TEXT, isEnabled: true },
    { name: WATCH_UNIT, text: watchText() },
    { name: WATCH_TIMER, text: WATCH_TIMER_TEXT }
  ])

/**
 * For units that systemd is to forget when they have ended: the last thing they do is to arm the timer, unless their journal
 * has its end. systemd takes some deaths for success: by HUP, INT, PIPE and TERM. `OnFailure=` would not do: systemd 252
 * keeps a failed unit for as long as it knows what that names.
 */
export const takeUpUnless = (isOver: string): string =>
  `ExecStopPost=-/bin/sh -c '${isOver} || systemctl start --no-block ${RECOVER_TIMER}'`

/** A test for sh: the job or run whose folder this is has its end, or is forgotten. A torn end is no end. */
export const isOverInShell = (dir: string): string =>
  `test ! -e ${dir} || tail -n 1 ${dir}/${JOURNAL_NAME} | grep -q "${END_FOR_GREP}"`

/** Has the host take up what lies there dead, and go on with it until it is closed. Returns at once. */
export async function beginRecovery(shell: Shell): Promise<void> {
  await shell.run(['systemctl', 'start', '--no-block', RECOVER_TIMER, RECOVER_UNIT])
}

/**
 * Has systemd look every minute whether a job or run has died, from now on until nothing is open. For whoever begins one,
 * once that has a folder on disk and before anything else of it is done: a recovery that finds nothing open takes it away.
 *
 * @throws what systemd says: then nothing may begin, since nobody would take it up
 */
export async function armWatch(shell: Shell): Promise<void> {
  await expectZero(shell, ['systemctl', 'start', WATCH_TIMER])
}

/** Nothing is open: until the next boot, or the next job. For the recovery's own unit alone, which is started anew if it dies in between. */
export async function standDown(shell: Shell): Promise<void> {
  await shell.run(['systemctl', 'stop', RECOVER_TIMER, WATCH_TIMER])
  await shell.run(['systemctl', 'reset-failed', WATCH_UNIT])
}

const UNITS = [RECOVER_UNIT, RECOVER_TIMER, WATCH_UNIT, WATCH_TIMER] as const

/** Takes the units off the host. Returns the files that went. */
export async function removeRecoverUnits(shell: Shell): Promise<string[]> {
  await shell.run(['systemctl', 'disable', '--quiet', '--now', RECOVER_TIMER])
  await shell.run(['systemctl', 'disable', '--quiet', RECOVER_UNIT])
  await shell.run(['systemctl', 'stop', WATCH_TIMER, WATCH_UNIT])
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

/** systemd starts the service at once where that has not run for a minute, so it has to be cheap. */
const WATCH_TIMER_TEXT = `[Unit]
Description=Stillpoint: look every minute whether a job has died

[Timer]
Unit=${WATCH_UNIT}
OnActiveSec=60s
OnUnitInactiveSec=60s
AccuracySec=1s
`

/** A unit of its own, so that a look that goes wrong keeps no recovery back that was asked for otherwise. */
const watchText = (): string => `[Unit]
Description=Stillpoint: look whether a job has died
OnFailure=${RECOVER_TIMER}
StartLimitIntervalSec=0

[Service]
Type=oneshot
LogLevelMax=notice
ExecStart=/bin/sh -c '${watchScript()
  .replaceAll('%', '%%')
  .replaceAll('$', () => '$$')}'
StandardInput=null
TimeoutStartSec=300
`
