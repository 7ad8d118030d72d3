import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LabError, must, run } from './run.ts'

/** Fetches a package from the machine's own apt sources and unpacks it, without installing anything. */
export async function unpackPackage(name: string, target: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-lab-deb-'))
  try {
    const fetched = await download(name, folder)
    if (!fetched) {
      await must(['apt-get', 'update', '-q'], { timeoutMs: 300_000 })
      if (!(await download(name, folder))) throw new LabError(`apt does not find the package ${name}`)
    }
    const [file] = readdirSync(folder)
    if (file === undefined) throw new LabError(`apt did not deliver the package ${name}`)
    await must(['dpkg', '-x', join(folder, file), target])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The package that a meta package such as linux-image-cloud-amd64 stands for today. */
export async function packageBehind(meta: string): Promise<string> {
  const depends = await must(['apt-cache', 'depends', '--important', meta])
  const behind = /Depends: (\S+)/.exec(depends)?.[1]
  if (behind === undefined) throw new LabError(`apt does not know what ${meta} stands for: run apt-get update`)
  return behind
}

/** Address of the Debian archive that this machine's apt uses. */
export async function archiveAddress(): Promise<string> {
  const targets = await must(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(SUITE)', 'Created-By: Packages'])
  const lines = targets.split('\n').map((line) => line.split(' '))
  const main = lines.find(([, suite = '']) => suite !== '' && !/-(security|updates|backports)/.test(suite))
  if (main?.[0] === undefined) throw new LabError('apt has no package source that is a Debian archive')
  return main[0]
}

/** apt would hand the download to a user of its own, who may not enter a private folder. */
async function download(name: string, folder: string): Promise<boolean> {
  const apt = ['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', name]
  return (await run(apt, { cwd: folder, timeoutMs: 300_000 })).exitCode === 0
}
