import { open } from 'node:fs/promises'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Manifest, PointFile } from '../../shared/model/point.ts'
import { saveImageXml } from '../../libvirt/save-image.ts'
import { hashFile } from '../../store/copy-file.ts'
import { hostFacts } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { memoryPath, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { takeHostFiles, type HostFiles } from './host-files.ts'
import { requireDisksNamed } from './point-definition.ts'
import { restoreByHand } from './restore-by-hand.ts'

/** Small files of a point: definition, firmware state, host facts, the way back by hand. Each written, synced and hashed. */
export async function collectSmallFiles(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  captured: Captured,
  manifest: Omit<Manifest, 'files' | 'nvram' | 'tpm' | 'boot'>
): Promise<HostFiles> {
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
  const { files: taken, ...named } = await takeHostFiles(job, plan, {
    media: await captured.media,
    memoryXml: definitions.find(({ path }) => path === MEMORY_XML)?.xml
  })
  files.push(...taken)
  await add('RESTORE.md', restoreByHand({ ...manifest, ...named }))
  return { files, ...named }
}

const MEMORY_XML = 'memory.xml'

/** As they were at the instant of the point; each names every disk of the point, or no restore could use it. */
async function definitionsOf(
  job: JobContext,
  plan: CapturePlan,
  captured: Captured
): Promise<{ path: string; xml: string }[]> {
  const definitions = [{ path: 'domain.xml', xml: plan.pointDefinition ?? plan.definition }]
  if (captured.memory !== undefined)
    definitions.push({ path: MEMORY_XML, xml: await saveImageXml(job.shell, memoryPath(plan)) })
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
