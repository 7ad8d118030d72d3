/**
 * A point travels, to a laptop's disk as well: what is two files here must not be one there, nor a device. What
 * `PointPath` lets through is ASCII without colons and spaces, so that this is all that file systems differ in.
 *
 * Why these paths cannot be kept everywhere; undefined: they can.
 */
export function whyNotPortable(paths: readonly string[]): string | undefined {
  const spelled = new Map<string, string>()
  for (const path of paths) {
    const segments = path.split('/')
    const odd = segments.find(isOddOnWindows)
    if (odd !== undefined) return `${path} cannot be kept on Windows: ${odd} means something else there`
    for (const known of segments.map((_, index) => segments.slice(0, index + 1).join('/'))) {
      const other = spelled.get(known.toLowerCase()) ?? known
      if (other !== known) return `${other} and ${known} differ in capitals alone, and are one name on some computers`
      spelled.set(known.toLowerCase(), known)
    }
  }
  return undefined
}

/** A device, whatever follows the first dot; or an end that Windows drops. Source: "Naming Files, Paths, and Namespaces" of Microsoft. */
const isOddOnWindows = (name: string): boolean =>
  name.endsWith('.') || /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name)
