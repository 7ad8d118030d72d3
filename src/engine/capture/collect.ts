import { open, readdir, stat } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BackupSpec } from '../../shared/model/job.ts'
import { PointPath, type Manifest, type PointFile } from '../../shared/model/point.ts'
import { saveImageXml } from '../../libvirt/save-image.ts'
import { copyFile, hashFile } from '../../store/copy-file.ts'
import { makeFoldersIn, removeFile } from '../../store/durable.ts'
import { isThere } from '../evidence/presence.ts'
import { hostFacts } from '../host-facts.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import { memoryPath, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { requireDisksNamed } from './point-definition.ts'
import { restoreByHand } from './restore-by-hand.ts'

/** Small files of a point: definition, firmware state, host facts, the way back by hand. Each written, synced and hashed. */
export async function collectSmallFiles(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  captured: Captured,
  manifest: Omit<Manifest, 'files' | 'nvram' | 'tpm'>
): Promise<{ files: PointFile[]; nvram?: Manifest['nvram']; tpm?: Manifest['tpm'] }> {
  const files: PointFile[] = []
  const add = async (path: string, text: string): Promise<void> =>
    void files.push(await writeText(plan.pointDir, path, text))
  const definitions = await definitionsOf(job, plan, captured)
  for (const { path, xml } of definitions) await add(path, xml)
  const facts = await hostFacts(
    job.shell,
    definitions.map(({ xml }) => xml)
  )
  await add('host.json', JSON.stringify(facts, undefined, 2))
  const nvram = await takeNvram(job, plan, files)
  const tpm = await takeTpm(job, plan, files)
  const firmware = { ...(nvram && { nvram }), ...(tpm && { tpm }) }
  await add('RESTORE.md', restoreByHand({ ...manifest, ...firmware }))
  return { files, ...firmware }
}

/** As they were at the instant of the point; each names every disk of the point, or no restore could use it. */
async function definitionsOf(
  job: JobContext,
  plan: CapturePlan,
  captured: Captured
): Promise<{ path: string; xml: string }[]> {
  const definitions = [{ path: 'domain.xml', xml: plan.pointDefinition ?? plan.definition }]
  if (captured.memory !== undefined)
    definitions.push({ path: 'memory.xml', xml: await saveImageXml(job.shell, memoryPath(plan)) })
  else if (plan.running !== undefined) definitions.push({ path: 'running.xml', xml: plan.running })
  const targets = captured.disks.map(({ disk }) => disk.target)
  for (const { path, xml } of definitions) requireDisksNamed(path, xml, targets)
  return definitions
}

async function writeText(dir: string, path: string, text: string): Promise<PointFile> {
  const file = await open(`${dir}/${path}`, 'wx', 0o600)
  try {
    await file.writeFile(text.endsWith('\n') ? text : `${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  return { path, ...(await hashFile(`${dir}/${path}`)) }
}

async function takeNvram(job: JobContext, plan: CapturePlan, files: PointFile[]): Promise<Manifest['nvram']> {
  const { nvram } = plan
  if (nvram === undefined) return undefined
  let taken: Manifest['nvram']
  await orWarn(job, 'Firmware state (NVRAM) could not be copied', async () => {
    files.push({ path: 'nvram.fd', ...(await copyAtRest(nvram, `${plan.pointDir}/nvram.fd`)) })
    taken = { file: 'nvram.fd', originalPath: nvram }
  })
  return taken
}

const TRIES = 20

/** Copies a small file that its owner may be writing, until a copy went through without a change. */
async function copyAtRest(source: string, target: string): Promise<{ sizeBytes: number; sha256: string }> {
  for (let left = TRIES; ; left--) {
    const before = await stat(source, { bigint: true })
    if (await isThere(target)) await removeFile(target)
    const copied = await copyFile(source, target)
    const after = await stat(source, { bigint: true })
    if (before.mtimeNs === after.mtimeNs || left === 0) return copied
    await sleep(50)
  }
}

/** State of the TPM lies in a folder by version, `tpm2/tpm2-00.permall`; locks beside it are no state. */
async function tpmFiles(tpmDir: string): Promise<string[]> {
  const entries = await readdir(tpmDir, { recursive: true, withFileTypes: true })
  const paths = entries.flatMap((entry) =>
    entry.isFile() ? [relative(tpmDir, `${entry.parentPath}/${entry.name}`)] : []
  )
  return paths.filter((path) => PointPath.safeParse(path).success)
}

async function takeTpm(job: JobContext, plan: CapturePlan, files: PointFile[]): Promise<Manifest['tpm']> {
  const { tpmDir } = plan
  if (tpmDir === undefined) return undefined
  const taken: string[] = []
  await orWarn(job, 'State of the TPM could not be copied', async () => {
    const names = await tpmFiles(tpmDir)
    for (const name of names) {
      await makeFoldersIn(plan.pointDir, dirname(`tpm/${name}`))
      files.push({ path: `tpm/${name}`, ...(await copyAtRest(`${tpmDir}/${name}`, `${plan.pointDir}/tpm/${name}`)) })
      taken.push(`tpm/${name}`)
    }
  })
  return { files: taken }
}
