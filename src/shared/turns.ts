import { setImmediate } from 'node:timers/promises'

let last: Promise<void> = Promise.resolve()

/**
 * Lets everybody else go on first: windows, other hosts, clocks. Of those who ask for it, however many, one goes on at a time,
 * each in a turn of the event loop of its own, in the order in which they have asked.
 */
export function othersTurn(): Promise<void> {
  last = last.then(() => setImmediate())
  return last
}

/** What a line or a packet costs beside its characters. */
const EACH = 100
const AT_ONCE = 32 << 10

/** Gives others their turn whenever so many characters were taken. */
export class CharactersInTurns {
  private characters = 0

  async taken(characters: number): Promise<void> {
    this.characters += characters + EACH
    if (this.characters < AT_ONCE) return
    this.characters = 0
    await othersTurn()
  }
}
