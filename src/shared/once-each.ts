/** In their order, without those of a key that has been there before. */
export function onceEach<T>(all: readonly T[], key: (each: T) => string): T[] {
  const first = new Map<string, T>()
  for (const each of all) if (!first.has(key(each))) first.set(key(each), each)
  return [...first.values()]
}
