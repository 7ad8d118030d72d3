import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Addresses that nobody has opened: whoever asks for more than these is not going to open them all. */
const MOST_ADDRESSES = 32

interface Address {
  readonly digest: Buffer
  readonly onUsed: () => void
}

/**
 * The keys of one launch, 256 bits each. One in an address is good once, for a key of the tab's own that stands in no
 * address, no file and no argument. Only digests are kept.
 */
export class Keys {
  private readonly addresses = new Set<Address>()
  private readonly tabs = new Set<Buffer>()

  /** For one more window. */
  forAddress(onUsed: () => void): string {
    const key = newKey()
    const [oldest] = this.addresses
    if (oldest !== undefined && this.addresses.size >= MOST_ADDRESSES) this.addresses.delete(oldest)
    this.addresses.add({ digest: digestOf(key), onUsed })
    return key
  }

  /** The tab's key, new for one from an address and the same for its own. Undefined: it has been used, or was never one. */
  forTab(shown: string): string | undefined {
    if (this.isTab(shown)) return shown
    const address = [...this.addresses].filter(({ digest }) => isSame(digest, shown))[0]
    if (address === undefined) return undefined
    this.addresses.delete(address)
    const key = newKey()
    this.tabs.add(digestOf(key))
    address.onUsed()
    return key
  }

  isTab(shown: string): boolean {
    return [...this.tabs].filter((digest) => isSame(digest, shown)).length > 0
  }
}

const newKey = (): string => randomBytes(32).toString('base64url')
const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()
/** Digests are of one length, and how far they agree tells nothing of the key. */
const isSame = (digest: Buffer, shown: string): boolean => timingSafeEqual(digest, digestOf(shown))
