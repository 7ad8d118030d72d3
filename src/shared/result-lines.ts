/** Characters of a result that go into one line: its reader takes 32 MiB at a time, and each may need six bytes. */
const LONGEST_PART = 1 << 20

/** A result as lines of the engine's protocol: one; or, where its text is long, parts of it, and how many they were. */
export function* resultLines(result: unknown): Generator<string> {
  const text = JSON.stringify({ result })
  if (text.length <= LONGEST_PART) {
    yield `${text}\n`
    return
  }
  let parts = 0
  for (let from = 0; from < text.length; from += LONGEST_PART, parts++)
    yield `${JSON.stringify({ part: text.slice(from, from + LONGEST_PART) })}\n`
  yield `${JSON.stringify({ parts })}\n`
}
