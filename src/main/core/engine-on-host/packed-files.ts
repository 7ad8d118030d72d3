import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf } from './file-hash.ts'

/** What goes to hosts, below the checkout as below a package's resources. */
export const ENGINE_FILE = 'out/engine/engine.mjs'
export const runtimeFile = (arch: string): string => `node_modules/node-linux-${arch}/bin/node`

/** SHA-256 of each file that a package brings for hosts, by that path. */
export type PackedFiles = Readonly<Record<string, string>>

/** Those that are here: packages bring the runtimes that npm has for whoever makes them. docs/packaging.md */
export const filesToPack = (root: string): string[] =>
  [ENGINE_FILE, runtimeFile('x64'), runtimeFile('arm64')].filter((file) => existsSync(join(root, file)))

export async function hashesToPack(root: string): Promise<PackedFiles> {
  const files = filesToPack(root)
  const hashes = await Promise.all(files.map((file) => hashOf(join(root, file))))
  return Object.fromEntries(files.map((file, n) => [file, hashes[n] ?? '']))
}

declare const STILLPOINT_PACKED: PackedFiles | undefined

/** As they were when this bundle was built (electron.vite.config.ts). None: it runs from its sources. */
export const packedFiles: PackedFiles = typeof STILLPOINT_PACKED === 'undefined' ? {} : STILLPOINT_PACKED
