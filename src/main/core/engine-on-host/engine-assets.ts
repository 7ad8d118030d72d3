import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fail } from '../../../shared/failure.ts'
import { rememberedHashOf } from './file-hash.ts'
import { ENGINE_FILE, runtimeFile, type PackedFiles } from './packed-files.ts'

export interface Asset {
  readonly path: string
  /** SHA-256 of its content, and its name on the host. */
  readonly hash: string
}

/** What is put on hosts: from the checkout, or from the packaged app's resources. */
export interface EngineAssets {
  /** Folder for what can be made again. */
  readonly cache: string
  engine(): Promise<Asset>
  /** For the host's architecture, as `uname -m` names it. */
  runtime(host: string, machine: string): Promise<Asset>
}

/** npm's names for what `uname -m` says. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'x64',
  amd64: 'x64',
  aarch64: 'arm64',
  arm64: 'arm64'
}

/**
 * `root` holds `out/engine` and `node_modules`, or is a folder of resources laid out alike. `packed` says what that has in a
 * package: what it has runs as root on hosts, and lies where the package's own integrity is not looked at. A checkout is
 * built and installed anew all the time, and says nothing.
 */
export function engineAssets(root: string, cache: string, packed?: PackedFiles): EngineAssets {
  const atStart = installationOf(root)
  const asset = async (file: string): Promise<Asset> => {
    const path = join(root, file)
    const changed = (error?: unknown): never =>
      fail({ kind: 'installation-changed', path, ...(isUpdatedSince(root, atStart) && { isUpdated: true }) }, error)
    const hashed = rememberedHashOf(path, cache)
    const hash = await (packed === undefined ? hashed : hashed.catch(changed)) // it has gone, or is no file any more
    return packed === undefined || packed[file] === hash ? { path, hash } : changed()
  }
  const isThere = (file: string): boolean => existsSync(join(root, file)) || packed?.[file] !== undefined
  return {
    cache,
    engine: () => asset(isThere(ENGINE_FILE) ? ENGINE_FILE : failForEngine(join(root, ENGINE_FILE))),
    runtime: async (host, machine) => asset(runtimeOf(host, machine, isThere))
  }
}

/** A file that no Stillpoint reads and every package brings (electron-builder.config.ts): an update puts a new one there. */
const BROUGHT = 'LICENSE'

/** Which installation it is. Undefined: there is none, or not any more. */
function installationOf(root: string): string | undefined {
  const stats = statSync(join(root, BROUGHT), { throwIfNoEntry: false })
  return stats && [stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(' ')
}

/**
 * Only says which words fit: what is there is put on no host either way, and who runs the updated one is told by its own
 * hashes whether that is what it came with.
 */
function isUpdatedSince(root: string, atStart: string | undefined): boolean {
  const now = installationOf(root)
  return atStart !== undefined && now !== undefined && now !== atStart
}

function runtimeOf(host: string, machine: string, isThere: (file: string) => boolean): string {
  const arch =
    ARCHITECTURES[machine] ??
    fail({
      kind: 'unsupported-host',
      host,
      reason: `There is no runtime for its processor (${machine}); x86_64 and aarch64 have one.`
    })
  const file = runtimeFile(arch)
  if (isThere(file)) return file
  return fail({
    kind: 'unsupported-host',
    host,
    reason: `The runtime for ${machine} is not part of this installation: npm install --no-save --force node-linux-${arch}`
  })
}

const failForEngine = (path: string): never =>
  fail({ kind: 'io', path, code: 'ENOENT', detail: 'The engine is not built. Build it: node scripts/build-node.mjs' })
