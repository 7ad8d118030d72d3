import { existsSync, readdirSync } from 'node:fs'
import { readFile, rm, utimes } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { policyService, policyTimer, RECOVER_TIMER, RECOVER_UNIT, UNITS_DIR } from '../../shared/host-paths.ts'
import { PolicyId, type Policy } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { expectZero } from '../expect-zero.ts'
import { engineCommand, KEEP_COMPILED } from '../jobs/engine-command.ts'
import { LIBVIRT_UNITS } from '../jobs/recover-units.ts'
import {
  enableUnits,
  isInEffect,
  unitStates,
  writeUnitFiles,
  type UnitState,
  type WantedUnit
} from '../jobs/unit-files.ts'
import { timerCalendar } from './timer-calendar.ts'

const pathOf = (unit: string): string => `${UNITS_DIR}/${unit}`
/** When a persistent timer last fired: systemd's own file. */
const stampPath = (id: string): string => `/var/lib/systemd/timers/stamp-${policyTimer(id)}`

/**
 * Sees to it that a policy's units are as it says, and that its timer runs. Safe to do again, wherever it was cut short.
 * Answers whether its timer begins anew: by a new schedule, but not by a new name.
 */
export async function writeUnits(shell: Shell, policy: Policy): Promise<boolean> {
  const timer: WantedUnit = { name: policyTimer(policy.id), text: timerText(policy), isEnabled: true, isActive: true }
  const service: WantedUnit = { name: policyService(policy.id), text: serviceText(policy) }
  const before = scheduleIn(await readFile(pathOf(timer.name), 'utf8').catch(() => ''))
  const states = await unitStates(shell, [timer.name, service.name])
  const written = await writeUnitFiles([timer, service])
  const isInPlace = [timer, service].every((unit) => isInEffect(unit, states.get(unit.name)))
  if (written.length === 0 && isInPlace) return false
  await expectZero(shell, ['systemctl', 'daemon-reload'])
  const isNew = before !== scheduleIn(timer.text) || (await wasUnread(shell, timer.name, states))
  if (isNew) await beginAnew(shell, policy.id)
  await enableUnits(shell, [timer])
  return isNew
}

/**
 * True where systemd had not read what an earlier try has written (`before` is from before this one): nobody knows by which schedule the timer ran. One that is
 * never content does not count: a timer that begins anew again and again comes to no run, if that is late by a jitter.
 */
async function wasUnread(shell: Shell, timer: string, before: ReadonlyMap<string, UnitState>): Promise<boolean> {
  if (before.get(timer)?.needsReload !== true) return false
  return (await unitStates(shell, [timer])).get(timer)?.needsReload === false
}

/** What the old calendar wanted is over: the new one begins now, without a run to catch up. */
async function beginAnew(shell: Shell, id: string): Promise<void> {
  await touchStamp(id)
  await shell.run(['systemctl', 'stop', policyTimer(id)])
}

const scheduleIn = (timer: string): string => timer.slice(timer.indexOf('[Timer]'))

const ENDS_WITHIN_MS = 10_000

/**
 * Takes the timer away, and the service too; but not while a run needs it (`isNeeded`), which then does that at its end. A
 * service that is about to end is waited for.
 */
export async function removeUnits(shell: Shell, id: string, isNeeded: () => boolean): Promise<string[]> {
  await shell.run(['systemctl', 'disable', '--quiet', '--now', policyTimer(id)])
  const isRunning = await staysActive(shell, policyService(id), isNeeded)
  const paths = [pathOf(policyTimer(id)), ...(isRunning ? [] : [pathOf(policyService(id))]), stampPath(id)]
  const removed = paths.filter(existsSync)
  for (const path of removed) await rm(path, { force: true })
  await shell.run(['systemctl', 'daemon-reload'])
  if (!isRunning) await shell.run(['systemctl', 'reset-failed', policyService(id)])
  return removed
}

async function staysActive(shell: Shell, unit: string, isNeeded: () => boolean): Promise<boolean> {
  const deadline = performance.now() + ENDS_WITHIN_MS
  while (await isActive(shell, unit)) {
    if (isNeeded() || performance.now() > deadline) return true
    await sleep(100)
  }
  return false
}

/** For the last run of a policy that was removed while it went on: systemd forgets the service by itself as that ends. */
export const removeServiceUnit = (id: string): Promise<void> => rm(pathOf(policyService(id)), { force: true })

/** Ids of policies that have units here, with a policy's file or without. */
export function idsWithUnits(): string[] {
  if (!existsSync(UNITS_DIR)) return []
  const ids = readdirSync(UNITS_DIR).flatMap(
    (name) => /^stillpoint-policy-(\w+)\.(?:timer|service)$/.exec(name)?.[1] ?? []
  )
  return [...new Set(ids)].filter((id) => PolicyId.safeParse(id).success)
}

export async function isActive(shell: Shell, unit: string): Promise<boolean> {
  const { stdout } = await shell.run(['systemctl', 'show', '-p', 'ActiveState', '--value', unit])
  return !['inactive', 'failed', ''].includes(stdout.trim())
}

export interface TimerState {
  readonly isRunning: boolean
  /** As systemd has reckoned it, jitter included. Undefined while its service runs, or if it never comes. */
  readonly nextRunAt: string | undefined
}

/** One call for all. */
export async function timerStates(shell: Shell, ids: readonly string[]): Promise<ReadonlyMap<string, TimerState>> {
  if (ids.length === 0) return new Map()
  const properties = ['Id', 'ActiveState', 'NextElapseUSecRealtime'].flatMap((name) => ['-p', name])
  const { stdout } = await shell.run(['systemctl', 'show', ...properties, ...ids.map(policyTimer)], {
    env: { TZ: 'UTC' }
  })
  return new Map(stdout.split('\n\n').flatMap(parseTimer))
}

function parseTimer(block: string): [string, TimerState][] {
  const value = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1]
  const id = /^stillpoint-policy-(\w+)\.timer$/.exec(value('Id') ?? '')?.[1]
  // `Thu 2026-11-26 00:00:00 UTC`
  const [, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/.exec(value('NextElapseUSecRealtime') ?? '') ?? []
  if (id === undefined) return []
  const nextRunAt = day === undefined || time === undefined ? undefined : new Date(`${day}T${time}Z`).toISOString()
  return [[id, { isRunning: value('ActiveState') === 'active', nextRunAt }]]
}

async function touchStamp(id: string): Promise<void> {
  const now = new Date()
  if (existsSync(stampPath(id))) await utimes(stampPath(id), now, now)
}

/** `Persistent`: a host that was off catches up once. A jitter stays the same, so that hosts keep out of each other's way. */
const timerText = ({ id, name, schedule }: Policy): string => `[Unit]
Description=Stillpoint: when policy ${unitText(name)} runs

[Timer]
Unit=${policyService(id)}
OnCalendar=${timerCalendar(schedule.calendar)}
Persistent=true
AccuracySec=1s
RandomizedDelaySec=${schedule.jitterSeconds}
FixedRandomDelay=true

[Install]
WantedBy=timers.target
`

const serviceText = ({ id, name }: Policy): string => `[Unit]
Description=Stillpoint: a run of policy ${unitText(name)}
After=${RECOVER_UNIT} ${LIBVIRT_UNITS} libvirt-guests.service network-online.target local-fs.target remote-fs.target
OnFailure=${RECOVER_TIMER}
Wants=network-online.target
CollectMode=inactive-or-failed

[Service]
Type=oneshot
${serviceProperties(id)
  .map((property) => `${property}\n`)
  .join('')}ExecStart=${engineCommand().join(' ')} run-policy ${id}
StandardInput=null
`

/** Of a run's process, whether a timer started it or the operator. TERM reaches the run only, which then begins nothing more. */
export const serviceProperties = (id: string): string[] => [
  KEEP_COMPILED,
  'TimeoutStartSec=infinity',
  'TimeoutStopSec=900',
  'KillMode=mixed',
  'OOMPolicy=continue',
  `ExecStopPost=-${engineCommand().join(' ')} recover-run ${id}`
]

/** In a unit file `%` begins a specifier, and a backslash at the end of a line goes on with the next. */
const unitText = (text: string): string => text.replaceAll('%', '%%').replaceAll('\\', '/')
