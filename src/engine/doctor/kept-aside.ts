import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { LetGo } from '../../shared/engine-protocol.ts'
import { fail } from '../../shared/failure.ts'
import { formatBytes } from '../../shared/format.ts'
import { ASIDE_DIR } from '../../shared/host-paths.ts'
import { JobId, timeOfId } from '../../shared/model/ids.ts'
import { isEnded } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { removeIfProven, shown } from '../evidence/removal.ts'
import { readReport } from '../jobs/job-directory.ts'
import { theOneSeen } from '../restore/displace.ts'
import { asideDirectory } from '../restore/kept-records.ts'
import { Rename } from '../restore/restore-plan.ts'
import type { Finding } from './doctor.ts'

/** What a restore has replaced, and keeps until its owner lets go of it. */
const Aside = z.object({ name: z.string().optional(), renames: z.array(Rename) })
type Aside = z.infer<typeof Aside>

/** Of all restores of this host: which VM, since when, how much. */
export async function keptAside(): Promise<Finding[]> {
  if (!existsSync(ASIDE_DIR)) return []
  return Promise.all(readdirSync(ASIDE_DIR).map(findingOf))
}

async function findingOf(id: string): Promise<Finding> {
  const asides = asidesOf(id)
  const paths = asides.flatMap(({ renames }) => renames.map(({ to }) => to)).filter(existsSync)
  const bytes = await sum(paths.map(allocatedBytes))
  const names = asides.flatMap(({ name }) => name ?? [])
  const since = JobId.safeParse(id).success ? ` since ${timeOfId(id).slice(0, 16).replace('T', ' ')} UTC` : ''
  const what = names.length === 0 ? 'what lay in the way' : `VM ${names.join(' and ')} as it was`
  const files = paths.map((path) => `, ${path}`).join('')
  return {
    kind: 'kept aside',
    what: `${what} before restore ${id}, kept${since}: ${formatBytes(bytes)} (${asideDirectory(id)}${files})`,
    remedy: `keep it until you are content with the restored VM, then: stillpoint doctor HOST --let-go ${id}`
  }
}

/**
 * Removes what a restore has kept aside: each file that is the one which was renamed then, and that nobody needs. What is
 * not stays, and is answered.
 */
export async function letGo(shell: Shell, id: string): Promise<LetGo> {
  if (!existsSync(asideDirectory(id))) fail({ kind: 'not-found', what: 'job', name: id, where: ASIDE_DIR })
  const report = readReport(id)
  if (report !== undefined && !isEnded(report.state))
    fail({ kind: 'vm-busy', vm: report.vm.name, by: `job ${id}`, since: report.startedAt })
  const result = { removed: [] as string[], freedBytes: 0, kept: [] as { path: string; because: string }[] }
  for (const rename of asidesOf(id).flatMap(({ renames }) => renames)) {
    const { to, format } = rename
    if (!existsSync(to)) continue
    const bytes = await allocatedBytes(to)
    const verdict = await removeIfProven(shell, {
      path: to,
      ...(format && { format }),
      made: () => theOneSeen(to, rename),
      content: shown('its owner lets go of it')
    })
    if (verdict.kind === 'keep') result.kept.push({ path: verdict.path, because: verdict.because })
    else {
      result.removed.push(to)
      result.freedBytes += bytes
    }
  }
  if (result.kept.length === 0) await forgetAside(shell, id)
  return result
}

async function forgetAside(shell: Shell, id: string): Promise<void> {
  const made = shown('it was made by the restore of that id')
  await removeIfProven(shell, { path: asideDirectory(id), made, content: shown('its owner lets go of it') })
}

/** One for each VM, and one for what no VM had. A file that does not parse is of no use, and is no reason to stop. */
function asidesOf(id: string): Aside[] {
  const folder = asideDirectory(id)
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? join(folder, entry.name, 'vm.json') : join(folder, entry.name)))
    .filter((path) => path.endsWith('.json') && existsSync(path))
    .flatMap((path) => Aside.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? [])
}

async function allocatedBytes(path: string): Promise<number> {
  const file = await lstat(path).catch(() => undefined)
  if (file === undefined) return 0
  if (!file.isDirectory()) return file.blocks * 512
  return sum((await readdir(path)).map((name) => allocatedBytes(join(path, name))))
}

const sum = async (numbers: readonly Promise<number>[]): Promise<number> =>
  (await Promise.all(numbers)).reduce((total, each) => total + each, 0)
