import { fail } from '../../../shared/failure.ts'

const FIRST_BYTES = 4096
/** A line this long is rare: what held it is given back. */
const KEPT_BYTES = 256 << 10

/**
 * Cuts a stream of bytes into lines of UTF-8, none longer than the limit. What has come of a line is held in one piece,
 * twice as large as it is at most and never larger than the limit, in however small packets it came.
 */
export class LineCutter {
  private static readonly utf8 = new TextDecoder('utf-8', { fatal: true })
  private readonly what: string
  private readonly limitBytes: number
  private held = Buffer.alloc(0)
  private heldBytes = 0

  constructor(what: string, limitBytes: number) {
    this.what = what
    this.limitBytes = limitBytes
  }

  /** The lines that this chunk completes, without those that are empty. @throws `output-too-large`, `bad-output` */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = []
    let rest = chunk
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      if (end > 0 || this.heldBytes > 0) {
        this.hold(rest.subarray(0, end))
        lines.push(this.take())
      }
      rest = rest.subarray(end + 1)
    }
    this.hold(rest)
    return lines
  }

  /** What came behind the last line end. */
  get unfinishedBytes(): number {
    return this.heldBytes
  }

  private hold(bytes: Uint8Array): void {
    const neededBytes = this.heldBytes + bytes.byteLength
    if (neededBytes > this.limitBytes) {
      this.letGo()
      fail({ kind: 'output-too-large', what: this.what, limitBytes: this.limitBytes })
    }
    if (neededBytes > this.held.length) this.grow(neededBytes)
    this.held.set(bytes, this.heldBytes)
    this.heldBytes = neededBytes
  }

  private grow(neededBytes: number): void {
    const larger = Buffer.allocUnsafeSlow(
      Math.max(neededBytes, Math.min(this.limitBytes, Math.max(FIRST_BYTES, this.held.length * 2)))
    )
    this.held.copy(larger, 0, 0, this.heldBytes)
    this.held = larger
  }

  private take(): string {
    const bytes = this.held.subarray(0, this.heldBytes)
    if (this.held.length > KEPT_BYTES) this.letGo()
    this.heldBytes = 0
    try {
      return LineCutter.utf8.decode(bytes)
    } catch (error) {
      return fail({ kind: 'bad-output', what: this.what, detail: 'not UTF-8' }, error)
    }
  }

  private letGo(): void {
    this.held = Buffer.alloc(0)
    this.heldBytes = 0
  }
}

/** Of a line that is as long as it may be. No engine says as much in one: it is what takes time, and long texts do not. */
const MOST_VALUES = 30_000

/** What the line says. Undefined: it is no JSON, or in so many pieces that nobody waits for them. */
export function parseLine(text: string): unknown {
  if (hasMoreValues(text, MOST_VALUES)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Each stands for a value, or two: `,`, `:`, `[` and `{`. */
const BEFORE_VALUES: ReadonlySet<number> = new Set([0x2c, 0x3a, 0x5b, 0x7b])

function hasMoreValues(text: string, most: number): boolean {
  let values = 0
  let isText = false
  for (let at = 0; at < text.length && values <= most; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) isText = !isText
    else if (isText && code === BACKSLASH) at += 1
    else if (!isText && BEFORE_VALUES.has(code)) values += 1
  }
  return values > most
}
