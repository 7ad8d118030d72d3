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
  noToken: {
    title: 'This address alone does not open Stillpoint',
    text: 'Stillpoint gives each launch an address with a key in it. Open the one that “stillpoint serve” printed, or start it again.'
  }
} as const
