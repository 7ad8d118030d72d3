import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Leftover } from '../../../shared/engine-protocol.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { Result } from '../../../shared/result.ts'
import { ask } from '../../state/ask.ts'
import type { KeyFailure } from './add-host.ts'

/** The one dialog about a host that is open. */
export type HostDialog = {
  readonly host: string
  readonly isBusy: boolean
  readonly failure: Failure | undefined
} & (
  | { readonly kind: 'doctor'; readonly findings: readonly Leftover[] | undefined }
  | { readonly kind: 'remove'; readonly removed: readonly string[] | undefined }
  /** As it was when the dialog opened: what a person judges does not change under their eyes. */
  | { readonly kind: 'key'; readonly key: KeyFailure }
)

export interface HostsSlice {
  readonly hostDialog: HostDialog | undefined
  readonly isRefreshing: boolean
  readonly refreshFailure: Failure | undefined
  /** Without a name: all of them. */
  readonly refreshHosts: (name?: string) => void
  /** Opens the dialog and looks for leftovers. */
  readonly openDoctor: (host: string) => void
  readonly askDoctor: (repair: boolean) => void
  readonly openRemoveHost: (host: string) => void
  readonly removeHost: (clean: boolean) => void
  readonly openHostKey: (host: string, key: KeyFailure) => void
  readonly acceptHostKey: (fingerprint: string) => void
  readonly closeHostDialog: () => void
}

/** Errands to hosts that are known. */
export const hostsSlice =
  (core: Bridge): StateCreator<HostsSlice> =>
  (set, get) => {
    let errand = 0
    /** Asks for the open dialog; what is answered after it was closed is dropped. */
    const run = async <T>(question: (host: string) => Promise<Result<T>>, then: (value: T) => void): Promise<void> => {
      const { hostDialog } = get()
      if (hostDialog === undefined) return
      const mine = ++errand
      set({ hostDialog: { ...hostDialog, isBusy: true, failure: undefined } })
      const answer = await ask(() => question(hostDialog.host))
      if (mine !== errand) return
      if (answer.ok) then(answer.value)
      else set({ hostDialog: { ...hostDialog, isBusy: false, failure: answer.failure } })
    }
    const close = (): void => {
      errand++
      set({ hostDialog: undefined })
    }
    const fresh = (host: string) => ({ host, isBusy: false, failure: undefined })
    return {
      hostDialog: undefined,
      isRefreshing: false,
      refreshFailure: undefined,
      refreshHosts: (name) => {
        set({ isRefreshing: true, refreshFailure: undefined })
        void ask(() => core.hosts.refresh(name === undefined ? {} : { name })).then((answer) =>
          set({ isRefreshing: false, refreshFailure: answer.ok ? undefined : answer.failure })
        )
      },
      openDoctor: (host) => {
        set({ hostDialog: { ...fresh(host), kind: 'doctor', findings: undefined } })
        get().askDoctor(false)
      },
      askDoctor: (repair) =>
        void run(
          (name) => core.hosts.doctor({ name, repair }),
          (findings) => {
            const { hostDialog } = get()
            if (hostDialog !== undefined) set({ hostDialog: { ...fresh(hostDialog.host), kind: 'doctor', findings } })
          }
        ),
      openRemoveHost: (host) => set({ hostDialog: { ...fresh(host), kind: 'remove', removed: undefined } }),
      removeHost: (clean) =>
        void run(
          (name) => core.hosts.remove({ name, clean }),
          (removed) => {
            const { hostDialog } = get()
            if (!clean || hostDialog === undefined) close()
            else set({ hostDialog: { ...fresh(hostDialog.host), kind: 'remove', removed } })
          }
        ),
      openHostKey: (host, key) => set({ hostDialog: { ...fresh(host), kind: 'key', key } }),
      acceptHostKey: (fingerprint) => void run((name) => core.hosts.acceptKey({ name, fingerprint }), close),
      closeHostDialog: close
    }
  }
