import { safeText } from '../shared/safe-text.ts'

/** Text of the frame and of what all features share. Each feature has a `words.ts` of its own: ready for translation. */
export const words = {
  rail: 'Screens',
  screens: {
    overview: 'Overview',
    hosts: 'Hosts',
    restore: 'Restore',
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
  typeToConfirm: (text: string) => `Type “${text}” to confirm`,
  working: 'working',
  bytesOf: (done: string, total: string) => `${done} of ${total}`,
  timeLeft: (left: string) => `${left} left`,
  stoodStill: 'stood still',
  noToken: {
    title: 'This address alone does not open Stillpoint',
    text: 'Stillpoint gives each launch an address with a key in it. Open the one that “stillpoint serve” printed, or start it again.'
  }
} as const

const PHASES: Readonly<Record<string, string>> = {
  'begin-point': 'point begun',
  snapshot: 'RAM and disks captured',
  freeze: 'file systems frozen',
  thaw: 'file systems thawed',
  mirror: 'disks mirrored',
  suspend: 'VM stopped',
  'end-mirror': 'mirrors ended',
  save: 'RAM saved',
  restore: 'VM started again',
  copy: 'disks copied',
  'fold-back': 'changes folded back',
  collect: 'definition kept',
  commit: 'point completed',
  verify: 'point checked',
  stage: 'disks written',
  displace: 'old VM kept aside',
  place: 'disks put in place',
  define: 'VM defined',
  start: 'VM started',
  settle: 'guest settled',
  memory: 'captured RAM',
  switch: 'changed disks over'
}

/** A phase of a job in words; one that has none is shown as the host calls it. */
export const phaseWord = (phase: string): string => PHASES[phase] ?? safeText(phase)
