import { connect } from 'node:net'

/** A public key that an agent holds. */
export interface AgentKey {
  readonly blob: Buffer
  readonly comment: string
}

const REQUEST_IDENTITIES = 11
const IDENTITIES_ANSWER = 12
/** OpenSSH's own limit. */
const LONGEST_ANSWER = 256 * 1024
const ANSWERS_WITHIN_MS = 8_000

/**
 * All keys that an agent lists, also of types that ssh2 does not know: they are the reason that `ssh` gets in and we do not.
 *
 * @throws Error with a reason in words if the agent cannot be asked
 */
export function listAgentKeys(socketPath: string, timeoutMs = ANSWERS_WITHIN_MS): Promise<AgentKey[]> {
  const { promise, resolve, reject } = Promise.withResolvers<AgentKey[]>()
  const socket = connect(socketPath)
  const timer = setTimeout(() => reject(new Error(`it did not answer within ${timeoutMs / 1000} s`)), timeoutMs)
  let received = Buffer.alloc(0)
  socket
    .on('connect', () => socket.write(Buffer.from([0, 0, 0, 1, REQUEST_IDENTITIES])))
    .on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4) return
      const length = received.readUInt32BE(0)
      if (length > LONGEST_ANSWER) reject(new Error('it does not speak the protocol of an agent'))
      else if (received.length >= 4 + length) resolve(keysIn(received.subarray(4, 4 + length)))
    })
    .on('error', (error: NodeJS.ErrnoException) => reject(new Error(reasonOf(error))))
    .on('close', () => reject(new Error('it hung up')))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody answers there',
  ECONNRESET: 'it hung up',
  EPIPE: 'it hung up'
}
const reasonOf = ({ code, message }: NodeJS.ErrnoException): string => REASONS[code ?? ''] ?? code ?? message

/** `byte 12, uint32 count, (string key, string comment)*`. An agent that is locked may list nothing, or refuse: both are none. */
function keysIn(answer: Buffer): AgentKey[] {
  if (answer[0] !== IDENTITIES_ANSWER) return []
  const keys: AgentKey[] = []
  let at = 5
  const string = (): Buffer => {
    const end = at + 4 + answer.readUInt32BE(at)
    if (end > answer.length) throw new RangeError('cut short')
    const found = answer.subarray(at + 4, end)
    at = end
    return found
  }
  try {
    for (let left = answer.readUInt32BE(1); left > 0; left--)
      keys.push({ blob: string(), comment: string().toString() })
  } catch {
    return keys // what came before is whole
  }
  return keys
}

/** `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, … */
export function typeOfBlob(blob: Buffer): string {
  if (blob.length < 4) return ''
  return blob.toString('latin1', 4, Math.min(blob.length, 4 + blob.readUInt32BE(0), 104))
}
