import type { StateCreator } from 'zustand/vanilla'
import type * as z from 'zod'
import type { Bridge, ExternalLinkKey } from '../../shared/contract.ts'
import type { Failure } from '../../shared/failure.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { AddHostSlice } from '../features/hosts/add-host-slice.ts'
import { ask } from '../state/ask.ts'
import { routeOf, type RouteSlice } from '../state/route-slice.ts'

export type FrameDialog = 'shortcuts' | 'how-it-works'

export interface FrameSlice {
  readonly frameDialog: FrameDialog | undefined
  readonly openFrameDialog: (dialog: FrameDialog) => void
  readonly closeFrameDialog: () => void
  /** A notice that could not be acknowledged. */
  readonly inboxFailure: Failure | undefined
  /** Without an id: all notices. */
  readonly acknowledge: (id?: string) => void
  readonly answerFailure: Failure | undefined
  /** Without a text the person declined. */
  readonly answerQuestion: (id: string, text?: string) => void
  readonly openLink: (key: z.infer<typeof ExternalLinkKey>) => void
  /** Goes where the core says; once. */
  readonly followCore: () => void
}

/** To the page, and into the dialog that the desktop's menu asks for. */
function follow(to: GoTo, { go, openAddHost, openFrameDialog }: Followed): void {
  go(routeOf(to))
  if (to.screen === 'hosts' && to.adding === true) openAddHost()
  if (to.screen === 'overview' && to.firstSteps === true) openFrameDialog('how-it-works')
}
type Followed = Pick<FrameSlice & RouteSlice & AddHostSlice, 'go' | 'openAddHost' | 'openFrameDialog'>

/** Errands of what is round the pages. */
export const frameSlice =
  (core: Bridge): StateCreator<FrameSlice & RouteSlice & AddHostSlice, [], [], FrameSlice> =>
  (set, get) => ({
    frameDialog: undefined,
    openFrameDialog: (frameDialog) => set({ frameDialog }),
    closeFrameDialog: () => set({ frameDialog: undefined }),
    inboxFailure: undefined,
    acknowledge: (id) =>
      void ask(() => core.notices.acknowledge(id === undefined ? {} : { id })).then((answer) =>
        set({ inboxFailure: answer.ok ? undefined : answer.failure })
      ),
    answerFailure: undefined,
    answerQuestion: (id, text) =>
      void ask(() => core.questions.answer(text === undefined ? { id } : { id, text })).then((answer) =>
        set({ answerFailure: answer.ok ? undefined : answer.failure })
      ),
    openLink: (key) => void ask(() => core.app.openLink(key)),
    followCore: () => {
      let heard: string | undefined
      core.app.goTo((to) => {
        // A way that came back says again what it said before: that leads nowhere twice.
        const said = to && JSON.stringify(to)
        if (to !== undefined && said !== heard) follow(to, get())
        heard = said
      })
    }
  })
