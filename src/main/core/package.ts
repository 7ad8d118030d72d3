import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a package is looked for with; `process` has all of it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Electron's: in a package, the folder beside `app.asar`. */
  readonly resourcesPath?: string
}

/** Below `resources` in a package; the name stands in electron-builder.config.ts too. */
const PACKED = 'stillpoint'

/** The folder that holds `package.json`, `out/engine` and the runtimes, from a bundle as well as from the sources. */
export const packageRoot = (): string => packageRootFrom(import.meta.dirname, process)

/** `STILLPOINT_RESOURCES` if it is set, else what is packed beside the app, else the checkout around `folder`. */
export function packageRootFrom(folder: string, { env, resourcesPath }: Surroundings): string {
  const named = env['STILLPOINT_RESOURCES']
  if (named !== undefined && named !== '') return named
  const packed = join(resourcesPath ?? '', PACKED)
  if (resourcesPath !== undefined && existsSync(join(packed, 'out/engine'))) return packed
  let root = folder
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root)
  return root
}

export function packageVersion(): string {
  try {
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version?: unknown }
    return typeof version === 'string' ? version : 'unknown'
  } catch {
    return 'unknown'
  }
}

/** What makes the demo lab, where this machine can: a checkout on Linux. */
export const demoCommand = (): string | undefined =>
  process.platform === 'linux' && existsSync(join(packageRoot(), 'test/demo/demo.ts')) ? 'npm run demo' : undefined
