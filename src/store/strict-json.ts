/** Deeper than anything of ours; `JSON.parse` itself would go on to the end of memory. */
const MAX_DEPTH = 32
/** A manifest with as much of everything as it may have comes to half of that. It is values that take the time, and long texts do not. */
const MAX_VALUES = 30_000

/**
 * JSON as we write it ourselves. Beyond what `JSON.parse` refuses, it throws a `SyntaxError` for bytes that are not UTF-8, a
 * byte order mark, a key that is there twice (readers differ in which one counts), `__proto__`, depth, and more
 * values than anything of ours has.
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

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const OPEN_LIST = 0x5b
/** Each stands for a value, or two. */
const BEFORE_VALUES = [OPEN_OBJECT, OPEN_LIST, COLON, 0x2c]
const CLOSE_OBJECT = 0x7d
const CLOSE_LIST = 0x5d
const SPACES = [0x20, 0x0a, 0x0d, 0x09]

/** Walks over brackets and strings only; `JSON.parse` judges the rest. */
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = []
  let values = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (BEFORE_VALUES.includes(code) && ++values > MAX_VALUES) refuse(`it has more than ${MAX_VALUES} values`)
    if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (open.push(code === OPEN_OBJECT ? new Set() : undefined) > MAX_DEPTH) refuse('it is nested too deeply')
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop()
    else if (code === QUOTE) {
      const end = endOfString(text, at)
      const next = behindSpaces(text, end + 1)
      if (text.charCodeAt(next) === COLON) addKey(open.at(-1), text.slice(at, end + 1))
      at = next - 1
    }
  }
}

function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end
    while (text.charCodeAt(before - 1) === BACKSLASH) before--
    if ((end - before) % 2 === 0) return end
  }
  return refuse('a string does not end')
}

function behindSpaces(text: string, from: number): number {
  let at = from
  while (SPACES.includes(text.charCodeAt(at))) at++
  return at
}

function addKey(keys: Set<string> | undefined, literal: string): void {
  // `"\u0061"` and `"a"` are one key.
  const key = literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1)
  if (keys?.has(key) === true) refuse('a key is there twice')
  if (key === '__proto__') refuse('it has a key __proto__')
  keys?.add(key)
}

const refuse = (why: string): never => {
  throw new SyntaxError(why)
}
