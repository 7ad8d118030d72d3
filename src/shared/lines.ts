/** Gives the lines of a program's output, trimmed, as it comes; empty ones are passed over. `end` gives the last one. */
export function lineReader(onLine: (line: string) => void): { take(chunk: Uint8Array): void; end(): void } {
  const decoder = new TextDecoder()
  let rest = ''
  const pass = (text: string): void => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') onLine(line.trim())
  }
  return { take: (chunk) => pass(decoder.decode(chunk, { stream: true })), end: () => pass('\n') }
}

/**
 * Whether one line has all of these, in this order. It costs what the text is long, whoever wrote it: `a.*b` would begin anew at
 * each `a`.
 */
export const hasInOneLine = (text: string, ...parts: readonly string[]): boolean =>
  text.split('\n').some((line) => hasInOrder(line, parts))

function hasInOrder(line: string, parts: readonly string[]): boolean {
  let from = 0
  for (const part of parts) {
    const at = line.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return true
}
