import { homedir, userInfo } from 'node:os'

/** What is named so long is told by its beginning; also the most that is compared at one place of a text. */
const LONGEST_NAME = 300
/** Of more names the last ones. */
const MOST_NAMES = 50_000
const SHORTEST_NAME = 2
/** By so many characters those are found that could begin at a place. */
const KEY_CHARACTERS = 2

/** What is to be read in place of a name. */
export type Names = ReadonlyMap<string, string>

/** What could be a secret, or says where and who: whatever it is called. Paths of programs keep their last part, and the line. */
const TELLING: readonly (readonly [string, string])[] = [
  ['key', '-----BEGIN [^-\\n]{1,64}-----[^-]{0,20000}(?:-----END [^-\\n]{1,64}-----)?'],
  ['fingerprint', '\\bSHA256:[A-Za-z0-9+/]{43}=?'],
  ['link', '\\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}:\\/\\/[^\\s"\'<>()]+'],
  ['mail', '[\\w.+-]{1,64}@[\\w-]{1,63}(?:\\.[\\w-]{1,63}){0,8}'],
  ['id', '\\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\b'],
  ['time', '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z?'],
  ['address', '\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b'],
  ['address', '(?<![\\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:%[\\w.-]{1,16})?(?![\\w:])'],
  ['path', '(?<![\\w)])(?:[A-Za-z]:)?[\\\\/](?:[^\\s"\'<>()|,;:]+)'],
  ['token', '\\b[A-Za-z0-9+_-]{40,}={0,2}']
]
const telling = new RegExp(TELLING.map(([, pattern], n) => `(?<t${n}>${pattern})`).join('|'), 'g')

/**
 * Tells a text in one pass, without the names and without what is telling by its form. The longest name that begins at a place
 * goes, and nothing that was put in its place is looked at again: a name may be anything, also what stands for another one.
 */
export function scrubber(names: Names): (text: string) => string {
  const known = indexOf([...names, [homedir(), '~'], [userInfo().username, 'user']])
  return (text) => scrub(text, known)
}

function scrub(text: string, known: Index): string {
  const parts: string[] = []
  let plainFrom = 0
  for (let at = 0; at < text.length;) {
    const found = nameAt(text, at, known)
    if (found === undefined) {
      at += 1
      continue
    }
    parts.push(withoutTelling(text.slice(plainFrom, at)), found.instead)
    at += found.length
    plainFrom = at
  }
  return [...parts, withoutTelling(text.slice(plainFrom))].join('')
}

/** Names by their beginning: how long they are, longest first, and what stands for each. */
type Index = ReadonlyMap<string, { readonly lengths: readonly number[]; readonly instead: ReadonlyMap<string, string> }>

function indexOf(names: readonly (readonly [string, string])[]): Index {
  const byKey = new Map<string, Map<string, string>>()
  for (const [given, instead] of names.slice(-MOST_NAMES))
    for (const name of writtenAs(given.slice(0, LONGEST_NAME))) {
      if (name.length < SHORTEST_NAME) continue
      const key = name.slice(0, KEY_CHARACTERS)
      const alike = byKey.get(key) ?? new Map<string, string>()
      alike.set(name, instead)
      byKey.set(key, alike)
    }
  return new Map(
    [...byKey].map(([key, instead]) => {
      const lengths = [...new Set([...instead.keys()].map(({ length }) => length))].sort((a, b) => b - a)
      return [key, { lengths, instead }]
    })
  )
}

/** As it is, and as it stands in JSON. */
const writtenAs = (name: string): readonly string[] => [...new Set([name, JSON.stringify(name).slice(1, -1)])]

function nameAt(text: string, at: number, known: Index): { length: number; instead: string } | undefined {
  const alike = known.get(text.slice(at, at + KEY_CHARACTERS))
  if (alike === undefined) return undefined
  for (const length of alike.lengths) {
    const instead = alike.instead.get(text.slice(at, at + length))
    if (instead !== undefined && isWhole(text, at, length)) return { length, instead }
  }
  return undefined
}

const LETTER = /[\p{L}\p{N}]/u

/** `web` is no part of `webhook`. */
const isWhole = (text: string, at: number, length: number): boolean =>
  !(isInWord(text, at) || isInWord(text, at + length))
const isInWord = (text: string, at: number): boolean =>
  at > 0 && LETTER.test(text.charAt(at - 1)) && LETTER.test(text.charAt(at))

function withoutTelling(text: string): string {
  return text.replace(telling, (found: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>
    const what = TELLING[Object.values(groups).findIndex((each) => each !== undefined)]?.[0] ?? 'text'
    if (what === 'time') return found
    const program = /[^\\/]+\.[cm]?[jt]sx?(?::\d+){0,2}$/.exec(found)
    return (what === 'path' || what === 'link') && program !== null ? program[0] : `(${what})`
  })
}
