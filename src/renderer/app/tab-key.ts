import { KEY_PATH } from '../../shared/frames.ts'

const KEPT = 'stillpoint-token'

/** What the door says to a key. */
type Said = { readonly key: string } | 'refused' | 'silent'

/** The key of this tab, which it keeps for a reload. */
export interface TabKey {
  /** Asks the door each time: it may be another one by now. */
  get(): Promise<Said>
}

/** Undefined: somebody opened the bare address. */
export function theTabKey(): TabKey | undefined {
  const fromAddress = takeFromAddress()
  const known = [fromAddress, sessionStorage.getItem(KEPT)].filter((key) => key !== null)
  if (known.length === 0) return undefined
  return {
    get: async () => {
      for (const key of known) {
        const said = await exchanged(key)
        if (said === 'refused') continue
        if (said !== 'silent') {
          sessionStorage.setItem(KEPT, said.key)
          known.splice(0, known.length, said.key)
        }
        return said
      }
      return 'refused'
    }
  }
}

/** Out of the address bar and the history at once. */
function takeFromAddress(): string | null {
  const key = location.hash.slice(1)
  if (key !== '') history.replaceState(undefined, '', location.pathname)
  return /^[\w-]{43}$/.test(key) ? key : null
}

/** For the tab's own key the door says the same one again; one from an address that has been used is refused. */
async function exchanged(key: string): Promise<Said> {
  const headers = { authorization: `Bearer ${key}` }
  const answer = await fetch(KEY_PATH, { method: 'POST', headers }).catch(() => undefined)
  if (answer?.ok === true) return (await answer.json()) as { key: string }
  return answer?.status === 403 ? 'refused' : 'silent'
}
