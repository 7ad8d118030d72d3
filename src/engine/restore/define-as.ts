import { writeFile } from 'node:fs/promises'
import { defineDomain } from '../../libvirt/domains.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { jobDirectory } from '../jobs/job-directory.ts'

/** Gives the restored VM this definition, which root alone may read: it may hold passwords. */
export async function defineAs(job: JobContext, xml: string): Promise<void> {
  const path = `${jobDirectory(job.id)}/definition.xml`
  await writeFile(path, xml, { mode: 0o600 })
  await defineDomain(job.shell, path)
}
