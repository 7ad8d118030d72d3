import { join } from 'node:path'

/** Names as our build gives them: no escapes, no leading dot, so nothing that could climb out has a spelling. */
const SEGMENT = '[A-Za-z0-9_-][A-Za-z0-9._-]*'
const ASSET = new RegExp(`^(?:${SEGMENT}/)*${SEGMENT}$`)

/**
 * The file of the built window that a request means, or undefined if it means none. Nothing is decoded: whatever
 * comes with `%`, `\`, NUL, `..` or an empty segment is not ours.
 * @param target path of the request as it came, with the slash in front
 */
export function assetPath(root: string, target: string): string | undefined {
  const path = /^\/([^?#]*)/.exec(target)?.[1]
  if (path === undefined) return undefined
  if (path === '') return join(root, 'index.html')
  return ASSET.test(path) ? join(root, ...path.split('/')) : undefined
}
