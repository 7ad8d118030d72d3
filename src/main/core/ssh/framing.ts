/** What the marker line on stdout says about the program that is about to run. */
export interface Started {
  readonly session: string
  readonly found: boolean
}

/** More than this before the marker is no banner any more. */
export const MAX_NOISE_BYTES = 256 * 1024

/** Becomes a `login-shell` failure where the host's name is known. */
export class TooNoisy extends Error {}

type Taker = (chunk: Buffer) => void | Promise<void>

/**
 * Drops what a login prints (banners, .bashrc, sudo's lecture) up to and with the marker line, and passes on what
 * follows. `noise` is what was dropped so far: the explanation, if the marker never comes.
 */
export class Frame {
  #head = Buffer.alloc(0)
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
    return this.#head.toString('utf8')
  }

  readonly take: Taker = (chunk) => {
    if (this.#open) return this.#next(chunk)
    this.#head = Buffer.concat([this.#head, chunk])
    const at = this.#head.indexOf(this.#marker)
    const end = at < 0 ? -1 : this.#head.indexOf('\n', at + this.#marker.length)
    if (end >= 0) return this.#begin(at, end)
    if (this.#head.length > MAX_NOISE_BYTES) throw new TooNoisy()
  }

  #begin(at: number, end: number): void | Promise<void> {
    const rest = this.#head.toString('latin1', at + this.#marker.length, end).trim()
    const content = this.#head.subarray(end + 1)
    this.#head = this.#head.subarray(0, at)
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
