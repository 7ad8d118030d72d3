/** Hardly more characters than its JSON would have, which is not made for that: counted until they are more than `most`. */
export function charactersIn(value: unknown, most: number): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  return Array.isArray(value) ? inList(value, most) : inObject(value as Readonly<Record<string, unknown>>, most)
}

/** What comes after the end of counting is not touched: lists have tens of thousands of entries. */
function inList(list: readonly unknown[], most: number): number {
  let characters = 2
  for (const each of list) {
    characters += 1 + charactersIn(each, most - characters)
    if (characters > most) break
  }
  return characters
}

function inObject(object: Readonly<Record<string, unknown>>, most: number): number {
  let characters = 2
  for (const key of Object.keys(object)) {
    characters += key.length + 4 + charactersIn(object[key], most - characters)
    if (characters > most) break
  }
  return characters
}
