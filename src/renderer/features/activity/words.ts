import { formatDuration } from '../../../shared/format.ts'
import type { JobViewKind } from '../../../shared/views/job-view.ts'
import type { Liveness, Outcome } from './activity-view.ts'

const KIND: Readonly<Record<JobViewKind, string>> = {
  backup: 'Backup',
  restore: 'Restore',
  verify: 'Verification',
  copy: 'Copy'
}

const OUTCOME: Readonly<Record<Outcome, string>> = {
  good: 'done',
  warned: 'done, with warnings',
  failed: 'failed',
  cancelled: 'cancelled'
}

/** What goes on while a job runs, in so far as it touches the VM. */
const MEANWHILE: Readonly<Record<JobViewKind, string>> = {
  backup: 'The VM is running.',
  restore: 'Nothing is replaced before everything has been written.',
  verify: 'Every byte is read and compared.',
  copy: 'The point stays where it is.'
}

const CANCEL: Readonly<Record<JobViewKind, string>> = {
  backup: 'The backup stops and leaves no point behind. The VM keeps running.',
  restore: 'The restore stops, and what was there before stays as it was.',
  verify: 'The verification stops. The point stays as it is.',
  copy: 'The copy stops. What has arrived stays there, so that a new try goes on from it.'
}

const STATE: Readonly<Record<Liveness['is'], string>> = {
  queued: 'waiting to begin',
  going: 'running',
  cancelling: 'stopping',
  recovering: 'putting things right',
  stalled: 'stalled',
  lost: 'connection lost'
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
const runsHere = (kind: JobViewKind): boolean => kind === 'verify' || kind === 'copy'

export const words = {
  title: 'Activity',
  subtitle: 'Backups and restores run on their hosts and end there, whatever becomes of this computer.',
  kind: KIND,
  outcome: OUTCOME,
  state: STATE,
  meanwhile: MEANWHILE,
  running: (count: number) => (count === 1 ? 'One job runs' : `${count} jobs run`),
  past: 'Past jobs',
  countOf: (shown: number, all: number) => (shown === all ? `${all} jobs` : `${shown} of ${all} jobs`),
  columns: {
    job: 'Job',
    started: 'Started',
    down: 'Downtime',
    size: 'Size',
    outcome: 'Outcome',
    retry: 'Try again'
  },
  filters: {
    host: 'Host',
    vm: 'VM',
    kind: 'Kind',
    outcome: 'Outcome',
    policy: 'Schedule',
    policyOn: (name: string, host: string) => `${name} on ${host}`,
    byHand: 'None: by hand',
    all: 'All',
    find: 'Name or UUID',
    clear: 'Clear filters'
  },
  took: (ms: number) => `took ${formatDuration(ms)}`,
  since: (ms: number) => `for ${formatDuration(ms)}`,
  on: (host: string) => `on ${host}`,
  bySchedule: (name: string) => `schedule ${name}`,
  copyOf: (vm: string) => `copy of ${vm}`,
  lastRun: 'Last run',
  openSchedule: 'Open the schedule',
  empty: {
    title: 'No jobs yet',
    text: 'Each backup, restore, verification and copy is listed here, with how long the VM stood still.',
    go: 'Go to the hosts'
  },
  noMatch: { title: 'No job fits', text: 'Jobs that ended are there, but none that these filters let through.' },
  loading: 'Jobs are being read',
  open: 'Details',
  cancel: 'Stop',
  cancelTitle: (kind: JobViewKind, vm: string) => `Stop the ${lowerFirst(KIND[kind])} of ${vm}?`,
  cancelText: CANCEL,
  cancelLabel: (kind: JobViewKind) => `Stop the ${lowerFirst(KIND[kind])}`,
  retry: 'Try again',
  retryOf: (kind: JobViewKind, vm: string) => `Try the ${lowerFirst(KIND[kind])} of ${vm} again`,
  ofVm: (kind: JobViewKind, vm: string) => `${KIND[kind]} of ${vm}`,
  lastSign: (ms: number) =>
    ms < 1500 ? 'last sign of life just now' : `last sign of life ${formatDuration(Math.floor(ms / 1000) * 1000)} ago`,
  stalled: (kind: JobViewKind, host: string, ms: number | undefined) =>
    `${ms === undefined ? 'No sign of life' : `No sign of life for ${formatDuration(ms)}`}. ${
      runsHere(kind)
        ? 'The other side may be slow to answer.'
        : `The host ${host} may be under load, or its storage may hang; it puts things right by itself if the ${lowerFirst(KIND[kind])} dies.`
    }`,
  lost: (kind: JobViewKind, host: string, reason: string | undefined) =>
    `${reason ?? `${host} does not answer`}. ${
      runsHere(kind)
        ? 'It is tried again.'
        : `The ${lowerFirst(KIND[kind])} goes on on ${host}; Stillpoint tries to reach it again, and then shows what has happened meanwhile.`
    }`,
  job: {
    loading: 'The job is being read',
    unknownTitle: 'This job is not known here',
    unknownText:
      'Stillpoint knows the jobs that run and the last thousand that ended, on its hosts and here. This one may be older, or on a host that does not answer.',
    toActivity: 'All activity',
    stoodStill: 'stood still',
    wasOff: 'The VM was shut off, so nothing stood still.',
    noPause: 'The VM ran all the time.',
    classic: (ms: string) => `The classic method (suspend, save, start again) would have cost about ${ms}.`,
    ranAgain: 'until it ran again',
    definedOnly: 'Defined, and not started, as was asked for.',
    good: 'Every byte is as it was taken.',
    damaged: 'The point is damaged. Do not rely on it: take a new one, and verify its other copies.',
    strip: 'What it did, and when',
    why: 'Why it failed',
    facts: 'In detail',
    warnings: 'Warnings',
    findings: 'What was found',
    notes: 'Also',
    story: 'Story',
    storyEmpty: 'Nothing is written down yet.',
    raw: 'The journal as the host wrote it',
    copyLog: 'Copy the journal',
    restorePoint: 'Restore this point',
    openVm: 'Open VM',
    lookAtHost: 'Look at the host',
    needsYou:
      'Something is left that only you can put right. The doctor on the host’s page lists it, with the way to mend it.',
    clockCorrected: (late: string) => `was ${late} late, and was set`,
    clockLate: (late: string) => `was ${late} late, and was not set: the guest agent did not answer`,
    clockGood: 'was right',
    fact: {
      state: 'State',
      vm: 'VM',
      host: 'Host',
      copyOf: 'Copy of',
      policy: 'Schedule',
      run: 'Run',
      started: 'Started',
      ended: 'Ended',
      took: 'Took',
      point: 'Point',
      method: 'Method',
      mode: 'Mode',
      size: 'Size',
      checked: 'Checked',
      store: 'Store',
      place: { backup: 'Place', restore: 'Place', verify: 'Read from', copy: 'Copied to' },
      clock: 'Guest’s clock',
      keptAside: 'Kept aside',
      measured: 'Pause measured by'
    },
    source: { 'qemu-events': 'QEMU’s own events', domjobinfo: 'libvirt', clock: 'the host’s clock' },
    method: {
      live: 'live: RAM and disks at one instant',
      disk: 'disks only',
      classic: 'classic: suspended, saved, started again',
      offline: 'while it was shut off'
    },
    mode: {
      resume: 'resumed: it went on where it was',
      boot: 'booted from the disks',
      define: 'defined, not started'
    }
  }
} as const
