import { kindWords } from '../shared/job-words.ts'
import { phaseWords } from '../shared/phase-words.ts'
import { safeText } from '../shared/safe-text.ts'
import type { JobView } from '../shared/views/job-view.ts'

/** Text of the frame and of what all features share. Each feature has a `words.ts` of its own: ready for translation. */
export const words = {
  product: 'Stillpoint',
  skip: 'Skip to the page',
  rail: 'Screens',
  screens: {
    overview: 'Overview',
    hosts: 'Hosts',
    restore: 'Restore',
    schedules: 'Schedules',
    activity: 'Activity',
    downtime: 'Downtime',
    settings: 'Settings'
  },
  copied: 'Copied',
  copyCommand: 'Copy',
  copyDetails: 'Copy details',
  tryAgain: 'Try again',
  cancel: 'Cancel',
  close: 'Close',
  clear: 'Clear',
  typeToConfirm: (text: string) => `Type “${text}” to confirm`,
  working: 'working',
  bytesOf: (done: string, total: string) => `${done} of ${total}`,
  timeLeft: (left: string) => `${left} left`,
  stoodStill: 'stood still',
  title: {
    lost: 'No answer',
    needYou: (count: number) => `${count} ${count === 1 ? 'needs' : 'need'} you`,
    down: (count: number) => (count === 1 ? '1 host out of reach' : `${count} hosts out of reach`)
  },
  linkLost: (at: string) =>
    `Stillpoint does not answer; what you see is as of ${at}. Backups and restores go on on their hosts. The window comes back by itself as long as Stillpoint runs; if it has ended, start it again: stillpoint serve`,
  search: {
    open: 'Search',
    placeholder: 'Host, VM, schedule, screen or command',
    none: 'Nothing of that name',
    screen: 'Screen',
    command: 'Command',
    addHost: 'Add host',
    newSchedule: 'New schedule',
    scheduleOn: (host: string) => `Schedule on ${host}`,
    vmOn: (host: string) => `VM on ${host}`,
    hostAt: (address: string) => `Host at ${address}`,
    backUp: (vm: string) => `Back up ${vm}`
  },
  running: {
    label: (count: number) => (count === 0 ? 'No job is running' : `${count} running`),
    none: 'Nothing is running.',
    all: 'All activity',
    meanwhile: {
      live: 'The VM is running.',
      classic: 'The VM stands still while its RAM is saved.',
      offline: 'The VM is shut off, and stays so.',
      restore: 'The VM runs as soon as its disks are there.',
      verify: 'The point is only read.',
      copy: 'The point stays where it is, too.'
    }
  },
  inbox: {
    label: (unread: number) => (unread === 0 ? 'Inbox' : `Inbox, ${unread} unread`),
    title: 'Inbox',
    none: 'Nothing yet. Told here: backups, restores and schedules that fail, and what happened while you were away.',
    acknowledgeAll: 'Acknowledge all',
    acknowledgeShort: 'Acknowledge',
    acknowledge: (title: string) => `Acknowledge: ${title}`,
    older: (count: number) => `${count} older ones are not listed.`,
    severity: { good: 'Done', info: 'Note', warning: 'Warning', failure: 'Failure' }
  },
  help: {
    open: 'Help',
    howItWorks: 'How Stillpoint works',
    shortcuts: 'Keyboard shortcuts',
    libvirtManual: 'Manual of libvirt',
    qemuManual: 'Manual of QEMU'
  },
  shortcuts: {
    screen: (name: string) => `Go to ${name}`,
    back: 'Back to where you were',
    close: 'Close a dialog',
    these: 'Show these shortcuts'
  },
  passphrase: {
    title: 'A key is locked',
    text: 'To connect, Stillpoint needs the passphrase of',
    label: 'Passphrase',
    kept: 'It is never written down.',
    unlock: 'Unlock',
    decline: 'Go on without it'
  },
  broken: {
    title: 'This page cannot be shown',
    what: 'A fault in Stillpoint',
    text: 'The window itself goes on, and so do backups and restores. A maintainer can use the details.',
    leave: 'Go to the overview',
    missing: {
      what: 'A part of the window could not be loaded',
      text: 'The rest of the window goes on, and so do backups and restores. It is asked for again when the window starts anew: reload the tab, or quit the app and open it again. A maintainer can use the details.'
    }
  },
  noToken: {
    'no-key': {
      title: 'This address alone does not open Stillpoint',
      text: 'A window needs an address with a key in it. In the terminal in which Stillpoint runs press Enter for one, or start it again: stillpoint serve'
    },
    ended: {
      title: 'Stillpoint has ended: start it again',
      text: 'The Stillpoint that this window belonged to runs no more. In a terminal start it again: stillpoint serve. If another one runs already, press Enter in its terminal for an address. Backups and restores that had begun go on on their hosts. Close this tab: whatever answers at its address from now on is another program.'
    },
    'key-used': {
      title: 'This address is not good any more',
      text: 'An address opens one window, once, and ends with the Stillpoint that gave it. In the terminal in which Stillpoint runs press Enter for another, or start it again: stillpoint serve. If you have not opened a window with this address, somebody else has: end Stillpoint there with Ctrl-C, and find out who.'
    }
  }
} as const

/** A phase of a job in words; one that has none is shown as the host calls it. */
export const phaseWord = (phase: string): string => safeText(phaseWords(phase))

/** `Backup of web1 on kvm-1`. */
export function jobTitle({ kind, vm, host }: Pick<JobView, 'kind' | 'vm' | 'host'>): string {
  const what = kindWords(kind)
  return `${what.slice(0, 1).toUpperCase()}${what.slice(1)} of ${safeText(vm.name)} on ${safeText(host)}`
}
