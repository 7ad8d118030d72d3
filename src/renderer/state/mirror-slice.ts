import type { StateCreator } from 'zustand/vanilla'
import type { AppInfo, Bridge } from '../../shared/contract.ts'
import type { HostView } from '../../shared/views/host-view.ts'
import type { JobLive, JobView } from '../../shared/views/job-view.ts'
import type { NoticeView, Question } from '../../shared/views/notice-view.ts'
import type { PointsView } from '../../shared/views/point-view.ts'
import type { RunReport } from '../../shared/model/policy.ts'
import type { PoliciesView } from '../../shared/views/policy-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import { ask } from './ask.ts'

/** What the core says by itself, as it last said it. Undefined: it has not said it yet, which is not the same as nothing. */
export interface MirrorSlice {
  readonly hosts: readonly HostView[] | undefined
  readonly points: PointsView | undefined
  readonly jobs: readonly JobView[] | undefined
  /** By job. */
  readonly live: ReadonlyMap<string, JobLive>
  readonly policies: PoliciesView | undefined
  /** Newest first. */
  readonly runs: readonly RunReport[] | undefined
  readonly notices: readonly NoticeView[]
  readonly questions: readonly Question[]
  readonly choices: Choices | undefined
  readonly info: AppInfo | undefined
  /** The way to the core. While it is lost, everything else is as it was. */
  readonly link: 'up' | 'lost'
  /** Since when it is lost. */
  readonly lostAt: string | undefined
  readonly linkIs: (link: 'up' | 'lost') => void
  /** Begins to listen; once. */
  readonly openMirror: () => void
}

export const mirrorSlice =
  (core: Bridge): StateCreator<MirrorSlice> =>
  (set, get) => ({
    hosts: undefined,
    points: undefined,
    jobs: undefined,
    live: new Map(),
    policies: undefined,
    runs: undefined,
    notices: [],
    questions: [],
    choices: undefined,
    info: undefined,
    link: 'up',
    lostAt: undefined,
    linkIs: (link) => set({ link, lostAt: link === 'up' ? undefined : (get().lostAt ?? new Date().toISOString()) }),
    openMirror: () => {
      core.hosts.changed((hosts) => set({ hosts }))
      core.points.changed((points) => set({ points }))
      core.jobs.changed((jobs) => set({ jobs }))
      core.jobs.live((live) => set({ live: new Map(live.map((job) => [job.id, job])) }))
      core.policies.changed((policies) => set({ policies }))
      core.policies.runs((runs) => set({ runs }))
      core.notices.changed((notices) => set({ notices }))
      core.questions.changed((questions) => set({ questions }))
      core.settings.changed((choices) => set({ choices }))
      void ask(() => core.app.info()).then((answer) => answer.ok && set({ info: answer.value }))
    }
  })
