import { mkdirSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { JOBS_DIR } from '../../shared/host-paths.ts'
import type { Uuid } from '../../shared/model/ids.ts'

/** Hands XML to libvirt by way of a file that only root reads. */
export async function withXmlFile<T>(xml: string, vm: Uuid, use: (path: string) => Promise<T>): Promise<T> {
  mkdirSync(JOBS_DIR, { recursive: true, mode: 0o700 })
  const path = `${JOBS_DIR}/.define-${vm}-${process.pid}.xml`
  await writeFile(path, xml, { mode: 0o600 })
  try {
    return await use(path)
  } finally {
    await rm(path, { force: true })
  }
}
