import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Configuration } from 'electron-builder'
import { filesToPack, hashesToPack } from './src/main/core/engine-on-host/packed-files.ts'

/** Hosts are Linux, whatever this computer is: every package brings the runtimes of both architectures, if npm has them here. */
const forHosts = filesToPack(import.meta.dirname)
const licences = forHosts
  .filter((file) => file.endsWith('/bin/node'))
  .map((file) => file.replace('bin/node', 'LICENSE'))

/** A package whose main bundle was built with others would put none of them on a host. */
async function requireBuiltWith(): Promise<void> {
  const main = readFileSync(join(import.meta.dirname, 'out/main/index.js'), 'utf8')
  for (const [file, hash] of Object.entries(await hashesToPack(import.meta.dirname)))
    if (!main.includes(hash)) throw new Error(`${file} is another than when out/main was built: npm run build`)
}

/** Read from the folder beside `app.asar` (src/main/core/package.ts), laid out like the checkout. */
const beside = (path: string): { from: string; to: string } => ({ from: path, to: `stillpoint/${path}` })

const config: Configuration = {
  appId: 'app.stillpoint', // src/main/desktop/start.ts
  productName: 'Stillpoint',
  copyright: 'Copyright © 2026 The Stillpoint authors',
  directories: { output: 'out/package', buildResources: 'resources/app' },
  files: [
    'out/main/**',
    'out/preload/**',
    'out/renderer/**',
    'resources/tray/*.png',
    'resources/app/256x256.png',
    // Built here for Node, not for Electron: ssh2 does without, and the runtimes lie outside.
    '!**/*.node',
    '!node_modules/cpu-features/**',
    '!node_modules/node-linux-*/**'
  ],
  // That it is another LICENSE tells a running Stillpoint of an update (engine-assets.ts).
  extraResources: ['LICENSE', ...forHosts, ...licences].map(beside),
  beforePack: requireBuiltWith,
  // fpm insists on a home page, and there is none yet.
  extraMetadata: { homepage: 'https://stillpoint.invalid/', desktopName: 'stillpoint.desktop' },
  asar: true,
  npmRebuild: false,
  artifactName: '${name}-${version}-${os}-${arch}.${ext}',
  electronFuses: {
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableCookieEncryption: true,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    grantFileProtocolExtraPrivileges: false
  },
  linux: {
    target: ['AppImage', 'deb', 'rpm'],
    executableName: 'stillpoint',
    icon: 'resources/app',
    category: 'System',
    synopsis: 'Live backups of running KVM VMs',
    maintainer: 'The Stillpoint authors <authors@stillpoint.invalid>',
    syncDesktopName: true,
    desktop: { entry: { Name: 'Stillpoint', Keywords: 'backup;restore;KVM;libvirt;QEMU;', StartupNotify: 'true' } }
  },
  mac: { target: ['dmg'], icon: 'resources/app/1024x1024.png', category: 'public.app-category.utilities' },
  win: { target: ['nsis'], icon: 'resources/app/512x512.png' },
  nsis: {
    oneClick: false,
    perMachine: false,
    allowToChangeInstallationDirectory: true,
    deleteAppDataOnUninstall: false
  }
}

export default config
