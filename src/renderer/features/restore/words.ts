import type { Method } from '../../../shared/model/point.ts'
import type { RestoreViewMode } from '../../../shared/views/job-view.ts'
import type { NameProblem } from './restore-view.ts'

const METHOD: Readonly<Record<Method, string>> = {
  live: 'live',
  disk: 'disks only',
  classic: 'classic',
  offline: 'while shut off'
}

const MODE: Readonly<Record<RestoreViewMode, { readonly title: string; readonly text: string }>> = {
  resume: {
    title: 'Go on where it was',
    text: 'RAM and disks as they were at that instant: programs go on in the middle of what they were doing, and the guest’s clock is set. Connections that others have closed meanwhile are gone.'
  },
  boot: {
    title: 'Start from the disks',
    text: 'As after a power cut at that instant: what was only in RAM is lost, and file systems and databases recover by themselves while the VM starts.'
  },
  define: {
    title: 'Put it there, do not start it',
    text: 'Disks and definition are put in place. You start the VM when you want; it then starts from its disks.'
  },
  copy: {
    title: 'A second VM beside the first',
    text: 'From the disks, with a name, a UUID and MAC addresses of its own. To look something up, or to try something out.'
  }
}

const NAME: Readonly<Record<NameProblem, string>> = {
  empty: 'The copy needs a name.',
  'too-long': 'At most 200 characters.',
  taken: 'A VM of this name is on that host already.',
  line: 'No slashes and no line breaks.'
}

const DOES: Readonly<Record<RestoreViewMode, string>> = {
  resume: 'it goes on where it was',
  boot: 'it starts from its disks',
  define: 'it is put there, and not started',
  copy: 'it gets a second VM beside it'
}

export const words = {
  title: 'Restore',
  subtitle: 'Brings a VM back from a point, on any of your hosts.',
  loading: 'Points are being read',
  noPoints: {
    title: 'No points yet',
    text: 'When VMs have been backed up, you bring them back from here: in the middle of what they were doing, or from their disks.',
    go: 'Go to the overview'
  },
  stillAsking: 'Some stores have not answered yet; more points may appear.',
  steps: { point: 'Point', host: 'Host', mode: 'How', check: 'Check and restore' },
  step: (n: number, title: string) => `${n}. ${title}`,
  search: 'Search',
  searchHint: 'VM, host, note or point',
  vms: 'VMs with points',
  pointsOf: (vm: string) => `Points of ${vm}`,
  pointCount: (count: number) => (count === 1 ? '1 point' : `${count} points`),
  chooseVm: 'Choose a VM to see its points.',
  nothingFits: 'No point fits.',
  unknownPoint: 'This point is in no store that is known here. It may have been deleted, or its store may not answer.',
  severalPoints:
    'Two places have different points of this id by now: one of them is not what it says. Choose the one that you mean once more; where each is, is said beside it.',
  another: 'Choose another',
  rivals: (places: string) =>
    `${places} has another point of this id: one of the two is not what it says. This one is restored; see that it is yours.`,
  keepThis: 'Keep the chosen one',
  method: METHOD,
  withRam: 'with RAM',
  disksOnly: 'disks only, no RAM',
  stoodStill: (pause: string) => `stood still ${pause}`,
  in: (places: string) => `in ${places}`,
  pinned: 'pinned',
  verified: 'verified',
  damaged: 'damaged when last verified',
  damagedOn: (places: string) => `damaged on ${places}`,
  silent: (places: string) => `Not to be had now: only in ${places}, which does not answer.`,
  host: {
    label: 'Target host',
    none: 'No host is managed yet. Add one, and the point can be brought back there.',
    add: 'Go to the hosts',
    original: 'taken here',
    free: (bytes: string) => `${bytes} free`,
    hasPoint: 'has the point',
    getsPoint: (bytes: string) => `gets the point first: ${bytes}`,
    hasVm: 'has this VM now',
    up: 'up',
    connecting: 'connecting',
    down: 'not to be had'
  },
  mode: MODE,
  modeLabel: 'How it comes back',
  noRam: 'Not from this point: it holds no RAM, only disks.',
  ramElsewhere: (places: string, line: string) =>
    `Not unless you name the copy: this point holds no RAM now, and ${places} says to have it with RAM. If you trust that, type in a terminal: ${line}`,
  copy: {
    name: 'Name of the copy',
    problem: NAME,
    start: 'Afterwards',
    started: 'Start it',
    defined: 'Only define it',
    consequence:
      'New MAC addresses mean: DHCP gives it another lease, and so another IP address; licences bound to a MAC or to the UUID may ask to be renewed. A fixed IP address inside the guest stays, and then clashes with the first VM’s. Host keys and accounts inside it are the first VM’s.'
  },
  check: {
    looking: (host: string) => `${host} is looking …`,
    missing:
      'Choose a point, a host and how it comes back. What the host finds is listed here, before anything is touched.',
    hostDown: (host: string) => `${host} does not answer, so nothing can be restored there now.`,
    notToBeHad: 'No store that has this point answers now.',
    fixName: 'The copy needs another name first.',
    verdict: {
      ready: 'Everything is in order',
      warned: 'It can be done; mind the warnings',
      blocked: 'Something stands in the way'
    },
    state: { ok: 'in order', warning: 'mind this', problem: 'in the way' },
    again: 'Check again',
    ways: (check: string) => `Ways round it: ${check}`,
    decided: 'Decided for this restore',
    allow: 'Allow this, if you trust the point with it',
    allowed: 'The point may have this',
    attach: (disk: string) => `Attach ${disk}: it is the same here, and nobody else writes to it`,
    forget: 'Leave aside what was chosen for this host before',
    takeBack: 'Take back',
    takeBackOf: (what: string) => `Take back: ${what}`,
    copyFlag: (flag: string) => `Copy ${flag}`,
    terminal: 'The same in the terminal',
    moves: (bytes: string, from: string) => `${bytes} come from ${from} first.`,
    elsewhere: 'another store',
    replaces: (vm: string, host: string) =>
      `${vm} on ${host} is stopped and replaced. Its disks and definition are kept aside.`
  },
  sentence: (time: string, host: string, mode: RestoreViewMode) => `as it was at ${time}: ${DOES[mode]}, on ${host}.`,
  copySentence: (time: string, host: string, name: string) => `as it was at ${time}, beside it as ${name}, on ${host}.`,
  restore: 'Restore …',
  confirm: {
    title: (vm: string, host: string) => `Restore ${vm} on ${host}?`,
    replaces: (vm: string, host: string) =>
      `${vm} on ${host} is stopped, and what it did since this point is no longer in the running VM. Its disks and definition are kept aside on ${host} until you let go of them.`,
    fresh: (host: string) => `Nothing is replaced on ${host}.`,
    label: 'Restore',
    replaceLabel: 'Replace and restore'
  }
} as const
