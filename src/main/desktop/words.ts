import { formatDuration, formatPause } from '../../shared/format.ts'
import { safeText, shorten } from '../../shared/safe-text.ts'
import type { JobView } from '../../shared/views/job-view.ts'

/** A name as menus and notifications can show it: harmless, and no longer than a line. */
export const shown = (name: string): string => shorten(safeText(name), 60)

const count = (n: number, one: string, many: string): string => (n === 1 ? `1 ${one}` : `${n} ${many}`)
const list = (names: readonly string[]): string =>
  names.length <= 3
    ? names.map(shown).join(', ')
    : `${names.slice(0, 3).map(shown).join(', ')} and ${names.length - 3} more`

const DOING = { backup: 'Backing up', restore: 'Restoring', verify: 'Verifying', copy: 'Copying' } as const
const NOUN = { backup: 'backup', restore: 'restore', verify: 'verification', copy: 'copy' } as const
const DONE = { backup: 'is backed up', restore: 'is restored', verify: 'is verified', copy: 'is copied' } as const

type Job = Pick<JobView, 'kind' | 'vm' | 'host' | 'place'>
const what = ({ kind, vm }: Job): string => `the ${NOUN[kind]} of ${shown(vm.name)}`
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** All text that the desktop shows outside of the window. */
export const words = {
  product: 'Stillpoint',
  status: {
    unknown: 'Looking at the hosts',
    empty: 'No hosts yet',
    good: (vms: number, oldestAgeMs: number | undefined): string =>
      vms === 0
        ? 'The hosts answer; there are no VMs to protect'
        : `${vms === 1 ? 'The one VM is' : `All ${vms} VMs are`} protected${oldestAgeMs === undefined ? '' : `; the oldest good point is ${formatDuration(oldestAgeMs)} old`}`,
    needy: (needy: number, all: number, reason: string): string =>
      `${needy} of ${count(all, 'VM needs', 'VMs need')} you: ${reason}`,
    none: (vm: string): string => `${shown(vm)} has no good point`,
    failing: (vm: string): string => `the last backup of ${shown(vm)} failed`,
    old: (vm: string, ageMs: number): string => `the newest good point of ${shown(vm)} is ${formatDuration(ageMs)} old`,
    down: (hosts: readonly string[]): string => `${list(hosts)} ${hosts.length === 1 ? 'does' : 'do'} not answer`,
    notice: (title: string): string => shown(title)
  },
  tray: {
    job: (job: Job, percent: number | undefined): string =>
      `${DOING[job.kind]} ${shown(job.vm.name)}${job.host === '' ? '' : ` on ${shown(job.host)}`}${percent === undefined ? '' : ` · ${percent} %`}`,
    moreJobs: (n: number): string => `${count(n, 'more job', 'more jobs')} in the window…`,
    backUp: 'Back up now',
    noVms: 'No VM is running',
    vm: (vm: string, host: string): string => `${shown(vm)} (${shown(host)})`,
    moreVms: 'More in the window…',
    open: 'Open Stillpoint',
    quit: 'Quit'
  },
  menu: {
    file: '&File',
    backUp: 'Back Up Now…',
    addHost: 'Add Host…',
    settings: 'Settings…',
    closeWindow: 'Close Window',
    view: '&View',
    screens: {
      overview: 'Overview',
      hosts: 'Hosts',
      restore: 'Restore',
      activity: 'Activity',
      downtime: 'Downtime',
      settings: 'Settings'
    },
    firstSteps: 'First Steps',
    libvirtManual: 'libvirt Manual',
    qemuManual: 'QEMU Manual',
    about: 'About Stillpoint',
    copyright: 'MIT licence'
  },
  ended: {
    done: (job: JobView): string => `${shown(job.vm.name)} ${DONE[job.kind]}`,
    doneText: (job: JobView): string => {
      const parts = [
        `On ${shown(job.host)}`,
        ...(job.kind === 'backup' ? [`stood still ${formatPause(job.pauseMs)}`] : []),
        ...(job.runningMs === undefined ? [] : [`running again after ${formatDuration(job.runningMs)}`]),
        ...(job.warnings.length === 0 ? [] : [count(job.warnings.length, 'warning', 'warnings')])
      ]
      return `${parts.join(', ')}.`
    },
    failed: (job: JobView): string => capital(`${what(job)} failed`),
    failedText: (job: JobView, why: string | undefined): string =>
      [why === undefined ? '' : `${shorten(safeText(why), 200)}.`, restOf(job)].join(' ').trim(),
    many: (jobs: number, failed: number): string =>
      failed === 0 ? `${jobs} jobs have ended well` : `${failed} of ${jobs} jobs that ended have failed`,
    manyText: 'See Activity for each of them.'
  },
  closing: {
    keepOrQuit: 'Keep Stillpoint running when its window is closed?',
    keepOrQuitText: 'In the tray it goes on watching your hosts, and tells you when a backup fails.',
    quits: 'Closing the window quits Stillpoint',
    quitsText: 'This desktop shows no tray that Stillpoint could stay in. Your hosts and VMs are not touched by that.',
    remembered: 'You can change this later in Settings.',
    keep: 'Keep running in the tray',
    quit: 'Quit',
    stay: 'Cancel',
    inTray: 'Stillpoint goes on in the tray',
    quitWhile: 'Quit while jobs are running?',
    /** What becomes of what runs. Jobs of hosts go on there in any case, those of this computer only as long as we do. */
    goesOn: (jobs: readonly Job[], here: 'ends' | 'goes on' = 'ends'): string => {
      const onHosts = jobs.filter(({ kind }) => kind === 'backup' || kind === 'restore')
      const ours = jobs.filter(({ kind }) => kind === 'verify' || kind === 'copy')
      const [first] = onHosts
      const goesOn =
        first === undefined
          ? []
          : onHosts.length === 1
            ? [`${capital(what(first))} goes on on ${shown(first.host)}.`]
            : [`${onHosts.length} jobs go on on ${list([...new Set(onHosts.map(({ host }) => host))])}.`]
      const stays = here === 'ends' ? 'would end here' : ours.length === 1 ? 'goes on' : 'go on'
      const rest = ours.length === 0 ? [] : [`${capital(ours.map(what).join(' and '))} ${stays}.`]
      return [...goesOn, ...rest].join(' ')
    }
  },
  trouble: {
    crashed: 'The window had stopped and was opened again',
    crashedText: 'Nothing that runs on the hosts was touched by that.',
    crashedAgain: 'The window has stopped twice within a minute',
    reload: 'Open it again',
    ok: 'OK',
    backUpFailed: (vm: string): string => `${shown(vm)} could not be backed up`,
    startAtLogin: 'Starting at login could not be set up'
  }
} as const

const restOf = ({ kind, state }: JobView): string => {
  if (state === 'failed-needs-you') return 'It needs you.'
  return kind === 'backup' || kind === 'restore' ? 'Everything is as it was before.' : ''
}
