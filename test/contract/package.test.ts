import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { extractAll, extractFile, listPackage } from '@electron/asar'
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import config from '../../electron-builder.config.ts'
import { engineAssets } from '../../src/main/core/engine-on-host/engine-assets.ts'
import {
  ENGINE_FILE,
  filesToPack,
  hashesToPack,
  type PackedFiles
} from '../../src/main/core/engine-on-host/packed-files.ts'
import { packageRootFrom } from '../../src/main/core/package.ts'
import manifest from '../../package.json' with { type: 'json' }
import { buildIfStale } from './built-window.ts'
import { boot, fakeElectron } from './fake-electron.ts'
import { eventually } from '../patience.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'stillpoint-package-'))
const output = join(folder, 'out')
const unpacked = join(output, 'linux-unpacked')
afterAll(() => rmSync(folder, { recursive: true }))

/** What electron-builder takes for Electron: no program, but with its fuses, all of them burnt the wrong way. */
function fakeElectronDist(): string {
  const dist = join(folder, 'electron')
  mkdirSync(join(dist, 'resources'), { recursive: true })
  const sentinel = Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX')
  const wire = Buffer.concat([
    Buffer.alloc(512),
    sentinel,
    Buffer.from([1, 9]),
    Buffer.from('101100010'),
    Buffer.alloc(512)
  ])
  writeFileSync(join(dist, 'electron'), wire)
  chmodSync(join(dist, 'electron'), 0o755)
  for (const name of ['LICENSE', 'LICENSES.chromium.html', 'chrome-sandbox', 'chrome_crashpad_handler', 'version'])
    writeFileSync(join(dist, name), manifest.devDependencies.electron)
  return dist
}

/** Everything that packaging does but the last step, which wraps up a folder with programs that are fetched. */
function packaged(): void {
  buildIfStale()
  const options = ['--linux', 'dir', `-c.electronDist=${fakeElectronDist()}`, `-c.directories.output=${output}`]
  const builder = join(ROOT, 'node_modules/electron-builder/cli.js')
  execFileSync(process.execPath, [builder, '--config', 'electron-builder.config.ts', ...options], {
    cwd: ROOT,
    stdio: 'pipe'
  })
}

describe('a package', () => {
  let files: readonly string[] = []
  beforeAll(() => {
    packaged()
    files = listPackage(join(unpacked, 'resources/app.asar'), { isPack: false }).map((name) => name.slice(1))
  })

  it('holds main, preload, window and icons', () => {
    expect(files).toEqual(expect.arrayContaining([manifest.main, 'out/preload/index.cjs', 'out/renderer/index.html']))
    for (const state of ['good', 'attention', 'danger', 'unknown'])
      for (const name of [`${state}.png`, `${state}@3x.png`, `${state}Template@2x.png`])
        expect(files).toContain(`resources/tray/${name}`)
    expect(files).toContain('resources/app/256x256.png')
  })

  it('holds all that main imports, and nothing that is only for building, testing or another machine', () => {
    for (const name of ['ssh2', 'ssh-config', 'conf', 'zod', '@xmldom/xmldom'])
      expect(files).toContain(`node_modules/${name}/package.json`)
    const superfluous =
      /^(?:src|test|docs|scripts|out\/(?:engine|cli))\/|^node_modules\/(?:node-linux|react|@mantine|electron)|\.node$/
    expect(files.filter((name) => superfluous.test(name))).toEqual([])
  })

  it('has engine and runtimes beside it, where the core looks for them', async () => {
    const root = packageRootFrom('/nowhere', { env: {}, resourcesPath: join(unpacked, 'resources') })
    expect(root).toBe(join(unpacked, 'resources/stillpoint'))
    const packed = engineAssets(root, join(folder, 'cache'))
    const built = engineAssets(ROOT, join(folder, 'cache'))
    expect((await packed.engine()).hash).toBe((await built.engine()).hash)
    const machines = [
      ['x86_64', 'x64'],
      ['aarch64', 'arm64']
    ] as const
    const here = machines.filter(([, arch]) => existsSync(join(ROOT, `node_modules/node-linux-${arch}/bin/node`)))
    expect(here.length).toBeGreaterThan(0)
    for (const [machine] of here)
      expect((await packed.runtime('h', machine)).hash).toBe((await built.runtime('h', machine)).hash)
  })

  describe('once it is installed', () => {
    // A copy: what electron-builder puts there are links to the files of this checkout.
    const installed = join(folder, 'installed')
    const beside = (file: string): string => join(installed, file)
    beforeAll(() => filesToPack(ROOT).forEach(install))

    function install(file: string): void {
      mkdirSync(dirname(beside(file)), { recursive: true })
      copyFileSync(join(unpacked, 'resources/stillpoint', file), beside(file))
    }

    /** What the main bundle that is in the package says of a file. */
    const known = async (): Promise<PackedFiles> => {
      const main = extractFile(join(unpacked, 'resources/app.asar'), manifest.main).toString()
      const hashes = await hashesToPack(ROOT)
      for (const hash of Object.values(hashes)) expect(main).toContain(hash)
      return hashes
    }

    const asking = async (file: string, packed: PackedFiles): Promise<unknown> => {
      const assets = engineAssets(installed, join(folder, 'cache'), packed)
      if (file === ENGINE_FILE) return assets.engine()
      return assets.runtime('h', file.includes('arm64') ? 'aarch64' : 'x86_64')
    }

    /** Writes another byte in its place, and what was there. */
    function flip(path: string, at: number): void {
      const file = openSync(path, 'r+')
      const byte = Buffer.alloc(1)
      readSync(file, byte, 0, 1, at)
      writeSync(
        file,
        byte.map((value) => value ^ 1),
        0,
        1,
        at
      )
      closeSync(file)
    }

    it.each(filesToPack(ROOT))(
      'puts %s on hosts as it was when it was made, and not with one byte changed',
      async (file) => {
        const packed = await known()
        const changed = { failure: { kind: 'installation-changed', path: beside(file) } }
        await expect(asking(file, packed)).resolves.toMatchObject({ hash: packed[file] })
        const { size } = statSync(beside(file))
        for (const at of [0, Math.floor(size / 2), size - 1]) {
          flip(beside(file), at)
          await expect(asking(file, packed)).rejects.toMatchObject(changed)
          flip(beside(file), at)
        }
        await expect(asking(file, packed)).resolves.toMatchObject({ hash: packed[file] })
      }
    )
  })

  it('starts from what is in it alone', async () => {
    const alone = join(folder, 'alone')
    extractAll(join(unpacked, 'resources/app.asar'), alone)
    vi.stubEnv('STILLPOINT_HOME', join(folder, 'home'))
    vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'config'))
    const fake = fakeElectron({ isPackaged: true })
    const { modules, windows, trays } = fake
    await boot(join(alone, manifest.main), fake)
    await eventually(() => expect([windows.length, trays.length]).toEqual([1, 1]))
    expect(windows[0]?.options.icon).toBe(join(alone, 'resources/app/256x256.png'))
    modules.app.quit()
    await eventually(() => expect(modules.app.exit).toHaveBeenCalledOnce())
    vi.unstubAllEnvs()
  })

  it('has its fuses burnt: no way in by environment or switches, and only its own asar', async () => {
    const wire = await getCurrentFuseWire(join(unpacked, 'stillpoint'))
    const on = (fuse: FuseV1Options): boolean => wire[fuse] === FuseState.ENABLE
    const options = [
      ['RunAsNode', false],
      ['EnableNodeOptionsEnvironmentVariable', false],
      ['EnableNodeCliInspectArguments', false],
      ['EnableCookieEncryption', true],
      ['EnableEmbeddedAsarIntegrityValidation', true],
      ['OnlyLoadAppFromAsar', true],
      ['GrantFileProtocolExtraPrivileges', false]
    ] as const
    expect(options.map(([name]) => [name, on(FuseV1Options[name])])).toEqual(options)
  })
})

describe('the config of packages', () => {
  it('makes what each system installs', () => {
    expect([config.linux?.target, config.mac?.target, config.win?.target]).toEqual([
      ['AppImage', 'deb', 'rpm'],
      ['dmg'],
      ['nsis']
    ])
  })

  it('names files that are there', () => {
    const named = [config.linux?.icon, config.mac?.icon, config.win?.icon, ...extraResources()]
    expect(named.filter((path) => typeof path !== 'string' || !existsSync(join(ROOT, path)))).toEqual([])
    expect(readdirSync(join(ROOT, 'resources/app')).filter((name) => /^\d+x\d+\.png$/.test(name))).toHaveLength(8)
  })

  it('brings an Electron that is still supported', () => {
    expect(Number(manifest.devDependencies.electron.split('.')[0])).toBeGreaterThanOrEqual(45)
  })

  const extraResources = (): readonly unknown[] =>
    (config.extraResources as readonly { from: string }[]).map(({ from }) => from)
})
