import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import { alarmsOf, type VmSafety } from '../../../shared/safety.ts'
import type { Choices, ChoicesChange, KnownKey } from '../../../shared/views/settings-view.ts'
import { ask } from '../../state/ask.ts'
import type { MirrorSlice } from '../../state/mirror-slice.ts'

export type Save = { readonly state: 'saving' | 'saved' } | { readonly state: 'failed'; readonly failure: Failure }
/** What was asked for, and its answer so far. */
export type Fetched<T> =
  | { readonly state: 'asking' }
  | { readonly state: 'here'; readonly value: T }
  | { readonly state: 'failed'; readonly failure: Failure }
export interface Diagnostics {
  readonly fileName: string
  readonly text: string
}

export interface SettingsSlice {
  /** By choice: how its last change went. Only the newest one is still called saved. */
  readonly saves: Readonly<Partial<Record<keyof Choices, Save>>>
  /** Saves at once. False: it was not saved, and `saves` says why. */
  readonly changeSettings: (change: ChoicesChange) => Promise<boolean>
  readonly muteVm: (vm: VmOnHost & { readonly name: string }, reason: string) => Promise<boolean>
  readonly unmuteVm: (vm: VmOnHost) => Promise<boolean>
  /** What is wrong with them now is known: quiet until something new is. */
  readonly acknowledgeVms: (vms: readonly VmSafety[]) => Promise<boolean>
  readonly unacknowledgeVm: (vm: VmOnHost) => Promise<boolean>
  readonly knownKeys: Fetched<readonly KnownKey[]> | undefined
  readonly loadKeys: () => Promise<void>
  readonly forgetting: Save | undefined
  readonly forgetKey: (key: KnownKey) => Promise<boolean>
  readonly diagnostics: Fetched<Diagnostics> | undefined
  readonly makeDiagnostics: () => Promise<void>
  readonly dropDiagnostics: () => void
}

/** Without a host: of whichever has it. */
interface VmOnHost {
  readonly host?: string | undefined
  readonly uuid: string
}

const isOf = (choice: VmOnHost, { host, uuid }: VmOnHost): boolean =>
  choice.uuid === uuid && (choice.host ?? host) === host

type Needs = SettingsSlice & MirrorSlice

/** Errands of the settings. */
export const settingsSlice =
  (core: Bridge): StateCreator<Needs, [], [], SettingsSlice> =>
  (set, get) => {
    const put = (keys: readonly (keyof Choices)[], save: Save): void => {
      const open = Object.entries(get().saves).filter(([, { state }]) => state !== 'saved')
      set({ saves: { ...Object.fromEntries(open), ...Object.fromEntries(keys.map((key) => [key, save])) } })
    }
    return {
      saves: {},
      changeSettings: async (change) => {
        const keys = Object.keys(change) as (keyof Choices)[]
        put(keys, { state: 'saving' })
        const answer = await ask(() => core.settings.change(change))
        put(keys, answer.ok ? { state: 'saved' } : { state: 'failed', failure: answer.failure })
        return answer.ok
      },
      muteVm: ({ host, uuid, name }, reason) => {
        const others = (get().choices?.muted ?? []).filter((muted) => !isOf(muted, { host, uuid }))
        return get().changeSettings({
          muted: [...others, { ...(host !== undefined && { host }), uuid, name, reason, at: new Date().toISOString() }]
        })
      },
      unmuteVm: (vm) =>
        get().changeSettings({ muted: (get().choices?.muted ?? []).filter((muted) => !isOf(muted, vm)) }),
      acknowledgeVms: (vms) => {
        const at = new Date().toISOString()
        const now = vms.flatMap((vm) => alarmsOf(vm).map((what) => ({ host: vm.host, uuid: vm.uuid, what, at })))
        return get().changeSettings({ acknowledged: [...acknowledgedBut(get(), vms), ...now] })
      },
      unacknowledgeVm: (vm) => get().changeSettings({ acknowledged: acknowledgedBut(get(), [vm]) }),
      knownKeys: undefined,
      loadKeys: async () => {
        if (get().knownKeys?.state !== 'here') set({ knownKeys: { state: 'asking' } })
        const answer = await ask(() => core.settings.knownKeys())
        set({
          knownKeys: answer.ok ? { state: 'here', value: answer.value } : { state: 'failed', failure: answer.failure }
        })
      },
      forgetting: undefined,
      forgetKey: async ({ line, fingerprint }) => {
        set({ forgetting: { state: 'saving' } })
        const answer = await ask(() => core.settings.forgetKey({ line, fingerprint }))
        set({ forgetting: answer.ok ? undefined : { state: 'failed', failure: answer.failure } })
        if (answer.ok) await get().loadKeys()
        return answer.ok
      },
      diagnostics: undefined,
      makeDiagnostics: async () => {
        set({ diagnostics: { state: 'asking' } })
        const answer = await ask(() => core.settings.diagnostics())
        set({
          diagnostics: answer.ok ? { state: 'here', value: answer.value } : { state: 'failed', failure: answer.failure }
        })
      },
      dropDiagnostics: () => set({ diagnostics: undefined })
    }
  }

const acknowledgedBut = (
  { choices }: Pick<MirrorSlice, 'choices'>,
  vms: readonly VmOnHost[]
): Choices['acknowledged'] => (choices?.acknowledged ?? []).filter((known) => !vms.some((vm) => isOf(known, vm)))
