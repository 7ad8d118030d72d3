import { fail } from '../../../shared/failure.ts'

/** Cuts a stream of bytes into lines of UTF-8, none longer than the limit. */
export class LineCutter {
  private static readonly utf8 = new TextDecoder('utf-8', { fatal: true })
  private readonly what: string
  private readonly limitBytes: number
  private held: Uint8Array[] = []
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
    this.heldBytes += bytes.byteLength
    if (this.heldBytes > this.limitBytes)
      fail({ kind: 'output-too-large', what: this.what, limitBytes: this.limitBytes })
    if (bytes.byteLength > 0) this.held.push(Uint8Array.from(bytes))
  }

  private take(): string {
    const bytes = Buffer.concat(this.held)
    this.held = []
    this.heldBytes = 0
    try {
      return LineCutter.utf8.decode(bytes)
    } catch (error) {
      return fail({ kind: 'bad-output', what: this.what, detail: 'not UTF-8' }, error)
    }
  }
}
