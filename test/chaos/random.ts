/** Numbers that look random and are always the same for the same seed (sfc32). */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param words what the numbers depend on, and nothing else: a seed, a round, a host's name */
  constructor(...words: readonly (string | number)[]) {
    const text = words.join('/')
    this.#a = hashOf(text, 0x9e3779b9)
    this.#b = hashOf(text, 0x243f6a88)
    this.#c = hashOf(text, 0xb7e15162)
    for (let warm = 0; warm < 16; warm++) this.#next()
  }

  /** From 0 up to, and without, `below`. */
  int(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below)
  }

  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability
  }

  /** One of them. There has to be one. */
  pick<T>(of: readonly T[]): T {
    const picked = of[this.int(of.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }

  /** One of the words, each as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Partial<Record<T, number>>>): T {
    const entries = Object.entries(weights) as [T, number][]
    let at = this.int(entries.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [word, weight] of entries) {
      if (at < weight) return word
      at -= weight
    }
    throw new Error('no weights')
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

/** FNV-1a over the text, begun with another number for each of the generator's words. */
function hashOf(text: string, begin: number): number {
  let hash = begin
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash
}
