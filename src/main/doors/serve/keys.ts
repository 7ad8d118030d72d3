import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { MAC_OF, type TabProof } from '../../../shared/frames.ts'

/** Addresses that nobody has opened: whoever asks for more than these is not going to open them all. */
const MOST_ADDRESSES = 32
/** Challenges of one key that wait for their proof: a browser that wakes up has a few tabs of one key. */
const MOST_CHALLENGES = 32

interface Known {
  readonly key: string
  readonly challenges: Set<string>
}

interface Address extends Known {
  readonly onUsed: () => void
}

/**
 * The keys of one launch, 256 bits each. None is ever sent: one in an address reaches the tab by its fragment, and the tab's
 * own is reckoned on both sides of that one and of the nonce of the tab's first proof.
 *
 * The key of an address is good for one tab. It is the proof of a window that uses it up, not a question for a challenge: so
 * a lost answer or a reload costs nothing. Who may race for it:
 * - Tabs with the same address may all have a challenge. Proofs are looked at one after another, and the first good one takes
 *   the address away; the second finds neither the address nor, its nonce being another, a key of its own. Exactly one wins.
 * - The winner may be reloaded before it hears so. It kept its nonce, so it reckons the same key, which is known by then.
 * - Whoever finds the address later knows its key and not the nonce, which was sent once, to this process.
 * - A challenge is good for one proof, right or wrong: what was overheard cannot be said again.
 */
export class Keys {
  /** By name, as `tabs`. */
  private readonly addresses = new Map<string, Address>()
  private readonly tabs = new Map<string, Known>()

  /** For one more window. */
  forAddress(onUsed: () => void): string {
    const key = newKey()
    const [oldest] = this.addresses.keys()
    if (oldest !== undefined && this.addresses.size >= MOST_ADDRESSES) this.addresses.delete(oldest)
    this.addresses.set(macOf(key, MAC_OF.name), { key, challenges: new Set(), onUsed })
    return key
  }

  /** For whoever names a key that is good. Undefined: it has been used, or was never one. */
  challenge(name: string): string | undefined {
    const challenges = (this.tabs.get(name) ?? this.addresses.get(name))?.challenges
    if (challenges === undefined) return undefined
    const [oldest] = challenges
    if (oldest !== undefined && challenges.size >= MOST_CHALLENGES) challenges.delete(oldest)
    const challenge = newKey()
    challenges.add(challenge)
    return challenge
  }

  /** What the door proves in return. Undefined: the tab has not proved its key. */
  proofFor({ name, challenge, nonce, mac }: TabProof): string | undefined {
    const address = this.addresses.get(name)
    const known = this.tabs.get(name) ?? address
    if (known?.challenges.delete(challenge) !== true) return undefined
    const key = address === undefined ? known.key : macOf(address.key, MAC_OF.tabKey(nonce))
    if (!isSame(mac, macOf(key, MAC_OF.byTab(challenge, nonce)))) return undefined
    if (address !== undefined) {
      this.addresses.delete(name)
      this.tabs.set(macOf(key, MAC_OF.name), { key, challenges: new Set() })
      address.onUsed()
    }
    return macOf(key, MAC_OF.byDoor(challenge, nonce))
  }
}

const newKey = (): string => randomBytes(32).toString('base64url')
const macOf = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('base64url')
/** Both are of one length, which is no secret. */
const isSame = (shown: string, right: string): boolean =>
  shown.length === right.length && timingSafeEqual(Buffer.from(shown), Buffer.from(right))
