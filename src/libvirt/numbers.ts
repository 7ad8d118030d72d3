/** As a host's text has it, in digits: never NaN, infinite, negative or too large to be exact. Anything else is `otherwise`. */
export const wholeNumber = <T>(text: string | undefined, otherwise: T): number | T =>
  text !== undefined && DIGITS.test(text) ? exact(Number(text)) : otherwise

const DIGITS = /^\d+$/

/** What was reckoned with such a number: the largest that is exact where it is more than that. */
export const exact = (number: number): number => Math.min(number, Number.MAX_SAFE_INTEGER)
