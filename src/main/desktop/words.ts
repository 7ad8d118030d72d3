import { capital } from '../../shared/capital.ts'
import { kindWords } from '../../shared/job-words.ts'
import { safeText, shorten } from '../../shared/safe-text.ts'
import type { JobView } from '../../shared/views/job-view.ts'

/** A text from elsewhere as menus and notifications can show it: harmless, and no longer than a line. */
export const shown = (text: string): string => shorten(safeText(text), 90)
const named = (name: string): string => shorten(safeText(name), 48)

const count = (n: number, one: string, many: string): string => (n === 1 ? `1 ${one}` : `${n} ${many}`)
const DOING = { backup: 'Backing up', restore: 'Restoring', verify: 'Verifying', copy: 'Copying' } as const

type Job = Pick<JobView, 'kind' | 'vm' | 'host'>
const what = ({ kind, vm }: Job): string => `the ${kindWords(kind)} of ${named(vm.name)}`
const isOnHost = ({ kind }: Job): boolean => kind === 'backup' || kind === 'restore'

/** All text that the desktop shows outside of the window, but for what is said of hosts and jobs everywhere alike. */
export const words = {
  product: 'Stillpoint',
  tray: {
    tip: (sentence: string): string => `Stillpoint: ${sentence}`,
    job: (job: Job, percent: number | undefined): string =>
      `${DOING[job.kind]} ${named(job.vm.name)} on ${named(job.host)}${percent === undefined ? '' : ` · ${percent} %`}`,
    moreJobs: (n: number): string => `${count(n, 'more job', 'more jobs')} in the window…`,
    backUp: 'Back up now',
    noVms: 'No VM is running',
    vm: (vm: string, host: string): string => `${named(vm)} (${named(host)})`,
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
    about: 'About Stillpoint'
  },
  ended: {
    went: (job: Job): string => `${named(job.vm.name)} on ${named(job.host)}`,
    failed: (job: Job): string => capital(`${what(job)} on ${named(job.host)} failed`),
    damaged: (job: Job): string => `A point of ${named(job.vm.name)} is damaged`,
    needsYou: 'It needs you.',
    asBefore: 'Everything is as it was before.',
    warnings: (n: number): string => count(n, 'warning', 'warnings'),
    more: (count: number, host: string): string => `${count} more${host === '' ? '' : ` on ${host}`}`,
    moreText: 'Stillpoint has them in its window.'
  },
  closing: {
    keepOrQuit: 'Keep Stillpoint running when its window is closed?',
    keepOrQuitText: 'In the tray it goes on watching your hosts, and tells you when a backup fails.',
    quits: 'Closing the window quits Stillpoint',
    quitsText: 'This desktop shows no tray that Stillpoint could stay in. Hosts and VMs are not touched by that.',
    remembered: 'You can change this later in Settings.',
    keep: 'Keep running in the tray',
    quit: 'Quit',
    stay: 'Cancel',
    inTray: 'Stillpoint goes on in the tray',
    quitWhile: 'Quit while jobs are running?',
    /** What becomes of what runs. Jobs of hosts go on there in any case, those of this computer only as long as we do. */
    goesOn: (jobs: readonly Job[], here: 'ends' | 'goes on' = 'ends'): string => {
      const [first, ...others] = jobs.filter(isOnHost)
      const ours = jobs.filter((job) => !isOnHost(job))
      const there =
        first === undefined
          ? []
          : others.length === 0
            ? [`${capital(what(first))} goes on on ${named(first.host)}.`]
            : [`${others.length + 1} jobs go on on their hosts.`]
      const verb = here === 'ends' ? 'would end here' : ours.length === 1 ? 'goes on' : 'go on'
      const rest = ours.length === 0 ? [] : [`${capital(ours.slice(0, 3).map(what).join(', '))} ${verb}.`]
      return [...there, ...rest].join(' ')
    }
  },
  trouble: {
    noStart: 'Stillpoint cannot start',
    crashed: 'The window had stopped and was opened again',
    crashedText: 'Nothing that runs on the hosts was touched by that.',
    crashedAgain: 'The window has stopped twice within a minute',
    reload: 'Open it again',
    ok: 'OK',
    backUpFailed: (vm: string): string => `${named(vm)} could not be backed up`,
    startAtLogin: 'Starting at login could not be set up'
  }
} as const
