import { STATES_FOR } from '../../../shared/method-states.ts'
import type { Method } from '../../../shared/model/point.ts'
import { safeText } from '../../../shared/safe-text.ts'

/** Text of the dialog that starts a backup. */
export const words = {
  title: (vm: string) => `Back up ${vm}`,
  on: (host: string) => `on ${host}`,
  method: 'Method',
  methods: {
    auto: { label: 'Automatic', text: 'Live for a running VM, else what its state and devices allow.' },
    live: {
      label: 'Live',
      text: 'RAM and disks at one instant. The VM stands still for milliseconds and runs on; restored, it goes on where it was.'
    },
    disk: {
      label: 'Disks only',
      text: 'All disks at one instant, without RAM. Restored, the VM boots as after a power cut; the guest agent, if there is one, makes the files consistent first.'
    },
    classic: {
      label: 'Classic',
      text: 'Stops the VM while all of its RAM is written and read again: several seconds for each GiB.'
    },
    offline: { label: 'Offline', text: 'Of a VM that is shut off: its disks as they are.' }
  },
  notNow: (state: string, method: Method) =>
    `Not now: the VM is ${safeText(state)}. This needs one that is ${STATES_FOR[method].filter((each) => each !== 'idle').join(' or ')}.`,
  details: 'More choices',
  store: 'Store',
  storeHint: 'A directory on the host. Empty: the host’s own, /var/lib/stillpoint/points',
  budget: 'Pause budget',
  budgetHint: 'The VM should stand still no longer than this. In milliseconds.',
  onBusy: 'When the VM is too busy for that',
  onBusyChoices: {
    pause: 'Take the longer pause',
    disk: 'Take the disks only',
    fail: 'Give up; the VM runs on'
  },
  disks: 'Disks to take',
  noDisks: 'Its disks are not known now: all are taken.',
  media: 'Take what lies in its drives too',
  mediaHint: 'Each point then has it whole, such as an ISO. Without it, a drive is empty where its medium is not.',
  problems: {
    store: 'A directory on the host begins with a slash.',
    budgetMs: 'A number of milliseconds, more than 0 and at most an hour.',
    excludeDisks: 'At least one disk has to be taken.'
  },
  estimate: 'What it will cost',
  estimating: 'Looking what it will cost…',
  unknownCost: 'Choose first; then this shows what it will cost.',
  because: (reason: string) => `because ${reason}`,
  asked: 'as you chose',
  pause: 'The VM stands still',
  noPause: 'It does not stand still: it is off',
  budgetLine: (ms: string) => `budget ${ms}`,
  overBudget: 'May be longer than the budget',
  classic: 'By the classic method',
  time: 'Takes',
  size: 'Writes',
  room: 'Room',
  roomText: (needed: string, free: string) => `needs ${needed}, ${free} free`,
  roomUnknown: (needed: string) => `needs ${needed}`,
  noRoom: 'Not enough room',
  from: (samples: number) =>
    samples === 0
      ? 'Drawn from sizes alone: there is no earlier backup of this kind.'
      : `Drawn from ${samples} earlier ${samples === 1 ? 'backup' : 'backups'} of this VM.`,
  remarks: 'Worth knowing',
  runsOn:
    'The VM runs on all the time but for the pause. The backup goes on on the host, whatever becomes of this window.',
  start: 'Start backup',
  cancel: 'Cancel',
  range: (low: string, high: string) => (low === high ? low : `${low} to ${high}`)
} as const
