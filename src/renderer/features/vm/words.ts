const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

/** Text of the VM page. */
export const words = {
  on: 'on',
  gone: 'No host has it now: it can be restored from its points.',
  unknown: {
    title: 'This VM is not known',
    text: 'No host has it, and no store holds a point of it. Its host may not have answered yet.',
    back: 'All VMs'
  },
  backUp: 'Back up now',
  restoreNewest: 'Restore newest point…',
  states: {
    running: 'running',
    idle: 'running',
    paused: 'paused',
    'shut off': 'shut off',
    crashed: 'crashed',
    pmsuspended: 'suspended by its guest'
  },
  facts: {
    ram: 'RAM',
    vcpus: 'vCPUs',
    disks: 'Disks',
    agent: 'Guest agent',
    agents: { absent: 'none', disconnected: 'does not answer', connected: 'answers' },
    autostart: 'Starts with its host',
    yes: 'yes',
    no: 'no',
    heldBack: (host: string) => `not now: a restore left it off, as it was on ${host} too`,
    none: 'none'
  },
  limits: {
    title: 'What its points do not hold',
    text: 'As the VM is now. Each says what follows for a restore.'
  },
  care: {
    title: 'Protection',
    schedules: 'Schedules',
    none: 'none;',
    make: 'make one',
    next: 'Next run',
    expected: 'Expected',
    every: (age: string) => `a good point every ${age}`,
    notKnown: 'not known here',
    pausedUntil: (at: string) => `paused until ${at}`
  },
  running: 'What is going on now',
  points: 'Restore points',
  pointsCount: (n: number) => count(n, 'restore point', 'restore points'),
  noPoints: {
    title: 'No restore points yet',
    text: 'Back it up, and each point shows up here with how long the VM stood still for it.'
  },
  notKnown: 'Not every store has answered yet: there may be more.',
  lane: 'Points on a line of time. Arrow keys go from one to the next, Enter opens it.',
  now: 'now',
  legend: {
    live: 'live, with RAM',
    disk: 'disks only',
    classic: 'classic',
    offline: 'offline',
    pinned: 'pinned'
  },
  methods: { live: 'live', disk: 'disks only', classic: 'classic', offline: 'offline' },
  withRam: 'with RAM',
  withoutRam: 'disks only',
  stoodStill: (pause: string) => `stood still ${pause}`,
  wasOff: 'was off',
  pinned: 'pinned',
  verifiedGood: 'verified',
  verifiedBad: 'damaged',
  damagedOn: (places: string) => `damaged on ${places}`,
  columns: {
    time: 'Taken',
    method: 'Method',
    ram: 'RAM',
    size: 'Size',
    pause: 'Pause',
    places: 'Places',
    verified: 'Verified',
    note: 'Note'
  },
  never: 'not yet',
  yes: 'yes',
  no: 'no',
  warned: (n: number) => count(n, 'warning', 'warnings'),
  point: {
    title: 'Restore point',
    restore: 'Restore this point…',
    taken: 'Taken',
    policy: 'Schedule',
    byHand: 'none: by hand',
    method: 'Method',
    because: (method: string, reason: string) => `${method}: ${reason}`,
    host: 'On host',
    before: 'VM was',
    size: 'Size',
    ram: 'RAM',
    agent: 'Guest agent',
    agents: { none: 'none', silent: 'did not answer', answered: 'answered', froze: 'froze the file systems' },
    versions: 'Versions',
    versionsOf: (libvirt: string, qemu: string) => `libvirt ${libvirt}, QEMU ${qemu}`,
    qemu: 'Counted by QEMU',
    excluded: 'Disks left out',
    id: 'Id',
    warnings: 'Warnings',
    places: 'Places',
    placesHint: 'Verifying reads every byte and compares it with what was written.',
    thisComputer: 'this computer',
    unreachable: 'did not answer; as last known',
    verify: 'Verify',
    verifyIn: (place: string) => `Verify in ${place}`,
    delete: 'Delete…',
    deleteIn: (place: string) => `Delete in ${place}`,
    copy: 'Copy to…',
    pin: 'Pin',
    unpin: 'Unpin',
    pinHint: 'A pinned point is kept, whatever becomes of the others.',
    verifiedAt: 'Last verified',
    note: 'Note',
    noNote: 'No note',
    editNote: 'Edit note',
    addNote: 'Add note',
    saveNote: 'Save note',
    cancel: 'Cancel',
    files: 'Files',
    loading: 'Reading what is in it…',
    columns: { path: 'File', size: 'Size', hash: 'SHA-256' },
    copyHash: (path: string) => `Copy the hash of ${path}`,
    disks: 'Disks',
    diskOf: (target: string, source: string) => `${target}, from ${source}`,
    close: 'Close'
  },
  delete: {
    title: (vm: string) => `Delete a point of ${vm}?`,
    lastCopy: (at: string, place: string) =>
      `The point of ${at} is deleted in ${place}, which is its only place. It cannot be had back.`,
    notLast: (at: string, place: string, others: string) =>
      `The point of ${at} is deleted in ${place}. It stays in ${others}.`,
    onlyGood: (vm: string) => `It is the only good point of ${vm}. Without it there is nothing to restore the VM from.`,
    othersLeft: (n: number) =>
      `${count(n, 'other good point', 'other good points')} of this VM ${n === 1 ? 'is' : 'are'} left.`,
    pinned: 'Somebody has pinned it, to keep it.',
    confirm: 'Delete it',
    done: (place: string, freed: string) => `Deleted in ${place}; ${freed} are free again.`
  },
  copy: {
    title: 'Copy this point',
    text: 'The copy is checked byte by byte as it arrives. What is here stays as it is.',
    to: 'Where to',
    host: 'To a host',
    whichHost: 'Host',
    noHost: 'All hosts have it',
    computer: 'To a directory of this computer',
    directory: 'Directory',
    directoryHint: 'On the computer that Stillpoint runs on, for example a mounted USB disk: /mnt/usb/points',
    problem: 'The whole path is needed: it begins with a slash.',
    start: 'Copy',
    cancel: 'Cancel'
  },
  broken: {
    title: 'What looks like a point and is none',
    text: 'These cannot be read or trusted, so they are never restored from. The doctor of the host removes half points.'
  },
  trend: {
    downtime: 'How long it stood still',
    downtimeHint: 'Each step up is ten times as long.',
    size: 'Size of its points',
    pause: 'Pause of a backup',
    running: 'Restore, until it ran',
    classic: 'Classic method, estimated',
    budget: (budget: string) => `budget ${budget}`,
    at: 'When',
    bytes: 'Size',
    tooFew: 'From the second one on, there is something to compare here.'
  }
} as const
