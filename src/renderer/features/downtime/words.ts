import type { JobKind } from '../../../shared/model/job.ts'
import { hostInWords, isHostClaimed, type PointOrigin } from '../../../shared/point-name.ts'

const KIND: Readonly<Record<JobKind, string>> = { backup: 'Backup', restore: 'Restore' }

const HOW: Readonly<Record<string, string>> = {
  live: 'live',
  disk: 'disks only',
  classic: 'classic',
  offline: 'while shut off',
  resume: 'resumed',
  boot: 'booted',
  define: 'defined, not started'
}

export const words = {
  title: 'Downtime',
  subtitle: 'How long VMs stood still in backups, and how long restores took until they ran.',
  loading: 'Downtimes are being read',
  kind: KIND,
  kinds: { backup: 'Backups', restore: 'Restores' },
  how: HOW,
  empty: {
    title: 'Nothing measured yet',
    text: 'After the first backup, how long the VM stood still is shown here, to the millisecond.',
    go: 'Go to the overview'
  },
  noMatch: { title: 'Nothing fits', text: 'There are downtimes, but none that these filters let through.' },
  nothingOnChart: 'Nothing that these filters let through stood still: the VMs were shut off, or were not started.',
  offChart: (count: number) =>
    `${count === 1 ? '1 entry is' : `${count} entries are`} older than two years or of time to come, and not on the chart. The table below has ${count === 1 ? 'it' : 'them'}.`,
  filters: {
    host: 'Host',
    vm: 'VM',
    kind: 'Kind',
    period: 'Period',
    all: 'All',
    find: 'Name or UUID',
    clear: 'Show all'
  },
  periods: [
    { value: '1', label: 'Last day' },
    { value: '7', label: 'Last 7 days' },
    { value: '30', label: 'Last 30 days' },
    { value: '90', label: 'Last 90 days' },
    { value: '365', label: 'Last year' }
  ],
  countOf: (shown: number, all: number) => (shown === all ? `${all} entries` : `${shown} of ${all} entries`),
  medianPause: 'median pause',
  worstPause: 'worst pause',
  medianRunning: 'median restore',
  worstRunning: 'worst restore',
  withinBudget: (budget: string) => `within ${budget}`,
  ofCount: (within: number, count: number) => `${within} of ${count} backups`,
  from: (count: number, what: string) => `from ${count} ${what}`,
  chart: 'Over time',
  chartLabel: (count: number) =>
    `${count} downtimes over time, on a logarithmic scale. The table below has the same figures.`,
  budget: (budget: string) => `budget ${budget}`,
  legend: { backup: 'pause of a backup', over: 'pause over the budget', restore: 'time until a restored VM ran' },
  /** Below the exported picture, where marks have no legend. */
  caption: '● pause of a backup   ◎ pause over the budget   ◇ time until a restored VM ran',
  andMore: (count: number) => `and ${count} more here`,
  exportCsv: 'Export CSV',
  exportPng: 'Export PNG',
  pngFailed: 'The picture could not be made.',
  fileName: (day: string, extension: string) => `stillpoint-downtime-${day}.${extension}`,
  table: 'Downtimes',
  columns: { vm: 'VM', at: 'When', what: 'What', down: 'Downtime', parts: 'Made of' },
  on: (host: string) => `on ${host}`,
  none: 'none',
  overBudget: 'over budget'
} as const

/** `on alpha`, or what only its point says of where it was taken. */
export const whereText = (origin: PointOrigin): string =>
  isHostClaimed(origin) ? hostInWords(origin) : words.on(origin.host)

/** `web1 on alpha`. */
export const whoText = (vm: string, origin: PointOrigin): string =>
  `${vm}${isHostClaimed(origin) ? ',' : ''} ${whereText(origin)}`

/** `Backup, live`. */
export const whatText = (kind: JobKind, how: string | undefined): string =>
  how === undefined ? KIND[kind] : `${KIND[kind]}, ${HOW[how] ?? how}`
