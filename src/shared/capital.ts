/** `put it there` as a sentence begins, or a button. Not for what may begin with a name. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
