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
