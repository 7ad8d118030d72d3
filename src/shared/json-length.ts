/** Hardly more characters than its JSON would have, which is not made for that: counted until they are more than `most`. */
export function charactersIn(value: unknown, most: number): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let characters = 2
  for (const [key, each] of Object.entries(value)) {
    characters += (Array.isArray(value) ? 1 : key.length + 4) + charactersIn(each, most - characters)
    if (characters > most) break
  }
  return characters
}
