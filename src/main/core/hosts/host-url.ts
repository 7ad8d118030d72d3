import { fail } from '../../../shared/failure.ts'
import { HostName } from '../../../shared/model/ids.ts'
import type { HostAddress } from '../ssh/host-connection.ts'
import { Address, Port, UserName } from '../settings/settings-schema.ts'

const SSH_URL = /^ssh:\/\/(?:(?<user>[^@/]*)@)?(?<address>\[[^\]/]*\]|[^:/@[\]]*)(?::(?<port>\d{1,6}))?\/?$/

/** `ssh://USER@ADDRESS[:PORT]`, checked part by part. @throws `usage` with what is wrong */
export function parseHostUrl(name: string, url: string, identityFile: string | undefined): HostAddress {
  if (!HostName.safeParse(name).success)
    refuse(`"${name}" is no name for a host: letters, digits, dot, dash and underscore, at most 63.`)
  const groups = SSH_URL.exec(url)?.groups
  if (groups === undefined) return refuse(`"${url}" is not of the form ssh://USER@ADDRESS[:PORT].`)
  const address = (groups['address'] ?? '').replace(/^\[|\]$/g, '')
  if (!Address.safeParse(address).success) refuse(`"${address}" is no host name or address.`)
  const { user } = groups
  if (user !== undefined && !UserName.safeParse(user).success) refuse(`"${user}" is no user name.`)
  const port = groups['port'] === undefined ? undefined : Number(groups['port'])
  if (port !== undefined && !Port.safeParse(port).success) refuse(`Port ${port} does not exist: 1 to 65535.`)
  return { name, address, user, port, identityFile }
}

const refuse = (message: string): never => fail({ kind: 'usage', message })

/** The same, to be shown. */
export function hostUrl({ address, user, port }: Pick<HostAddress, 'address' | 'user' | 'port'>): string {
  const host = address.includes(':') ? `[${address}]` : address
  return `ssh://${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`
}
