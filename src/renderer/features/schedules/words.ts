import { formatMoment } from '../../../shared/format.ts'
import type { RunState } from '../../../shared/model/policy.ts'
import type { FateTotals } from './fate-view.ts'
import type { Tone } from '../../ui/state-mark.tsx'

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

const LAST: Readonly<Record<Exclude<RunState, 'running'>, { readonly tone: Tone; readonly label: string }>> = {
  done: { tone: 'good', label: 'done' },
  'done-with-warnings': { tone: 'attention', label: 'done, with warnings' },
  failed: { tone: 'danger', label: 'last run failed' },
  skipped: { tone: 'attention', label: 'last run skipped' }
}

/** Text of the schedules: list, one of them, its runs. The form's is in `form-words.ts`. */
export const words = {
  title: 'Schedules',
  subtitle: 'Backups that happen by themselves. They run on the hosts, also while this computer sleeps.',
  counted: (policies: number, hosts: number, bad: number) =>
    `${count(policies, 'schedule', 'schedules')} on ${count(hosts, 'host', 'hosts')}${bad === 0 ? '' : `, ${count(bad, 'needs', 'need')} you`}. They run on the hosts, also while this computer sleeps.`,
  loading: 'The hosts are asked for their schedules',
  create: 'New schedule',
  empty: {
    title: 'No backup happens by itself yet',
    text: 'A schedule says which VMs are backed up when, how long their points stay, and who is told. It lives on its host and runs there, whatever becomes of this computer; new VMs are picked up by themselves.',
    noHosts: 'Add a host first: a schedule lives on the host whose VMs it backs up.',
    addHost: 'Add host'
  },
  host: {
    zone: (zone: string) => `Times of ${zone}`,
    own: (clock: string) => `here ${clock}`,
    asOf: (age: string) => `Does not answer; as of ${age} ago. Its timers go on without us.`,
    none: 'No schedule on this host.',
    parallel: 'Backups at a time',
    parallelHint: 'Over all schedules of this host. The others wait their turn.',
    broken: 'Files that are no schedule',
    brokenText: 'They are never run. Remove or repair them on the host.'
  },
  columns: {
    name: 'Schedule',
    when: 'When',
    next: 'Next run',
    last: 'Last run',
    keep: 'Points stay',
    actions: 'Actions'
  },
  vmsNow: (n: number | undefined) => (n === undefined ? '' : n === 0 ? 'none now' : `${n} now`),
  standing: {
    problem: 'does not run',
    running: 'running now',
    paused: 'paused',
    never: 'not run yet',
    missed: (n: number) => `done, ${count(n, 'run', 'runs')} missed before`,
    last: LAST
  },
  pausedUntil: (until: string | undefined, now: Date) =>
    until === undefined ? 'until somebody lets it go on' : `until ${formatMoment(until, now)}`,
  showAll: (n: number) => `Show all ${n}`,
  noNext: 'none',
  unknownNext: 'not known',
  actions: {
    menu: (name: string) => `More for ${name}`,
    runNow: 'Run now',
    runNowOf: (name: string) => `Run ${name} now`,
    pause: 'Pause until…',
    resume: 'Go on',
    edit: 'Edit',
    duplicate: 'Duplicate',
    remove: 'Remove…'
  },
  pause: {
    title: (name: string) => `Pause ${name}`,
    text: 'Until then its runs are left out, and each is listed as skipped. Run now works all the same, and points stay as they are.',
    until: 'Pause until',
    hour: 'for an hour',
    tomorrow: 'until tomorrow, 6:00',
    week: 'for a week',
    moment: 'until a day and time',
    forever: 'until somebody lets it go on',
    at: 'Day and time, on this computer’s clock',
    past: 'That has gone by.',
    confirm: 'Pause',
    alarm: 'A pause does not silence the alarm: VMs whose points grow too old meanwhile turn red.'
  },
  remove: {
    title: (name: string) => `Remove ${name}?`,
    text: 'Its timer and its file go from the host; a run that is under way goes on to its end.',
    points: (n: number) =>
      n === 0
        ? 'It has no points.'
        : `Its ${count(n, 'point stays', 'points stay')}, and nothing prunes them any more: they are yours to delete.`,
    vms: 'VMs that no other schedule covers are not backed up any more.',
    confirm: 'Remove schedule'
  },
  policy: {
    unknown: 'This schedule is not known',
    unknownText: 'It may have been removed, or its host has not answered yet.',
    back: 'All schedules',
    on: (host: string) => `on ${host}`,
    facts: 'What it does',
    problem: 'It does not run now',
    vms: 'VMs',
    vmsNow: 'VMs now',
    noVms: 'None of the host’s VMs: a run finds nothing to do.',
    when: 'When',
    window: (from: string, to: string) => `begins backups only from ${from} to ${to}`,
    jitter: (minutes: string) => `each run up to ${minutes} later, always by the same`,
    method: 'Method',
    busy: {
      pause: 'a longer pause if the VM is too busy',
      disk: 'disks only if the VM is too busy',
      fail: 'given up if the VM is too busy'
    },
    budget: (ms: string) => `pause budget ${ms}`,
    without: (disks: string) => `without ${disks}`,
    withMedia: 'with what lies in drives',
    store: 'Store',
    keep: 'Points stay',
    floor: (floor: number, hours: number) =>
      `never fewer than ${count(floor, 'good point', 'good points')} per VM; ${count(hours, 'hour', 'hours')} in the trash first`,
    tell: 'Tells of',
    hooks: 'Commands',
    before: 'before',
    after: 'after',
    alarm: 'Alarm',
    alarmText: (hours: string) => `a VM without a good point for ${hours}`,
    alarmNone: 'none: its calendar expects no more runs',
    next: 'Next runs',
    noNext: 'The calendar has no run to come.',
    runs: 'Runs',
    noRuns: 'It has not run yet.',
    noRunsText: 'What each run did, VM by VM, will be listed here.'
  },
  run: {
    columns: { at: 'Run', trigger: 'Began by', vms: 'VMs', pruned: 'Old points', told: 'Told', outcome: 'Outcome' },
    timer: 'timer',
    manual: 'hand',
    new: 'New run',
    title: (at: string) => `Run of ${at}`,
    close: 'Close the run',
    asked: 'The host has been asked. The run is shown as soon as it says so.',
    wanted: 'Wanted for',
    began: 'Began',
    took: 'Took',
    soFar: (time: string) => `${time} so far`,
    by: 'Began by',
    next: 'Next run',
    vmsTitle: 'VMs',
    job: (vm: string) => `Job of ${vm}`,
    openJob: 'Job',
    openVm: 'VM',
    openPoint: 'Point',
    missed: 'Missed before this one',
    missedMore: (n: number) => `and ${n} more`,
    pruned: 'Old points',
    refused: 'Left as it is',
    told: 'Told',
    toldNobody: 'Nobody was to be told.',
    channels: { mail: 'Mail', webhook: 'Webhook' },
    ok: 'sent',
    notOk: 'not sent',
    warnings: 'Warnings'
  },
  plan: {
    title: 'What goes next',
    text: 'As the host itself would do it now, after a good new point.',
    ask: 'Ask again',
    asking: 'The host is asked',
    refused: 'Nothing goes now',
    nothing: 'Nothing goes: every point is kept by a rule.',
    goes: ({ going, memoryDropped }: FateTotals, bytes: string) =>
      [
        ...(going === 0 ? [] : [count(going, 'point goes', 'points go')]),
        ...(memoryDropped === 0 ? [] : [count(memoryDropped, 'loses its RAM', 'lose their RAM')]),
        `${bytes} freed`
      ].join(', '),
    trash: (n: number, bytes: string) => `${count(n, 'point', 'points')} in the trash, ${bytes}`,
    vm: (keep: number, go: number) => `${keep} stay, ${go} ${go === 1 ? 'goes' : 'go'}`
  },
  fate: {
    label: 'Points and what becomes of them',
    columns: { point: 'Point', vm: 'VM', size: 'Size', fate: 'What becomes of it', frees: 'Frees' },
    keep: 'stays',
    go: 'goes',
    ramGoes: 'without its RAM'
  }
} as const
