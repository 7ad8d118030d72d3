import { rm } from 'node:fs/promises'
import { existsSync, readdirSync } from 'node:fs'
import { fail } from '../../shared/failure.ts'
import { DEFAULT_STORE, RECOVER_UNIT, RUN_DIR, STATE_DIR } from '../../shared/host-paths.ts'
import { isEnded } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { jobIds, readReport } from '../jobs/job-directory.ts'

/** Takes everything of ours off this host, this engine included. Points, and what restores kept aside, stay. */
export async function removeAll(shell: Shell): Promise<{ removed: string[] }> {
  for (const id of jobIds()) {
    const report = readReport(id)
    if (report !== undefined && !isEnded(report.state))
      fail({ kind: 'vm-busy', vm: report.vm.name, by: `job ${id}`, since: report.startedAt })
  }
  await shell.run(['systemctl', 'disable', '--quiet', RECOVER_UNIT])
  const unit = `/etc/systemd/system/${RECOVER_UNIT}`
  const parts = ['jobs', 'engine', 'runtime'].map((name) => `${STATE_DIR}/${name}`)
  const removed = [unit, ...parts, RUN_DIR].filter(existsSync)
  for (const path of removed) await rm(path, { recursive: true, force: true })
  await shell.run(['systemctl', 'daemon-reload'])
  if (isEmpty(DEFAULT_STORE)) await rm(DEFAULT_STORE, { recursive: true, force: true })
  if (isEmpty(STATE_DIR)) await rm(STATE_DIR, { recursive: true, force: true })
  return { removed }
}

const isEmpty = (path: string): boolean => existsSync(path) && readdirSync(path).length === 0
