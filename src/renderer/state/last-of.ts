/** Computes anew only when an argument is another one: several readers of one derived value share the work. */
export function lastOf<A extends readonly unknown[], T>(compute: (...args: A) => T): (...args: A) => T {
  let last: { readonly args: A; readonly value: T } | undefined
  return (...args) => {
    const isSame = last?.args.every((arg, n) => Object.is(arg, args[n])) ?? false
    if (last === undefined || !isSame) last = { args, value: compute(...args) }
    return last.value
  }
}
