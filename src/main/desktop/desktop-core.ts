import type { Handlers } from '../../shared/contract.ts'
import type { Stop } from '../../shared/contract-shape.ts'
import type { HostView } from '../../shared/views/host-view.ts'
import type { JobLive, JobView } from '../../shared/views/job-view.ts'
import type { NoticeView } from '../../shared/views/notice-view.ts'
import type { PointsView } from '../../shared/views/point-view.ts'
import type { PoliciesView } from '../../shared/views/policy-view.ts'
import type { Choices, ChoicesChange } from '../../shared/views/settings-view.ts'

/** Says the whole at once, where it is known, and again whenever it has changed. */
export type Listen<T> = (listener: (value: T) => void) => Stop

/** What tray, notifications and the like need of the core: what the window sees, and a few errands. */
export interface DesktopCore {
  readonly hosts: Listen<readonly HostView[]>
  readonly points: Listen<PointsView>
  readonly jobs: Listen<readonly JobView[]>
  readonly live: Listen<readonly JobLive[]>
  readonly notices: Listen<readonly NoticeView[]>
  readonly choices: Listen<Choices>
  readonly policies: Listen<PoliciesView>
  backUp(host: string, vm: string): Promise<void>
  changeChoices(change: ChoicesChange): Promise<void>
  /** The computer has slept: everything is looked at again, now. */
  wake(): void
  /** Tells and writes what was heard, at once: the session ends, and perhaps nothing else is done any more. */
  keepWhatIsKnown(): void
  /** Ends connections. What runs on hosts goes on there. */
  close(): Promise<void>
}

/** The same source that the window has. */
export function desktopCoreOver(
  handlers: Handlers,
  more: Pick<DesktopCore, 'wake' | 'keepWhatIsKnown' | 'close'>
): DesktopCore {
  const { hosts, points, jobs, notices, settings, policies } = handlers
  return {
    hosts: hosts.changed,
    points: points.changed,
    jobs: jobs.changed as Listen<readonly JobView[]>, // the same values: only a failure's type is wider on the wire
    live: jobs.live,
    notices: notices.changed,
    choices: settings.changed,
    policies: policies.changed as Listen<PoliciesView>,
    backUp: async (host, vm) => {
      await jobs.backup({ host, vm })
    },
    changeChoices: (change) => settings.change(change),
    ...more
  }
}
