import ssh2, { type BaseAgent, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2'
import { failureOf } from '../../../shared/failure.ts'
import { listAgentKeys, typeOfBlob } from './agent-keys.ts'
import { fingerprintOf } from './known-hosts.ts'
import { publicKeyOf, unlock, unusableType, type Identity, type IdentityProblem } from './identities.ts'

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
  /** Runs what an agent may ask a person about. */
  readonly whileAgentSigns: <T>(sign: () => Promise<T>) => Promise<T>
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
    const { agentSocket, whileAgentSigns } = this.#keys
    const { candidates: held, problems } =
      agentSocket === undefined ? { candidates: [], problems: [] } : await heldBy(agentSocket, whileAgentSigns)
    this.problems.push(...problems)
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

interface HeldKeys {
  readonly candidates: readonly Candidate[]
  readonly problems: readonly IdentityProblem[]
}

/** An agent that does not answer is none, and a problem to be told if nothing else lets us in. So is a key of its that ssh2 does not know. */
async function heldBy(socket: string, whileItSigns: LoginKeys['whileAgentSigns']): Promise<HeldKeys> {
  const agent = new ssh2.OpenSSHAgent(socket)
  const candidates: Candidate[] = []
  const problems: IdentityProblem[] = []
  try {
    for (const { blob, comment } of await listAgentKeys(socket)) {
      const publicKey = publicKeyOf(blob)
      if (publicKey === undefined) problems.push(unusableKey(typeOfBlob(blob), comment))
      else candidates.push(agentCandidate(agent, publicKey, comment, whileItSigns))
    }
  } catch (error) {
    const reason = `as an agent for keys it cannot be used: ${error instanceof Error ? error.message : String(error)}`
    problems.push({ kind: 'identity-unusable', file: socket, reason })
  }
  return { candidates, problems }
}

const unusableKey = (type: string, comment: string): IdentityProblem => ({
  kind: 'identity-unusable',
  file: `${comment === '' ? type : comment} of ssh-agent`,
  reason: unusableType(type) ?? `it is of the type ${type}, which Stillpoint does not know`
})

/** A person may be asked before it signs: by a password manager, or by `ssh-add -c`. */
const SIGNS_WITHIN_MS = 100_000

function agentCandidate(
  agent: InstanceType<typeof ssh2.OpenSSHAgent>,
  publicKey: ParsedKey,
  comment: string,
  whileItSigns: LoginKeys['whileAgentSigns']
): Candidate {
  const signed = (data: Buffer, options: SigningRequestOptions): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('ssh-agent did not sign in time')), SIGNS_WITHIN_MS).unref()
      agent.sign(publicKey, data, options, (error, signature) => {
        if (signature) resolve(signature)
        else reject(error ?? new Error('ssh-agent did not sign'))
      })
    })
  return {
    label: `${comment === '' ? publicKey.type : comment} of ssh-agent (${fingerprintOf(publicKey.getPublicSSH())})`,
    publicKey,
    sign: (data, options) => whileItSigns(() => signed(data, options))
  }
}
