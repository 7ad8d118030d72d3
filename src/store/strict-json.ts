/** Deeper than anything of ours; `JSON.parse` itself would go on to the end of memory. */
const MAX_DEPTH = 32

/**
 * JSON as we write it ourselves. Beyond what `JSON.parse` refuses, it throws a `SyntaxError` for bytes that are not UTF-8, a
 * byte order mark, a key that is there twice (readers differ in which one counts), `__proto__`, and depth.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = textOf(bytes)
  checkStructure(text)
  return JSON.parse(text) as unknown
}

function textOf(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.startsWith('\uFEFF') ? refuse('it begins with a byte order mark') : text
  } catch (error) {
    if (error instanceof SyntaxError) throw error
    return refuse('it is not UTF-8')
  }
}

/** Walks over brackets and strings only; `JSON.parse` judges the rest. */
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') {
      if (open.push(character === '{' ? new Set() : undefined) > MAX_DEPTH) refuse('it is nested too deeply')
    } else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const end = endOfString(text, at)
      if (isKey(text, end)) addKey(open.at(-1), text.slice(at, end + 1))
      at = end
    }
  }
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return refuse('a string does not end')
}

function isKey(text: string, end: number): boolean {
  let at = end + 1
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  return text[at] === ':'
}

function addKey(keys: Set<string> | undefined, literal: string): void {
  const key = String(JSON.parse(literal)) // `"\u0061"` and `"a"` are one key
  if (keys?.has(key) === true) refuse('a key is there twice')
  if (key === '__proto__') refuse('it has a key __proto__')
  keys?.add(key)
}

const refuse = (why: string): never => {
  throw new SyntaxError(why)
}
