/** libvirt and QEMU make names of files of it, of at most 255 bytes with what they add. */
const LONGEST_BYTES = 200

/** Why a new VM cannot be called this, as the end of a sentence that names it. Undefined: it can. */
export function vmNameProblem(name: string): string | undefined {
  if (name.trim() === '') return 'is empty'
  if (name.includes('/')) return 'holds a slash'
  if (name === '.' || name === '..') return 'is the name of a directory'
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\uFFFE\uFFFF]/u.test(name)) return 'holds characters that no name can have'
  if (new TextEncoder().encode(name).byteLength > LONGEST_BYTES) return `is longer than ${LONGEST_BYTES} bytes`
  return undefined
}
