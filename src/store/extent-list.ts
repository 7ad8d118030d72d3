export interface Extent {
  /** Where in the guest's disk. */
  readonly start: number
  readonly length: number
  /** Which file of the chain, and where in it. */
  readonly layer: number
  readonly offset: number
}

const FIELDS = 4

/** Extents in the order of the guest's disk, packed: a fragmented disk has hundreds of thousands. */
export class ExtentList {
  #packed = new Float64Array(1024 * FIELDS)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(start: number, length: number, layer: number, offset: number): void {
    if ((this.#length + 1) * FIELDS > this.#packed.length) this.#grow()
    this.#packed.set([start, length, layer, offset], this.#length * FIELDS)
    this.#length++
  }

  at(index: number): Extent {
    const [start = 0, length = 0, layer = 0, offset = 0] = this.#packed.subarray(index * FIELDS, (index + 1) * FIELDS)
    return { start, length, layer, offset }
  }

  #grow(): void {
    const larger = new Float64Array(this.#packed.length * 2)
    larger.set(this.#packed)
    this.#packed = larger
  }
}
