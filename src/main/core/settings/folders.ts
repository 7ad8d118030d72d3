import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** Where settings, known keys and history are: `STILLPOINT_HOME`, else `stillpoint` in the user's configuration folder. */
export function settingsFolder(env: Env): string {
  const named = env['STILLPOINT_HOME']
  if (named !== undefined && named !== '') return resolve(named)
  return join(orElse(env['XDG_CONFIG_HOME'], join(homedir(), '.config')), 'stillpoint')
}

/** What can be made again at any time: compressed runtimes. Shared by all settings folders of a user. */
export function cacheFolder(env: Env): string {
  return join(orElse(env['XDG_CACHE_HOME'], join(homedir(), '.cache')), 'stillpoint')
}

/** XDG says that a relative path counts as none. */
const orElse = (path: string | undefined, otherwise: string): string =>
  path?.startsWith('/') === true ? path : otherwise
