import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { isOursAlone } from './redirect-file.ts'

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler']
}
const ASK_MS = 3000

/** Opens what everybody may know: arguments of programs are everybody's. @param onFailed there is no browser, or none that came up */
export function openInBrowser(url: string, onFailed: () => void = () => undefined): void {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open']
  spawn(program, [...args, url], { stdio: 'ignore', detached: true })
    .once('error', onFailed)
    .once('exit', (code) => code !== 0 && onFailed())
    .unref()
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * Where a file lies that the operator's browser can read and nobody else, best first. One from a snap, as Ubuntu's, reads
 * neither hidden folders nor `/run`, but its own folder in the home. A flatpak is handed the file itself, wherever it lies.
 */
export async function foldersForBrowser(env: Env, settings: string): Promise<string[]> {
  const runtime = env['XDG_RUNTIME_DIR']
  const snap = process.platform === 'linux' ? await folderOfSnap() : undefined
  return [
    ...(snap === undefined ? [] : [snap]),
    ...(runtime !== undefined && isAbsolute(runtime) && isOursAlone(runtime) ? [runtime] : []),
    settings
  ]
}

/** Snaps name their desktop files SNAP_APP.desktop. */
async function folderOfSnap(): Promise<string | undefined> {
  const said = await new Promise<string>((resolve) => {
    execFile('xdg-settings', ['get', 'default-web-browser'], { timeout: ASK_MS }, (_error, stdout) => resolve(stdout))
  })
  const snap = /^([a-z0-9-]+)_[\w.-]+\.desktop$/.exec(said.trim())?.[1]
  const folder = join(homedir(), 'snap', snap ?? '', 'common')
  return snap !== undefined && existsSync(folder) ? folder : undefined
}
