import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { Result } from '../../../shared/result.ts'
import { ask } from '../../state/ask.ts'
import type { MirrorSlice } from '../../state/mirror-slice.ts'
import type { RouteSlice } from '../../state/route-slice.ts'
import { isKeyFailure, type AddHost } from './add-host.ts'
import { forgetOurKey } from './forget-our-key.ts'
import { EMPTY_DRAFT, loginOf, spreadAddress, suggestName, type LoginDraft } from './login-draft.ts'

export interface AddHostSlice {
  /** Undefined: the dialog is closed. */
  readonly addHost: AddHost | undefined
  readonly openAddHost: (prefill?: Partial<LoginDraft>) => void
  readonly closeAddHost: () => void
  readonly editLogin: (change: Partial<LoginDraft>) => void
  readonly backToLogin: () => void
  /** Connects and looks. */
  readonly probeHost: () => void
  /** The person has compared this key: it is the right one. */
  readonly vouchForKey: (fingerprint: string) => void
  /** The same, where another key was expected: that one is forgotten. */
  readonly acceptNewKey: (fingerprint: string, knownIn: string) => void
  readonly placeHost: () => void
}

type Needs = AddHostSlice & MirrorSlice & RouteSlice

const begun = (prefill: Partial<LoginDraft>): AddHost => ({
  draft: { ...EMPTY_DRAFT, name: suggestName(prefill.address ?? ''), ...prefill },
  hasOwnName: prefill.name !== undefined,
  entries: undefined,
  step: { at: 'login' },
  isBusy: false,
  failure: undefined,
  fingerprint: undefined
})

/** Adds a host, question by question. Answers to what is no longer asked are dropped. */
export const addHostSlice =
  (core: Bridge): StateCreator<Needs, [], [], AddHostSlice> =>
  (set, get) => {
    let errand = 0
    const change = (part: Partial<AddHost>): void => {
      const { addHost } = get()
      if (addHost !== undefined) set({ addHost: { ...addHost, ...part } })
    }
    const failed = (failure: Failure): void =>
      change(
        isKeyFailure(failure)
          ? { isBusy: false, failure: undefined, step: { at: 'key', key: failure } }
          : { isBusy: false, failure }
      )
    /** Asks, and hears the answer only if nothing else was begun meanwhile. */
    const run = async <T>(question: () => Promise<Result<T>>, then: (value: T) => void): Promise<void> => {
      const mine = ++errand
      change({ isBusy: true, failure: undefined })
      const answer = await ask(question)
      if (mine !== errand) return
      if (answer.ok) then(answer.value)
      else failed(answer.failure)
    }
    const probe = (): void => {
      const { addHost } = get()
      if (addHost === undefined) return
      const login = loginOf(addHost.draft, addHost.fingerprint)
      change({ draft: spreadAddress(addHost.draft) })
      void run(
        () => core.hosts.probe(login),
        (found) => change({ isBusy: false, step: { at: 'look', probe: found } })
      )
    }
    const finish = (): void => {
      const name = get().addHost?.draft.name
      set({ addHost: undefined })
      if (name !== undefined) get().go({ screen: 'hosts', host: name })
    }
    return {
      addHost: undefined,
      openAddHost: (prefill = {}) => {
        errand++
        set({ addHost: begun(prefill) })
        void ask(() => core.hosts.sshEntries()).then((answer) => change({ entries: answer.ok ? answer.value : [] }))
      },
      closeAddHost: () => {
        errand++
        set({ addHost: undefined })
      },
      editLogin: (edit) => {
        const { addHost } = get()
        if (addHost === undefined) return
        const hasOwnName = addHost.hasOwnName || edit.name !== undefined
        const draft = { ...addHost.draft, ...edit }
        const name = hasOwnName ? draft.name : suggestName(draft.address)
        const isOther = edit.address !== undefined || edit.port !== undefined
        change({ draft: { ...draft, name }, hasOwnName, ...(isOther && { fingerprint: undefined }) })
      },
      backToLogin: () => {
        errand++
        change({ step: { at: 'login' }, isBusy: false, failure: undefined })
      },
      probeHost: probe,
      vouchForKey: (fingerprint) => {
        change({ fingerprint })
        probe()
      },
      acceptNewKey: (fingerprint, knownIn) => {
        const name = get().addHost?.draft.name ?? ''
        change({ fingerprint })
        const isKnown = get().hosts?.some((host) => host.name === name) === true
        if (isKnown) void run(() => core.hosts.acceptKey({ name, fingerprint }), finish)
        else void run(() => forgetOurKey(core, knownIn), probe)
      },
      placeHost: () => {
        const { addHost } = get()
        if (addHost === undefined) return
        change({ step: { at: 'placing' } })
        void run(() => core.hosts.add(loginOf(addHost.draft, addHost.fingerprint)), finish)
      }
    }
  }
