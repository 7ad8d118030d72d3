import type { Safety } from '../../../shared/safety.ts'
import type { FilterState } from './filter-view.ts'

const each = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

const counts = {
  none: (n: number) => `${n} without a good point`,
  failing: (n: number) => each(n, 'backup fails', 'backups fail'),
  gone: (n: number) => `${n} on no host`,
  old: (n: number) => each(n, 'point too old', 'points too old'),
  unknown: (n: number) => `${n} not known yet`,
  waiting: (n: number) => `${n} waiting for a first backup`,
  muted: (n: number) => `${n} muted`,
  good: (n: number) => `${n} protected`
} as const satisfies Record<Safety, (n: number) => string>

/** What needs somebody, as a mark. */
const needs = {
  none: 'No good point',
  failing: 'Backup failed',
  gone: 'On no host',
  old: 'Point too old',
  unknown: 'Not known yet',
  waiting: 'First backup to come',
  muted: 'Muted',
  good: 'Protected'
} as const satisfies Record<Safety, string>

/** Why the first light has its colour. */
const why = {
  none: () => 'nothing protects it',
  failing: () => 'the newest backup failed',
  gone: () => 'no host has this VM',
  old: (expected: string) => `older than ${expected}`,
  unknown: () => 'stores are still being asked',
  waiting: () => 'the first run of its schedule is to come',
  muted: () => 'muted',
  good: (expected: string) => `within ${expected}`
} as const satisfies Record<Safety, (expected: string) => string>

const states = {
  all: 'All states',
  'needs-you': 'Needs you',
  acknowledged: 'Acknowledged',
  'no-schedule': 'Without a schedule',
  running: 'Job running',
  unknown: 'Not known yet',
  muted: 'Muted',
  good: 'Protected'
} as const satisfies Record<FilterState, string>

export const words = {
  counts,
  needs,
  why,
  states,
  asOf: (at: string) => `as of ${at}`,
  acknowledgedWhy: 'acknowledged',
  mutedWhy: (reason: string) => (reason === '' ? 'muted' : `muted: ${reason}`),
  expected: 'what is expected',
  pointNone: { none: 'none', unknown: 'not known' },
  provenNever: 'never',
  provenNeverWhy: 'no restore yet',
  provenOn: (host: string) => `ran on ${host}`,
  needsYou: 'Needs you',
  showAll: (count: number) => `Show all ${count}`,
  showFew: 'Show fewer',
  hostDown: 'No answer',
  hostNotTrusted: 'Not trusted',
  hostUnusable: 'Cannot be used',
  hostsDown: (count: number) => each(count, 'host out of reach', 'hosts out of reach'),
  hostSilent: 'Nothing is heard from it.',
  goToHosts: 'Open host',
  refused: (vm: string) => `The backup of ${vm} did not start`,
  dismiss: 'Dismiss',
  backUp: 'Back up now',
  backUpMenu: 'Back up…',
  retry: 'Try again',
  openJob: 'Open job',
  restore: 'Restore…',
  runs: 'A job is running',
  waits: (host: string) => `Can be mended when ${host} is back`,
  failedUntold: 'It ended without saying why',
  failedWhy: (reason: string, age: string | undefined) =>
    `${reason}. ${age === undefined ? 'There is no good point.' : `The last good point is ${age} old.`}`,
  noneWhy: 'Nothing can be restored: no store has a good point of it.',
  noneToldWhy: (host: string) => `${host} has told of no good point of it.`,
  goneWhy: (host: string, age: string, isClaimed: boolean) =>
    `${isClaimed ? `It was on ${host}, as only its point says` : `It was on ${host}`}. Its last good point is ${age} old.`,
  silent: 'Silent',
  silentWhy: (since: string, expected: string) => `No good point since ${since}; one is expected every ${expected}.`,
  neverWhy: (due: string) => `There is no good point; the first one was due ${due}.`,
  acknowledge: 'Acknowledge',
  acknowledgeOf: (vm: string) => `Acknowledge what is wrong with ${vm}`,
  acknowledgeAll: 'Acknowledge all',
  acknowledgeMeans:
    'Acknowledged: stays listed, and is quiet in tray and title until something new fails. Muted: quiet for good.',
  acknowledged: 'Acknowledged',
  acknowledgedText: 'Quiet until something new fails.',
  unacknowledge: 'Undo',
  unacknowledgeMenu: 'Take back the acknowledgement',
  unacknowledgeOf: (vm: string) => `Undo: ${vm} is acknowledged`,
  autostart: {
    mark: 'Autostart is off',
    on: 'Turn it on',
    onOf: (vm: string) => `Turn it on: ${vm} starts with its host`,
    off: 'Leave it off',
    offOf: (vm: string) => `Leave it off: ${vm} does not start with its host`
  },
  broken: (count: number) => (count === 1 ? '1 point cannot be read' : `${count} points cannot be read`),
  brokenMark: 'Not readable',
  brokenAt: (where: string, path: string, reason: string) => `${where}: ${path} (${reason})`,
  vms: 'VMs',
  filter: { text: 'Filter', placeholder: 'Name, host or UUID', state: 'State', host: 'Host', allHosts: 'All hosts' },
  shown: (shown: number, all: number) => (shown === all ? `${all}` : `${shown} of ${all}`),
  columns: {
    vm: 'VM',
    host: 'Host',
    point: 'Last good point',
    proven: 'Proven restore',
    pause: 'Last pause',
    size: 'Size',
    next: 'Next run',
    actions: 'Actions'
  },
  hints: {
    point: 'Newest point that can be restored, coloured by how old it may be',
    proven: 'Newest restore after which the VM ran: only that proves a backup',
    pause: 'How long the VM stood still for its last backup, and for those before it'
  },
  pauses: (last: string, count: number) => `Pause of the last ${count} backups, the newest ${last}`,
  limits: 'Not all of it is in its points: see its page.',
  nothingPaused: '–',
  noSchedule: 'no schedule',
  schedulesNotKnown: 'not known',
  notKnownWhy: 'not all of its schedules are known',
  makeSchedule: 'make one',
  makeScheduleFor: (vm: string) => `make one: schedule for ${vm}`,
  noRun: 'no run planned',
  noRunWhy: 'see Schedules',
  paused: 'paused',
  pausedUntil: (at: string) => `until ${at}`,
  running: { backup: 'Backup', restore: 'Restore', verify: 'Check', copy: 'Copy' },
  noVms: { title: 'No VMs yet', text: 'Your hosts have no VMs. As soon as one has, it is listed here.' },
  noneFound: { title: 'No VM matches', text: 'Nothing is left with this filter.', clear: 'Clear filter' },
  actions: (vm: string) => `Actions for ${vm}`,
  open: 'Open',
  mute: 'Mute…',
  unmute: 'Unmute',
  muteDialog: {
    title: (vm: string) => `Mute ${vm}?`,
    text: 'It stays in the list as muted. Nobody is told when its backups fail or stay away, and it counts for nothing in the sentence on top.',
    reason: 'Why it may be left alone',
    reasonHint: 'So that others know, and you in a year.',
    confirm: 'Mute'
  }
} as const
