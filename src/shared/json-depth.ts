/** Levels of a value as JSON has them: more than anything of ours has. What is nested more deeply exhausts the stack of whoever walks through it. */
export const DEEPEST = 32

export function isTooDeep(value: unknown, levels = DEEPEST): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((each) => isTooDeep(each, levels - 1))
}

/** The same value, without what is nested more deeply. */
export const notTooDeep = (value: unknown): unknown => (isTooDeep(value) ? cutAt(value, DEEPEST) : value)

function cutAt(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return '…'
  if (Array.isArray(value)) return value.map((each) => cutAt(each, levels - 1))
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cutAt(each, levels - 1)]))
}
