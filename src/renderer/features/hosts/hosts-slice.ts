import type { StateCreator } from 'zustand/vanilla'
import type { Bridge, HostCard } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import { ask } from '../../state/ask.ts'

/** What is known of the list. After a failure the last good list stays. */
export interface HostsKnown {
  readonly cards: readonly HostCard[] | undefined
  readonly failure: Failure | undefined
  readonly asking: boolean
}

export interface HostsSlice {
  readonly hosts: HostsKnown
  /** Hears of changes first and asks then, so that no change falls between. */
  readonly openHosts: () => void
  readonly askForHosts: () => Promise<void>
}

export const hostsSlice =
  (core: Bridge): StateCreator<HostsSlice> =>
  (set, get) => {
    // A list that was pushed while a question was under way is newer than the answer.
    let pushes = 0
    const know = (known: Partial<HostsKnown>): void => set({ hosts: { ...get().hosts, ...known } })
    const askForHosts = async (): Promise<void> => {
      const before = pushes
      know({ asking: true })
      const answer = await ask(() => core.hosts.list())
      if (pushes !== before) know({ asking: false })
      else if (answer.ok) know({ asking: false, cards: answer.value, failure: undefined })
      else know({ asking: false, failure: answer.failure })
    }
    const heard = (cards: readonly HostCard[]): void => {
      pushes += 1
      know({ cards, failure: undefined })
    }
    return {
      hosts: { cards: undefined, failure: undefined, asking: false },
      askForHosts,
      openHosts: () => {
        core.hosts.changed(heard)
        void askForHosts()
      }
    }
  }
