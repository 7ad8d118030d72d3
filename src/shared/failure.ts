import type { JobKind } from './model/job.ts'

/** Why something that was asked for did not happen. The operator's words for each are in `failure-words.ts`. */
export type Failure =
  | { readonly kind: 'usage'; readonly message: string }
  | {
      readonly kind: 'not-found'
      readonly what: 'host' | 'vm' | 'point' | 'job' | 'disk' | 'store' | 'policy'
      readonly name: string
      readonly where?: string
    }
  | {
      readonly kind: 'ambiguous'
      readonly what: 'vm' | 'point' | 'policy'
      readonly name: string
      readonly candidates: readonly string[]
    }
  | { readonly kind: 'host-unreachable'; readonly host: string; readonly reason: string }
  | {
      readonly kind: 'host-key-unknown'
      readonly host: string
      readonly address: string
      readonly keyType: string
      readonly fingerprint: string
    }
  | {
      readonly kind: 'host-key-changed'
      readonly host: string
      readonly address: string
      readonly keyType: string
      readonly fingerprint: string
      /** Where the key that was expected is written down: file and line. */
      readonly knownIn: string
    }
  | {
      readonly kind: 'host-key-revoked'
      readonly host: string
      readonly address: string
      readonly fingerprint: string
      readonly knownIn: string
    }
  | { readonly kind: 'auth-failed'; readonly host: string; readonly user: string; readonly tried: readonly string[] }
  | { readonly kind: 'identity-unusable'; readonly file: string; readonly reason: string }
  | { readonly kind: 'connection-lost'; readonly host: string; readonly during: string }
  | { readonly kind: 'login-shell'; readonly host: string; readonly reason: string }
  | {
      readonly kind: 'no-root'
      readonly host: string
      readonly user: string
      readonly sudoersLine: string
      /** sudo is there and starts nothing without a terminal (requiretty). */
      readonly wantsTerminal?: true
      /** doas is there, in place of sudo, and lacks this line. */
      readonly doasLine?: string
    }
  | {
      readonly kind: 'unsupported-host'
      readonly host: string
      readonly reason: string
      /** What mends it, where that is known. */
      readonly fix?: string
    }
  | { readonly kind: 'missing-tool'; readonly tool: string }
  | {
      readonly kind: 'command-failed'
      readonly command: string
      readonly exitCode: number | undefined
      readonly stderr: string
    }
  | { readonly kind: 'timeout'; readonly what: string; readonly afterMs: number }
  | {
      readonly kind: 'output-too-large'
      readonly what: string
      readonly limitBytes: number
      /** Whose engine answered at such length. */
      readonly host?: string
    }
  /** A host, file or image said something that does not parse. */
  | { readonly kind: 'bad-output'; readonly what: string; readonly detail: string }
  | { readonly kind: 'cancelled'; readonly what: string }
  | { readonly kind: 'vm-busy'; readonly vm: string; readonly by: string; readonly since: string }
  | { readonly kind: 'vm-state'; readonly vm: string; readonly state: string; readonly wanted: string }
  /** Snapshots, chains or jobs that are not ours stand in the way. */
  | { readonly kind: 'foreign-work'; readonly vm: string; readonly detail: string }
  /** A point without a disk would protect nothing. */
  | {
      readonly kind: 'no-disks'
      readonly vm: string
      readonly leftOut: readonly { readonly target: string; readonly because: string }[]
    }
  | {
      readonly kind: 'state-not-savable'
      readonly vm: string
      readonly devices: readonly string[]
      /** What libvirt or QEMU said, where the definition shows no such device. */
      readonly because?: string
    }
  | {
      readonly kind: 'no-room'
      readonly path: string
      readonly forWhat: string
      readonly neededBytes: number
      readonly freeBytes: number
      /** Of what is free, this is for other jobs of the host. */
      readonly claimedBytes?: number
      /** And this stays free for its guests. */
      readonly reserveBytes?: number
      /** Points there that the rules of their policy would let go: whoever needs the room may delete them. */
      readonly deletable?: readonly {
        readonly point: string
        readonly vm: string
        readonly takenAt: string
        readonly sizeBytes: number
      }[]
    }
  | { readonly kind: 'too-busy'; readonly vm: string; readonly budgetMs: number; readonly detail: string }
  | { readonly kind: 'point-damaged'; readonly point: string; readonly file: string; readonly detail: string }
  | { readonly kind: 'point-unsafe'; readonly point: string; readonly file: string; readonly detail: string }
  | { readonly kind: 'point-format'; readonly point: string; readonly detail: string }
  | { readonly kind: 'point-exists'; readonly point: string; readonly where: string }
  /** A restore, a check or a copy reads the point just now. */
  | { readonly kind: 'point-busy'; readonly point: string }
  /** Somebody else receives it there just now. */
  | { readonly kind: 'point-arriving'; readonly point: string; readonly by: string; readonly since: string }
  | {
      readonly kind: 'vm-exists'
      readonly name: string
      readonly uuid: string
      readonly host: string
      readonly because: 'name' | 'uuid'
    }
  | { readonly kind: 'preflight'; readonly problems: readonly { readonly text: string; readonly fix: string }[] }
  | { readonly kind: 'engine-version'; readonly host: string; readonly theirs: string; readonly ours: string }
  /** An engine or runtime for hosts is not the one that this installation came with. */
  | { readonly kind: 'installation-changed'; readonly path: string }
  | { readonly kind: 'io'; readonly path: string; readonly code: string; readonly detail: string }
  /** Another store lies at the place of the one that was there: not mounted, or swapped. */
  | { readonly kind: 'store-changed'; readonly store: string; readonly detail: string }
  /** Mail or webhook did not go through. */
  | { readonly kind: 'not-told'; readonly channel: 'mail' | 'webhook'; readonly detail: string; readonly fix: string }
  /** The engine died in the middle; recovery has put everything back, or says what is left. */
  | { readonly kind: 'interrupted'; readonly job: JobKind; readonly step: string; readonly leftover?: string }
  /** Something had to be left as it is, because nothing proves that it may go: its owner decides. */
  | {
      readonly kind: 'left-behind'
      readonly vm: string
      /** Why the job ended; undefined if it reached its purpose. */
      readonly after?: Failure
      readonly left: readonly {
        readonly path: string
        readonly because: string
        /** Shell lines that mend it, in their order. */
        readonly mend: readonly string[]
      }[]
    }
  | { readonly kind: 'bug'; readonly reference: string; readonly message: string }

export type FailureKind = Failure['kind']
export type FailureOf<K extends FailureKind> = Extract<Failure, { kind: K }>

/** The only error class of ours. What else is thrown is a bug. */
export class StillpointError extends Error {
  readonly failure: Failure

  constructor(failure: Failure, options?: ErrorOptions) {
    super(`${failure.kind}: ${JSON.stringify(failure)}`, options)
    this.name = 'StillpointError'
    this.failure = failure
  }
}

/** Throws the failure. Reads well behind `??`. */
export function fail(failure: Failure, cause?: unknown): never {
  throw new StillpointError(failure, cause === undefined ? undefined : { cause })
}

/** True if the error carries a failure, of one of the kinds if any are named. */
export function isFailure<K extends FailureKind>(
  error: unknown,
  ...kinds: K[]
): error is StillpointError & { failure: FailureOf<K> } {
  return error instanceof StillpointError && (kinds.length === 0 || (kinds as string[]).includes(error.failure.kind))
}

/** The failure an error stands for. Node's file errors become `io`, everything unknown becomes `bug`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof StillpointError) return error.failure
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)) {
    const path = 'path' in error && typeof error.path === 'string' ? error.path : ''
    return { kind: 'io', path, code: error.code, detail: error.message }
  }
  const reference = Math.random().toString(36).slice(2, 8)
  return { kind: 'bug', reference, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}
