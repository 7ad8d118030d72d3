import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fail } from '../../../shared/failure.ts'
import type { HostAddress } from './host-connection.ts'
import { certificateProblems, defaultIdentityFiles, readIdentities, readIdentity } from './identities.ts'
import type { Target } from './open-client.ts'
import { readSshConfig, type HostSettings, type SshConfig } from './ssh-config.ts'

/** Hops through hops: more than this is a loop. */
const MAX_HOPS = 8

interface Resolving {
  readonly config: SshConfig
  readonly homeDir: string
  readonly agentSocket: string | undefined
}

interface Wanted {
  readonly label: string
  readonly address: string
  readonly user: string | undefined
  readonly port: number | undefined
  readonly identityFile: string | undefined
  readonly expectedFingerprint: string | undefined
}

/**
 * The machines to log in to, one through the other, the host itself last. Rejects with `usage` for addresses that are
 * none, and with `identity-unusable` if the identity file given for the host cannot be used: before anything is sent.
 */
export async function resolveTargets(
  address: HostAddress,
  options: { readonly homeDir?: string | undefined; readonly expectedFingerprint?: string | undefined }
): Promise<Target[]> {
  const homeDir = options.homeDir ?? homedir()
  const config = await readSshConfig(homeDir)
  const around = { config, homeDir, agentSocket: process.env['SSH_AUTH_SOCK'] }
  const wanted = { ...address, label: address.name, expectedFingerprint: options.expectedFingerprint }
  return targetsOf(wanted, around, 0)
}

async function targetsOf(wanted: Wanted, around: Resolving, depth: number): Promise<Target[]> {
  if (depth > MAX_HOPS) return fail({ kind: 'usage', message: `ProxyJump leads in a circle at ${wanted.label}` })
  const alias = checkAddress(wanted)
  const settings = around.config.settingsFor(alias, { user: wanted.user, port: wanted.port })
  if (settings.proxyCommand !== undefined) refuseProxyCommand(alias)
  const hops = await hopsOf(settings, around, depth)
  return [...hops, await targetOf(wanted, settings, around)]
}

/** Only the first hop may itself be behind others: the next ones are reached from it. */
async function hopsOf(settings: HostSettings, around: Resolving, depth: number): Promise<Target[]> {
  const targets: Target[] = []
  for (const [index, text] of settings.proxyJump.entries()) {
    const hop = parseHop(text)
    const reached = await targetsOf(hop, around, depth + 1)
    targets.push(...(index === 0 ? reached : reached.slice(-1)))
  }
  return targets
}

/** `[user@]host[:port]`, also as `ssh://…` and with `[v6]`. */
function parseHop(text: string): Wanted {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?\/?$/.exec(text)
  if (!match) return fail({ kind: 'usage', message: `ProxyJump: "${text}" is not [user@]host[:port]` })
  const [, user, address = '', port] = match
  const nothing = { identityFile: undefined, expectedFingerprint: undefined }
  return { label: text, address, user, port: port === undefined ? undefined : Number(port), ...nothing }
}

async function targetOf(wanted: Wanted, settings: HostSettings, { homeDir, agentSocket }: Resolving): Promise<Target> {
  const port = settings.port ?? 22
  const files = settings.identityFiles.length > 0 ? settings.identityFiles : defaultIdentityFiles(homeDir)
  const others = await readIdentities(files)
  const givenFiles = wanted.identityFile === undefined ? [] : [inHome(wanted.identityFile, homeDir)]
  const given = await Promise.all(givenFiles.map(readIdentity))
  const certificates = await certificateProblems([...givenFiles, ...files], settings.certificateFiles)
  const agent = settings.identityAgent ?? { socket: agentSocket }
  return {
    label: wanted.label,
    host: settings.hostName,
    port,
    user: settings.user ?? userInfo().username,
    keyName:
      settings.hostKeyAlias === undefined
        ? { host: settings.hostName, port }
        : { host: settings.hostKeyAlias, port: 22 },
    keys: { given, others: others.usable, agentSocket: agent.socket, identitiesOnly: settings.identitiesOnly },
    problems: [...others.problems, ...certificates],
    expectedFingerprint: wanted.expectedFingerprint
  }
}

const inHome = (file: string, homeDir: string): string =>
  isAbsolute(file) ? file : join(homeDir, file.startsWith('~/') ? file.slice(2) : file)

function refuseProxyCommand(alias: string): never {
  const way = 'Stillpoint does not start programs to reach a host: use ProxyJump'
  return fail({ kind: 'usage', message: `~/.ssh/config reaches ${alias} with ProxyCommand. ${way}.` })
}

/** The address without the brackets of `[::1]`. Nothing here is ever handed to a program, but a typo should be told. */
function checkAddress({ address, port, user }: Wanted): string {
  const bare = /^\[(.+)\]$/.exec(address)?.[1] ?? address
  if (!/^[\p{L}\p{N}_.:%][\p{L}\p{N}_.:%-]{0,252}$/u.test(bare))
    fail({ kind: 'usage', message: `"${address}" is no address of a host` })
  if (port !== undefined && (!Number.isInteger(port) || port < 1 || port > 65_535))
    fail({ kind: 'usage', message: `${port} is no port: 1 to 65535` })
  if (user !== undefined && !/^[^\s\p{Cc}@:/]{1,64}$/u.test(user))
    fail({ kind: 'usage', message: `"${user}" is no user name` })
  return bare
}
