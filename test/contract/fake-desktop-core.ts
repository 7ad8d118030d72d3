import { vi } from 'vitest'
import { LiveValue } from '../../src/main/core/live/live-value.ts'
import type { DesktopCore } from '../../src/main/desktop/desktop-core.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { JobLive, JobView } from '../../src/shared/views/job-view.ts'
import type { NoticeView } from '../../src/shared/views/notice-view.ts'
import type { PointsView } from '../../src/shared/views/point-view.ts'
import type { PoliciesView } from '../../src/shared/views/policy-view.ts'
import { DEFAULT_CHOICES, withChange, type Choices } from '../../src/shared/views/settings-view.ts'
import { fakeData } from '../e2e/fake-data.ts'

/** A core on paper behind the desktop's port: a small company that is well, and what a test says on top. */
export function fakeDesktopCore(chosen: Partial<Choices> = {}) {
  const data = fakeData({ hosts: 2, vms: 4, pointsPerVm: 1, now: new Date(), troubles: false })
  const said = {
    hosts: new LiveValue<readonly HostView[]>(0, data.hosts),
    points: new LiveValue<PointsView>(0, data.points),
    jobs: new LiveValue<readonly JobView[]>(0, []),
    live: new LiveValue<readonly JobLive[]>(0, []),
    notices: new LiveValue<readonly NoticeView[]>(0, []),
    policies: new LiveValue<PoliciesView>(0, { hosts: [], known: true }),
    choices: new LiveValue<Choices>(0, { ...DEFAULT_CHOICES, ...chosen })
  }
  const errands = {
    backUp: vi.fn<DesktopCore['backUp']>(() => Promise.resolve()),
    changeChoices: vi.fn<DesktopCore['changeChoices']>((change) => {
      said.choices.set(withChange(said.choices.value ?? DEFAULT_CHOICES, change))
      return Promise.resolve()
    }),
    wake: vi.fn<DesktopCore['wake']>(),
    keepWhatIsKnown: vi.fn<DesktopCore['keepWhatIsKnown']>(),
    close: vi.fn<DesktopCore['close']>(() => Promise.resolve())
  }
  const core: DesktopCore = {
    hosts: (listener) => said.hosts.listen(listener),
    points: (listener) => said.points.listen(listener),
    jobs: (listener) => said.jobs.listen(listener),
    live: (listener) => said.live.listen(listener),
    notices: (listener) => said.notices.listen(listener),
    choices: (listener) => said.choices.listen(listener),
    policies: (listener) => said.policies.listen(listener),
    ...errands
  }
  return { core, data, ...said, ...errands }
}
