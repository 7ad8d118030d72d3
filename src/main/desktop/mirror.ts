import { DEFAULT_CHOICES, type Choices } from '../../shared/views/settings-view.ts'
import type { JobLive, JobView } from '../../shared/views/job-view.ts'
import type { NoticeView } from '../../shared/views/notice-view.ts'
import type { Known } from '../../shared/safety.ts'
import type { DesktopCore } from './desktop-core.ts'

/** What the core last said, for all parts of the desktop. */
export interface Seen extends Known {
  readonly live: readonly JobLive[]
  readonly notices: readonly NoticeView[]
}

const NOTHING: Seen = {
  hosts: undefined,
  points: undefined,
  jobs: undefined,
  choices: undefined,
  live: [],
  notices: []
}

/** Mirrors the core, and tells when something has changed. */
export class Mirror {
  private current = NOTHING
  private readonly listeners = new Set<(seen: Seen) => void>()

  constructor(core: DesktopCore) {
    const take = (news: Partial<Seen>): void => {
      this.current = { ...this.current, ...news }
      this.listeners.forEach((listener) => listener(this.current))
    }
    core.hosts((hosts) => take({ hosts }))
    core.points((points) => take({ points }))
    core.jobs((jobs) => take({ jobs }))
    core.live((live) => take({ live }))
    core.notices((notices) => take({ notices }))
    core.choices((choices) => take({ choices }))
    core.policies((policies) => take({ policies }))
  }

  get seen(): Seen {
    return this.current
  }

  /** As long as the core has not said otherwise, the defaults. */
  get choices(): Choices {
    return this.current.choices ?? DEFAULT_CHOICES
  }

  get running(): readonly JobView[] {
    return (this.current.jobs ?? []).filter(({ endedAt }) => endedAt === undefined)
  }

  /** Hears what is seen now, and every change. */
  onChange(listener: (seen: Seen) => void): void {
    this.listeners.add(listener)
    listener(this.current)
  }
}
