import { KEY_PATH } from '../../src/shared/frames.ts'

/** What the page gets for the key in its address: one of its own, as a browser would ask for it. */
export async function tabKeyOf(address: string): Promise<string> {
  const { origin, hash } = new URL(address)
  const answer = await exchange(origin, hash.slice(1))
  if (!answer.ok) throw new Error(`the key is refused with ${answer.status}`)
  return ((await answer.json()) as { key: string }).key
}

/** @param headers in place of those of our own page */
export const exchange = (
  origin: string,
  key: string,
  headers: Readonly<Record<string, string>> = { origin }
): Promise<Response> =>
  fetch(`${origin}${KEY_PATH}`, { method: 'POST', headers: { authorization: `Bearer ${key}`, ...headers } })
