import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fail } from '../../../shared/failure.ts'
import { rememberedHashOf } from './file-hash.ts'

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

/** `root` holds `out/engine` and `node_modules`, or is a folder of resources laid out alike. */
export function engineAssets(root: string, cache: string): EngineAssets {
  const asset = async (path: string): Promise<Asset> => ({ path, hash: await rememberedHashOf(path, cache) })
  return {
    cache,
    engine: () => asset(existing(join(root, 'out/engine/engine.mjs'), 'Build it: node scripts/build-node.mjs')),
    runtime: async (host, machine) => asset(runtimeBinary(root, host, machine))
  }
}

function runtimeBinary(root: string, host: string, machine: string): string {
  const arch =
    ARCHITECTURES[machine] ??
    fail({
      kind: 'unsupported-host',
      host,
      reason: `There is no runtime for its processor (${machine}); x86_64 and aarch64 have one.`
    })
  const path = join(root, `node_modules/node-linux-${arch}/bin/node`)
  if (existsSync(path)) return path
  return fail({
    kind: 'unsupported-host',
    host,
    reason: `The runtime for ${machine} is not part of this installation: npm install --no-save --force node-linux-${arch}`
  })
}

const existing = (path: string, advice: string): string =>
  existsSync(path) ? path : fail({ kind: 'io', path, code: 'ENOENT', detail: `The engine is not built. ${advice}` })
