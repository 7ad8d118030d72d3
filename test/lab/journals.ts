import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { journalPath } from '../../src/engine/jobs/job-directory.ts'
import type { LabHost } from './host.ts'

/** Whether a job of a lab host has announced this step. Read off the host's disk: nothing has to run there. */
export function hasBegun(host: LabHost, id: string, step: string): boolean {
  try {
    return readFileSync(join(host.tree, journalPath(id)), 'utf8').includes(`"step":"${step}"`)
  } catch {
    return false
  }
}
