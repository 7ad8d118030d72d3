import ssh2, { type BaseAgent, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2'
import { failureOf } from '../../../shared/failure.ts'
import { fingerprintOf } from './known-hosts.ts'
import { unlock, type Identity, type IdentityProblem } from './identities.ts'

type IdentityCallback = Parameters<BaseAgent<ParsedKey>['getIdentities']>[0]

interface Candidate {
  /** How it is called in "tried". */
  readonly label: string
  readonly publicKey: ParsedKey
  sign(data: Buffer, options: SigningRequestOptions): Promise<Buffer>
}

export interface LoginKeys {
  /** Given by the operator for this host: tried first. */
  readonly given: readonly Identity[]
  /** From `~/.ssh/config`, or the usual ones. */
  readonly others: readonly Identity[]
  readonly agentSocket: string | undefined
  /** No keys of the agent but those that the files name. */
  readonly identitiesOnly: boolean
  askPassphrase(file: string): Promise<string | undefined>
}

/**
 * All keys that may let us in, as one agent for ssh2: the host is shown public keys only, and the passphrase of a file
 * is asked for when, and only when, the host has said that it takes that key.
 */
export class LoginAgent extends ssh2.BaseAgent<ParsedKey> {
  /** What the host was offered, in words. */
  readonly tried: string[] = []
  /** Why identities dropped out on the way. */
  readonly problems: IdentityProblem[] = []
  readonly #keys: LoginKeys
  #candidates: readonly Candidate[] = []

  constructor(keys: LoginKeys) {
    super()
    this.#keys = keys
  }

  override getIdentities(callback: IdentityCallback): void {
    this.#collect().then(
      (candidates) => {
        this.#candidates = candidates
        this.tried.push(...candidates.map(({ label }) => label))
        callback(
          undefined,
          candidates.map(({ publicKey }) => publicKey)
        )
      },
      (error: unknown) => callback(error as Error)
    )
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback
  ): void {
    const [given, done] = typeof options === 'function' ? [{}, options] : [options, callback]
    const candidate = this.#candidates.find(({ publicKey }) => sameKey(publicKey, key))
    const signature = candidate?.sign(data, given) ?? Promise.reject(new Error('no such key'))
    signature.then(
      (signed) => done?.(undefined, signed),
      (error: unknown) => done?.(error as Error)
    )
  }

  async #collect(): Promise<Candidate[]> {
    const held = this.#keys.agentSocket === undefined ? [] : await agentCandidates(this.#keys.agentSocket)
    const given = await this.#fromFiles(this.#keys.given, held)
    const others = await this.#fromFiles(this.#keys.others, held)
    const fromAgent = this.#keys.identitiesOnly ? [] : held
    const inAgent = others.filter((candidate) => held.includes(candidate))
    return unique([...given, ...inAgent, ...fromAgent, ...others])
  }

  /** A key that the agent holds is used through it: no passphrase, and keys that the file does not have. */
  async #fromFiles(identities: readonly Identity[], held: readonly Candidate[]): Promise<Candidate[]> {
    const candidates = identities.map(async (identity) => {
      const publicKey = identity.publicKey ?? (await this.#open(identity))
      if (publicKey === undefined) return []
      const inAgent = held.find((candidate) => sameKey(candidate.publicKey, publicKey))
      return inAgent ? [inAgent] : this.#fromFile(identity, publicKey)
    })
    return (await Promise.all(candidates)).flat()
  }

  #fromFile(identity: Identity, publicKey: ParsedKey): Candidate[] {
    if (identity.privateKey === undefined) return []
    const sign = async (data: Buffer, options: SigningRequestOptions): Promise<Buffer> => {
      const key = await this.#open(identity)
      const signature: unknown = key?.sign(data, options.hash)
      if (!Buffer.isBuffer(signature)) throw signature instanceof Error ? signature : new Error('the key is locked')
      return signature
    }
    return [{ label: identity.file, publicKey, sign }]
  }

  /** The key unlocked, or the reason among the problems. */
  async #open({ file, privateKey }: Identity): Promise<ParsedKey | undefined> {
    if (privateKey === undefined) return undefined
    try {
      const key = await unlock(file, privateKey, (asked) => this.#keys.askPassphrase(asked))
      if (!key)
        this.problems.push({ kind: 'identity-unusable', file, reason: 'it is encrypted, and no passphrase was given' })
      return key
    } catch (error) {
      const failure = failureOf(error)
      if (failure.kind !== 'identity-unusable') throw error
      this.problems.push(failure)
      return undefined
    }
  }
}

const sameKey = (a: ParsedKey, b: ParsedKey): boolean => a.getPublicSSH().equals(b.getPublicSSH())

const unique = (candidates: readonly Candidate[]): Candidate[] =>
  candidates.filter((one, index) => candidates.findIndex((other) => sameKey(one.publicKey, other.publicKey)) === index)

/** An agent that does not answer is none. */
function agentCandidates(socket: string): Promise<Candidate[]> {
  const agent = new ssh2.OpenSSHAgent(socket)
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => {
      resolve(error ? [] : (keys ?? []).map((key) => agentCandidate(agent, key as unknown as ParsedKey)))
    })
  })
}

function agentCandidate(agent: InstanceType<typeof ssh2.OpenSSHAgent>, publicKey: ParsedKey): Candidate {
  const name = publicKey.comment === '' ? publicKey.type : publicKey.comment
  return {
    label: `${name} of ssh-agent (${fingerprintOf(publicKey.getPublicSSH())})`,
    publicKey,
    sign: (data, options) =>
      new Promise((resolve, reject) => {
        agent.sign(publicKey, data, options, (error, signature) => {
          if (signature) resolve(signature)
          else reject(error ?? new Error('ssh-agent did not sign'))
        })
      })
  }
}
