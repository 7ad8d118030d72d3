const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

/** Text of a schedule's form. */
export const formWords = {
  titles: { new: 'New schedule', change: 'Edit schedule', copy: 'New schedule like another' },
  subtitle: 'It is kept on its host and runs there, also while this computer sleeps.',
  save: { new: 'Create schedule', change: 'Save', copy: 'Create schedule' },
  cancel: 'Cancel',
  toDo: (n: number) => `${count(n, 'field needs', 'fields need')} a look`,
  acceptStore: 'This store is meant',
  acceptText:
    'If the store was set up anew on purpose: its identity is taken as the right one from now on, and this schedule writes there.',
  copyOf: (name: string) => `${name} (copy)`,
  noHosts: 'No host is known that could keep it.',
  name: {
    title: 'What is it called?',
    label: 'Name',
    placeholder: 'Every night',
    host: 'Host',
    hostHint: 'Where its VMs are, and where it runs.',
    hostFixed: 'A schedule stays on its host. To have it elsewhere, duplicate it.',
    down: 'does not answer'
  },
  vms: {
    title: 'Which VMs?',
    kinds: { all: 'All VMs of the host', pattern: 'By name', chosen: 'Chosen ones' },
    texts: {
      all: 'New VMs are picked up by themselves.',
      pattern: 'New VMs whose name fits are picked up by themselves.',
      chosen: 'Only these, whatever they are called later. New VMs are not picked up.'
    },
    patterns: 'Names',
    patternsHint: 'A whole name or UUID; * is any text, ? one character. Enter after each.',
    patternExample: 'web*',
    exclude: 'But not',
    excludeHint: 'Names or patterns that are left out.',
    excludeExample: 'test-*',
    choose: 'VMs',
    chosen: (n: number, all: number) => `${n} of ${all} chosen`,
    find: 'Find a VM',
    goneHere: 'not on this host now',
    match: (n: number) => (n === 0 ? 'No VM of the host fits now' : `${count(n, 'VM fits', 'VMs fit')} now`),
    more: (n: number) => `and ${n} more`,
    limits: 'What their points will not hold',
    unknown: 'The host has not said which VMs it has.'
  },
  when: {
    title: 'When?',
    kinds: {
      hours: 'Every few hours',
      daily: 'Every day',
      weekly: 'On days of the week',
      monthly: 'Once a month',
      calendar: 'Calendar expression'
    },
    kind: 'How often',
    every: 'Every',
    hours: (n: number) => (n === 1 ? 'hour' : `${n} hours`),
    minute: 'At minute',
    time: 'At',
    days: 'Days',
    dayNames: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
    day: 'Day of the month',
    last: 'the last day',
    calendar: 'Expression',
    calendarHint: 'As systemd’s OnCalendar has it, for instance Mon..Fri 22:00 or *-*-1,15 03:30.',
    jitter: 'Jitter, in minutes',
    jitterHint: 'Each run is later by a share of this, always the same: hosts do not all begin at once.',
    windowed: 'Begin backups only in certain hours',
    windowHint: 'VMs that are not reached until then are skipped, and the run says so.',
    from: 'From',
    to: 'To',
    next: 'Next runs',
    zone: (zone: string) => `Times of ${zone}`,
    here: (at: string) => `here ${at}`,
    jittered: (time: string) => `each up to ${time} later`,
    paused: (until: string) => `Paused ${until}: what falls before is left out`,
    noneYet: 'They are shown as soon as the schedule says when.',
    none: 'No run to come: the expression names no time that is ahead.',
    changes: {
      skipped: (time: string, day: string) =>
        `${time} does not exist on ${day}: the clock is set forward, and that run is left out.`,
      twice: (time: string, day: string) =>
        `${time} comes twice on ${day}: the clock is set back, and the first one counts.`
    },
    outside: 'outside the hours in which backups begin: skipped'
  },
  keep: {
    title: 'How long do points stay?',
    presets: {
      simple: 'Simple',
      sensible: 'Sensible',
      custom: 'Custom',
      all: 'All stay'
    },
    texts: {
      simple: 'The last few, and nothing else.',
      sensible: 'The last 3, a week of days, a month of weeks, half a year of months; RAM in the newest 3.',
      custom: 'Each rule keeps the newest point of so many periods that have points. Empty: the rule is not there.',
      all: 'Nothing is ever pruned. Watch the room.'
    },
    preset: 'How points are kept',
    simple: 'Backups per VM',
    fields: {
      last: 'Last',
      hourly: 'Hourly',
      daily: 'Daily',
      weekly: 'Weekly',
      monthly: 'Monthly',
      yearly: 'Yearly',
      memory: 'RAM in the newest',
      floor: 'Never fewer good points than',
      graceHours: 'Hours in the trash'
    },
    memoryHint: 'Of older ones the disks stay. Empty: in all.',
    promise:
      'Pinned points always stay. Points made by hand are never touched, and nothing goes before a good new point is there.'
  },
  simulator: {
    title: 'What that would do',
    source: 'Shown for',
    real: 'points there are',
    year: 'a year of runs',
    vm: 'VM',
    allVms: 'all VMs',
    yearSum: (kept: number, bytes: string) => `${count(kept, 'point', 'points')} per VM, ${bytes}`,
    sum: (kept: number, bytes: string) => `${count(kept, 'point stays', 'points stay')}, ${bytes}`,
    goes: (n: number, bytes: string) => `${count(n, 'point goes', 'points go')}, which frees ${bytes}`,
    memory: (n: number) => `${count(n, 'point loses its RAM and keeps', 'points lose their RAM and keep')} the disks`,
    nothingGoes: 'nothing goes',
    assumed: (size: string, runs: number) =>
      `Drawn with ${size} per point and ${count(runs, 'run', 'runs')}; increments and what compresses well take less.`,
    capped: (runs: number) => `Drawn with the last ${runs} runs of that year.`,
    noPoints: 'This schedule has no points yet.',
    noRuns: 'There are no runs to draw.',
    table: 'Point by point',
    lane: (rule: string, n: number) => `${rule}: ${n}`,
    rules: {
      pinned: 'pinned',
      last: 'last',
      hourly: 'hourly',
      daily: 'daily',
      weekly: 'weekly',
      monthly: 'monthly',
      yearly: 'yearly',
      others: 'otherwise',
      gone: 'goes'
    },
    legend: { memory: 'with RAM', disks: 'disks only', gone: 'goes' },
    now: 'now'
  },
  tell: {
    title: 'Who is told?',
    failure: 'Tell of failures',
    failureHint: 'Also when VMs were skipped, runs were missed, or old points could not be pruned.',
    success: 'Tell of successes',
    digest: 'Digest',
    digests: { none: 'none', daily: 'every day', weekly: 'every week' },
    to: 'Mail to others than usual',
    toHint: 'Empty: whoever the host’s mail settings name. Enter after each.',
    toExample: 'ops@example.org',
    has: (channels: string) => `${channels} go out from the host itself, also while this computer is off.`,
    hasNone: 'This host has no mail or webhook yet: only this computer would tell you.',
    lead: 'Set up mail and webhook',
    channels: { mail: 'Mail', webhook: 'Webhook', both: 'Mail and webhook' }
  },
  how: {
    title: 'How?',
    method: 'Method',
    store: 'Store',
    storeHint: 'A directory on the host. The default is the host’s own.',
    disks: 'Disks to leave out',
    disksHint: 'By target, in each VM that has it. Enter after each.',
    diskExample: 'vdb'
  },
  more: {
    title: 'More',
    summary: 'Commands before and after, alarm',
    before: 'Command before each VM',
    after: 'Command after each VM',
    commandHint: 'For sh, as root on the host. STILLPOINT_VM and STILLPOINT_VM_UUID say which VM it is about.',
    commandExample: 'systemctl stop nightly-report',
    deadline: 'Deadline, in seconds',
    mustSucceed: 'If the command before fails, leave that VM out',
    mustSucceedHint: 'Otherwise it is a warning.',
    expect: 'Alarm after hours without a good point',
    expectHint: (standard: string) => `Empty: ${standard}, from the longest gap between runs.`,
    expectUnknown: 'as the times say'
  },
  problems: {
    noName: 'It needs a name.',
    longName: 'At most 100 characters.',
    oddName: 'Only characters that can be seen.',
    takenName: 'Another schedule of this host is called so.',
    host: 'Choose a host.',
    noPattern: 'At least one name or pattern; * for all.',
    longPattern: 'At most 300 characters each.',
    noneChosen: 'Choose at least one VM.',
    budgetMs: 'A number of milliseconds, more than 0 and at most an hour.',
    store: 'A directory on the host begins with a slash.',
    minute: '0 to 59.',
    time: 'A time of day is needed.',
    days: 'Choose at least one day.',
    jitter: '0 to 1440 minutes.',
    window: 'Both times are needed.',
    windowSame: 'The two times have to differ.',
    count: 'A whole number up to 10000, or empty.',
    floor: 'At least 1.',
    graceHours: '0 to 8784 hours.',
    mailTo: 'One of these is no mail address.',
    longCommand: 'At most 4096 characters.',
    deadline: '1 to 3600 seconds.',
    expectHours: 'A number of hours, up to a year.'
  }
} as const
