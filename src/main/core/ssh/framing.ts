/** What the marker line on stdout says about the program that is about to run. */
export interface Started {
  readonly session: string
  readonly found: boolean
}

/** More than this before the marker is no banner any more. */
export const MAX_NOISE_BYTES = 256 * 1024

const FIRST_BYTES = 1024

/** Becomes a `login-shell` failure where the host's name is known. */
export class TooNoisy extends Error {}

type Taker = (chunk: Buffer) => void | Promise<void>

/**
 * Drops what a login prints (banners, .bashrc, sudo's lecture) up to and with the marker line, and passes on what
 * follows. `noise` is what was dropped so far: the explanation, if the marker never comes.
 */
export class Frame {
  /** What has come, and room for more: in however small packets it comes, it is copied twice at most. */
  #head = Buffer.alloc(0)
  #headBytes = 0
  /** Where the marker is; before that, from where on it may begin. */
  #from = 0
  #isThere = false
  #open = false
  readonly #marker: string
  readonly #next: Taker
  readonly #onMarker: (rest: string) => void

  constructor(marker: string, next: Taker, onMarker: (rest: string) => void = () => undefined) {
    this.#marker = `\n${marker}` // at the start of a line: not where a shell that traces prints the command
    this.#next = next
    this.#onMarker = onMarker
  }

  get noise(): string {
    return this.#head.toString('utf8', 0, this.#headBytes)
  }

  readonly take: Taker = (chunk) => {
    if (this.#open) return this.#next(chunk)
    const end = this.#endOfMarkerIn(chunk)
    if (end >= 0) return this.#begin(this.#from, end)
    if (this.#headBytes > MAX_NOISE_BYTES) throw new TooNoisy()
  }

  /** Nothing is looked at twice but what may be the beginning of the marker. */
  #endOfMarkerIn(chunk: Buffer): number {
    const before = this.#headBytes
    this.#hold(chunk)
    const held = this.#head.subarray(0, this.#headBytes)
    if (this.#isThere) return held.indexOf('\n', before)
    const at = held.indexOf(this.#marker, this.#from)
    this.#isThere = at >= 0
    this.#from = this.#isThere ? at : Math.max(0, held.length - this.#marker.length + 1)
    return this.#isThere ? held.indexOf('\n', at + this.#marker.length) : -1
  }

  #hold(chunk: Buffer): void {
    const neededBytes = this.#headBytes + chunk.length
    if (neededBytes > this.#head.length) {
      const larger = Buffer.allocUnsafe(Math.max(neededBytes, FIRST_BYTES, 2 * this.#head.length))
      this.#head.copy(larger, 0, 0, this.#headBytes)
      this.#head = larger
    }
    chunk.copy(this.#head, this.#headBytes)
    this.#headBytes = neededBytes
  }

  #begin(at: number, end: number): void | Promise<void> {
    const rest = this.#head.toString('latin1', at + this.#marker.length, end).trim()
    const content = this.#head.subarray(end + 1, this.#headBytes)
    this.#head = Buffer.from(this.#head.subarray(0, at))
    this.#headBytes = at
    this.#open = true
    this.#onMarker(rest)
    if (content.length > 0) return this.#next(content)
  }
}

/** The rest of the marker line on stdout: process, session, `found` or `missing`. */
export function parseStarted(rest: string): Started {
  const [, session = '', found] = rest.split(' ')
  return { session, found: found === 'found' }
}
