import { ADDRESS, HOST_NAME, isPort, LONGEST_HOST_NAME, USER_NAME } from '../../../shared/login-rules.ts'
import type { HostLogin, HostView, SshEntry } from '../../../shared/views/host-view.ts'
import { words } from './words.ts'

/** The fields of the form, as typed. */
export interface LoginDraft {
  readonly address: string
  readonly name: string
  readonly user: string
  readonly port: string
  readonly identityFile: string
}

export const EMPTY_DRAFT: LoginDraft = { address: '', name: '', user: '', port: '', identityFile: '' }

/** What is wrong with a field, in words; nothing is said about one that is still empty. */
export type DraftProblems = { readonly [K in keyof LoginDraft]?: string }

/** `root@alpha:2222` and `ssh://root@alpha` are what people have at hand: their parts go where they belong. */
export function spreadAddress(draft: LoginDraft): LoginDraft {
  const groups =
    /^(?:ssh:\/\/)?(?:([^@\s/]+)@)?(?:\[([^\]]+)\]|([^:\s/]+|[^\s/]*:[^\s/]*:[^\s/]*?))(?::(\d{1,6}))?\/?$/.exec(
      draft.address.trim()
    )
  if (groups === null) return { ...draft, address: draft.address.trim() }
  const [, user, bracketed, plain, port] = groups
  return {
    ...draft,
    address: bracketed ?? plain ?? '',
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port })
  }
}

/** The first label of a name, or the address with dots: `alpha.example.net` is suggested as `alpha`. */
export function suggestName(address: string): string {
  const { address: host } = spreadAddress({ ...EMPTY_DRAFT, address })
  const isNumeric = /^[\d.]+$/.test(host) || host.includes(':')
  const base = isNumeric ? host.replaceAll(/[:%]+/g, '-') : (host.split('.')[0] ?? '')
  return base
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, LONGEST_HOST_NAME)
}

/** What an entry of `~/.ssh/config` fills in. Login, port and key stay empty: the file says them. */
export const draftOf = (entry: SshEntry): LoginDraft => ({
  ...EMPTY_DRAFT,
  address: entry.alias,
  name: suggestName(entry.alias)
})

export function draftProblems(draft: LoginDraft, hosts: readonly HostView[]): DraftProblems {
  const { address, name, user, port } = spreadAddress(draft)
  const { problems } = words.add
  return {
    ...(address !== '' && !ADDRESS.test(address) && { address: problems.address }),
    ...nameProblem(name, address, hosts),
    ...(user !== '' && !USER_NAME.test(user) && { user: problems.user }),
    ...(port !== '' && !(/^\d+$/.test(port) && isPort(Number(port))) && { port: problems.port })
  }
}

function nameProblem(name: string, address: string, hosts: readonly HostView[]): DraftProblems {
  const { problems } = words.add
  if (name === '') return {}
  if (name.length > LONGEST_HOST_NAME) return { name: problems.nameTooLong }
  if (!HOST_NAME.test(name)) return { name: problems.name }
  const taken = hosts.find((host) => host.name === name)
  return taken !== undefined && address !== '' && taken.address !== address
    ? { name: problems.nameTaken(taken.address) }
    : {}
}

export const isComplete = (draft: LoginDraft, hosts: readonly HostView[]): boolean =>
  draft.address.trim() !== '' && draft.name !== '' && Object.keys(draftProblems(draft, hosts)).length === 0

/** What is asked of the core. Empty fields are left to `~/.ssh/config`. */
export function loginOf(draft: LoginDraft, fingerprint: string | undefined): HostLogin {
  const { address, name, user, port, identityFile } = spreadAddress(draft)
  return {
    name,
    address,
    ...(user !== '' && { user }),
    ...(port !== '' && { port: Number(port) }),
    ...(identityFile.trim() !== '' && { identityFile: identityFile.trim() }),
    ...(fingerprint !== undefined && { fingerprint })
  }
}
