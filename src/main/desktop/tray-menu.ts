import type { GoTo } from '../../shared/views/notice-view.ts'
import type { JobView } from '../../shared/views/job-view.ts'
import { compareNames } from '../../shared/safety.ts'
import { firstOfEach } from '../core/live/fair-share.ts'
import type { Seen } from './mirror.ts'
import { percentOf } from './progress.ts'
import type { Status } from './status.ts'
import { words } from './words.ts'

export type TrayAction =
  | { readonly do: 'open' }
  | { readonly do: 'quit' }
  | { readonly do: 'goTo'; readonly to: GoTo }
  | { readonly do: 'backUp'; readonly host: string; readonly vm: string; readonly name: string }

/** The tray's menu as plain data: what is the same need not be set again. Without an action an entry is only read. */
export type TrayEntry =
  | 'line'
  | { readonly label: string; readonly action: TrayAction | undefined }
  | { readonly label: string; readonly entries: readonly TrayEntry[] }

const MOST_VMS = 25
const MOST_JOBS = 8
const { tray } = words

export const trayMenu = (seen: Seen, status: Status): readonly TrayEntry[] => [
  { label: status.sentence, action: { do: 'goTo', to: { screen: 'overview' } } },
  ...jobEntries(seen),
  'line',
  { label: tray.backUp, entries: vmEntries(seen) },
  'line',
  { label: tray.open, action: { do: 'open' } },
  { label: tray.quit, action: { do: 'quit' } }
]

function jobEntries({ jobs = [], live }: Seen): readonly TrayEntry[] {
  const running = jobs.filter(({ endedAt }) => endedAt === undefined)
  if (running.length === 0) return []
  const percents = new Map(live.map((each) => [each.id, percentOf(each.progress)]))
  const entry = (job: JobView): TrayEntry => ({
    label: tray.job(job, percents.get(job.id)),
    action: { do: 'goTo', to: { screen: 'job', job: job.id } }
  })
  const shown = firstOfEach(running, MOST_JOBS).slice(0, MOST_JOBS)
  const more = running.length - shown.length
  const rest: readonly TrayEntry[] =
    more > 0 ? [{ label: tray.moreJobs(more), action: { do: 'goTo', to: { screen: 'activity' } } }] : []
  return ['line', ...shown.map(entry), ...rest]
}

function vmEntries({ hosts = [] }: Seen): readonly TrayEntry[] {
  const vms = hosts
    .filter(({ state }) => state === 'up')
    .flatMap((host) => host.vms.map((vm) => ({ ...vm, host: host.name })))
    .filter(({ state }) => state === 'running')
    .sort((a, b) => compareNames(a.name, b.name) || compareNames(a.host, b.host))
  if (vms.length === 0) return [{ label: tray.noVms, action: undefined }]
  const shown = firstOfEach(vms, MOST_VMS).slice(0, MOST_VMS)
  const entries = shown.map(({ name, host, uuid }): TrayEntry => ({
    label: tray.vm(name, host),
    action: { do: 'backUp', host, vm: uuid, name }
  }))
  const more: TrayEntry = { label: tray.moreVms, action: { do: 'goTo', to: { screen: 'overview' } } }
  return vms.length > shown.length ? [...entries, 'line', more] : entries
}
