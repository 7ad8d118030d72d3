import { glob, readFile } from 'node:fs/promises'
import { homedir, hostname, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { LineType, parse, type Directive, type Line, type Section } from 'ssh-config'
import { fail } from '../../../shared/failure.ts'
import { matchesPatternList } from './wildcard.ts'

/** What `~/.ssh/config` says about one host; undefined or empty where it says nothing. */
export interface HostSettings {
  readonly hostName: string
  readonly user: string | undefined
  readonly port: number | undefined
  /** Absolute paths, in order. Not checked for being there. */
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean
  /** Absolute paths. */
  readonly certificateFiles: readonly string[]
  /** The agent to ask, by its socket; without one, none is to be asked. Undefined: whichever the session has. */
  readonly identityAgent: { readonly socket: string | undefined } | undefined
  /** Hops, first one first: `[user@]host[:port]` or an alias. */
  readonly proxyJump: readonly string[]
  /** A way of connecting that we do not go: to be refused, not passed over. */
  readonly proxyCommand: string | undefined
  readonly hostKeyAlias: string | undefined
}

export interface SshConfig {
  /** `as` tells apart what was given elsewhere and wins over the file: tokens such as `%r` stand for it. */
  settingsFor(
    alias: string,
    as?: { readonly user?: string | undefined; readonly port?: number | undefined }
  ): HostSettings
  /** The Host entries without wildcards, in order: to choose from. */
  readonly entries: readonly string[]
}

/** `ssh` itself goes no deeper. */
const MAX_INCLUDE_DEPTH = 16

/** Reads `~/.ssh/config` with what it includes. A file that does not parse is a `bad-output`. */
export async function readSshConfig(homeDir = homedir()): Promise<SshConfig> {
  const file = join(homeDir, '.ssh/config')
  return parseSshConfig(await readIncluding(file, homeDir, 0), { homeDir, file })
}

/** Our own walk over the parsed lines: the package's `compute` starts programs for `Match exec` and `CanonicalizeHostname`. */
export function parseSshConfig(text: string, { homeDir = homedir(), file = '~/.ssh/config' } = {}): SshConfig {
  const lines = parseLines(text, file)
  return {
    settingsFor: (alias, as = {}) => settingsOf(collect(lines, alias, as.user), alias, as, homeDir),
    entries: [...new Set(lines.filter(isHost).flatMap(valuesOf).filter(isConcrete))]
  }
}

function parseLines(text: string, file: string): Line[] {
  try {
    return [...parse(text)]
  } catch (error) {
    return fail(
      { kind: 'bad-output', what: file, detail: error instanceof Error ? error.message : String(error) },
      error
    )
  }
}

const isDirective = (line: Line): line is Directive | Section => line.type === LineType.DIRECTIVE
const isSection = (line: Line): line is Section => isDirective(line) && 'config' in line
const isHost = (line: Line): line is Section => isSection(line) && line.param.toLowerCase() === 'host'
const isConcrete = (pattern: string): boolean => !/[*?!]/.test(pattern)
const valuesOf = ({ value }: Directive): string[] => (Array.isArray(value) ? value.map(({ val }) => val) : [value])

type Collected = ReadonlyMap<string, readonly string[]>

const ADD_UP: readonly string[] = ['identityfile', 'certificatefile']

/** First value wins, as in OpenSSH; identity files and certificates add up. */
function collect(lines: readonly Line[], alias: string, givenUser: string | undefined): Collected {
  const found = new Map<string, readonly string[]>()
  const take = (line: Line): void => {
    if (!isDirective(line)) return
    if (isSection(line)) {
      if (applies(line, alias, found, givenUser)) line.config.forEach(take)
      return
    }
    const key = line.param.toLowerCase()
    if (ADD_UP.includes(key)) found.set(key, [...(found.get(key) ?? []), ...valuesOf(line)])
    else if (!found.has(key)) found.set(key, valuesOf(line))
  }
  lines.forEach(take)
  return found
}

function applies(section: Section, alias: string, found: Collected, givenUser: string | undefined): boolean {
  const values = valuesOf(section)
  if (isHost(section)) return matchesPatternList(values, alias)
  return matchApplies(values, {
    host: found.get('hostname')?.[0] ?? alias,
    originalhost: alias,
    user: givenUser ?? found.get('user')?.[0] ?? userInfo().username,
    localuser: userInfo().username
  })
}

/** `Match exec`, `final` and the like never apply: nothing is started because of a file, and there is one pass. */
function matchApplies(values: readonly string[], facts: Readonly<Record<string, string>>): boolean {
  for (let index = 0; index < values.length; index++) {
    const criterion = (values[index] ?? '').toLowerCase()
    if (criterion === 'all') continue
    const fact = facts[criterion.replace(/^!/, '')]
    const patterns = values[++index]
    if (fact === undefined || patterns === undefined) return false
    if (matchesPatternList(patterns.split(','), fact) === criterion.startsWith('!')) return false
  }
  return true
}

type Given = NonNullable<Parameters<SshConfig['settingsFor']>[1]>

function settingsOf(found: Collected, alias: string, given: Given, homeDir: string): HostSettings {
  const first = (key: string): string | undefined => found.get(key)?.[0]
  const user = given.user ?? first('user')
  const port = given.port ?? portOf(first('port'), alias)
  const hostName = expand(first('hostname') ?? alias, { '%': '%', h: alias, n: alias })
  const tokens = tokensOf({ hostName, alias, port: port ?? 22, user: user ?? userInfo().username, homeDir })
  const path = (file: string): string => absolute(expand(file, tokens), homeDir)
  const jump = first('proxyjump') ?? 'none'
  const command = found.get('proxycommand')?.join(' ')
  return {
    hostName,
    user,
    port,
    identityFiles: (found.get('identityfile') ?? []).filter((file) => file !== 'none').map(path),
    certificateFiles: (found.get('certificatefile') ?? []).filter((file) => file !== 'none').map(path),
    identityAgent: agentOf(first('identityagent'), path),
    identitiesOnly: first('identitiesonly')?.toLowerCase() === 'yes',
    proxyJump:
      jump === 'none'
        ? []
        : expand(jump, tokens)
            .split(',')
            .map((hop) => hop.trim()),
    proxyCommand: command === undefined || command === 'none' || jump !== 'none' ? undefined : command,
    hostKeyAlias: first('hostkeyalias')
  }
}

/** `none`, `SSH_AUTH_SOCK`, the name of a variable behind a dollar, or a path in which `${VARIABLE}` stands for its value. */
function agentOf(value: string | undefined, path: (file: string) => string): HostSettings['identityAgent'] {
  if (value === undefined) return undefined
  if (value === 'none') return { socket: undefined }
  const variable = value === 'SSH_AUTH_SOCK' ? value : /^\$(\w+)$/.exec(value)?.[1]
  if (variable !== undefined) return { socket: process.env[variable] }
  return { socket: path(value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => process.env[name] ?? '')) }
}

function portOf(text: string | undefined, alias: string): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  return fail({ kind: 'usage', message: `~/.ssh/config gives ${alias} the port ${text}, which is none` })
}

type Tokens = Readonly<Record<string, string>>

function tokensOf(about: { hostName: string; alias: string; port: number; user: string; homeDir: string }): Tokens {
  const local = hostname()
  return {
    '%': '%',
    h: about.hostName,
    n: about.alias,
    p: String(about.port),
    r: about.user,
    u: userInfo().username,
    i: String(userInfo().uid),
    d: about.homeDir,
    l: local,
    L: local.replace(/\..*/s, '')
  }
}

const expand = (text: string, tokens: Tokens): string =>
  text.replaceAll(/%(.)/gs, (whole, token: string) => tokens[token] ?? whole)

const absolute = (file: string, homeDir: string): string =>
  isAbsolute(file) ? file : join(homeDir, file.startsWith('~/') ? file.slice(2) : file)

/**
 * The file's text with each Include replaced by what it names. Behind an included file the section that stood before
 * it goes on, so its header is repeated.
 */
async function readIncluding(file: string, homeDir: string, depth: number): Promise<string> {
  const lines = (await readIfThere(file)).split(/\r?\n/)
  let section = 'Host *'
  const result: string[] = []
  for (const line of lines) {
    if (/^\s*(host|match)[\s=]/i.test(line)) section = line
    const included = /^\s*include[\s=]+(.+)$/i.exec(line)?.[1]
    if (included === undefined) result.push(line)
    else if (depth < MAX_INCLUDE_DEPTH) result.push(await readIncluded(included, homeDir, depth + 1), section)
  }
  return result.join('\n')
}

async function readIncluded(patterns: string, homeDir: string, depth: number): Promise<string> {
  const texts: string[] = []
  for (const pattern of patterns.trim().split(/\s+/)) {
    const bare = pattern.replaceAll('"', '')
    const path = isAbsolute(bare) || bare.startsWith('~/') ? absolute(bare, homeDir) : join(homeDir, '.ssh', bare)
    const files: string[] = []
    for await (const file of glob(path)) files.push(file)
    for (const file of files.sort()) texts.push(await readIncluding(file, homeDir, depth))
  }
  return texts.join('\n')
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
