import type { Failure, FailureOf } from '../../../shared/failure.ts'
import type { ProbeView, SshEntry } from '../../../shared/views/host-view.ts'
import type { LoginDraft } from './login-draft.ts'

/** A host key that a person has to judge. */
export type KeyFailure = FailureOf<'host-key-unknown' | 'host-key-changed'>

export const isKeyFailure = (failure: Failure): failure is KeyFailure =>
  failure.kind === 'host-key-unknown' || failure.kind === 'host-key-changed'

/** Where adding a host has come to. */
export type AddHostStep =
  | { readonly at: 'login' }
  | { readonly at: 'key'; readonly key: KeyFailure }
  | { readonly at: 'look'; readonly probe: ProbeView }
  | { readonly at: 'placing' }

/** The dialog that adds a host, while it is open. */
export interface AddHost {
  readonly draft: LoginDraft
  /** The name was typed: it no longer follows the address. */
  readonly hasOwnName: boolean
  /** Of `~/.ssh/config`. Undefined: not read yet. */
  readonly entries: readonly SshEntry[] | undefined
  readonly step: AddHostStep
  readonly isBusy: boolean
  /** Why the last thing that was asked for did not happen; shown where it was asked. */
  readonly failure: Failure | undefined
  /** The key that the person has compared. */
  readonly fingerprint: string | undefined
}
