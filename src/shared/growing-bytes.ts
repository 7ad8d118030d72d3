const FIRST_BYTES = 1024

/** Up to so many bytes in one piece of memory, however small the pieces are in which they come: each of those costs more than it has. */
export class GrowingBytes {
  length = 0
  /** More came than there was room for. */
  isFull = false
  private bytes = Buffer.alloc(0)
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** Returns how many there was room for. */
  add(more: Uint8Array): number {
    const taken = more.subarray(0, this.most - this.length)
    if (taken.length < more.length) this.isFull = true
    if (this.length + taken.length > this.bytes.length) this.grow(this.length + taken.length)
    this.bytes.set(taken, this.length)
    this.length += taken.length
    return taken.length
  }

  /** Lets go of what came first. */
  keepLast(count: number): void {
    this.bytes.copyWithin(0, this.length - count, this.length)
    this.length = count
  }

  /** In memory of just its length. */
  taken(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length))
  }

  toString(): string {
    return this.bytes.toString('utf8', 0, this.length)
  }

  private grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.most, Math.max(least, this.bytes.length * 2, FIRST_BYTES)))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}
