import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { LetGo } from '../../shared/engine-protocol.ts'
import { fail } from '../../shared/failure.ts'
import { formatBytes } from '../../shared/format.ts'
import { ASIDE_DIR, DEFAULT_STORE } from '../../shared/host-paths.ts'
import { JobId, timeOfId, Uuid } from '../../shared/model/ids.ts'
import { isEnded } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { listPointsOf } from '../../store/point-store.ts'
import { removeIfProven, shown } from '../evidence/removal.ts'
import { readReport } from '../jobs/job-directory.ts'
import { theOneSeen } from '../restore/displace.ts'
import { asideDirectory } from '../restore/kept-records.ts'
import { Rename } from '../restore/restore-plan.ts'
import type { Finding } from './doctor.ts'

/** What a restore has replaced, and keeps until its owner lets go of it. */
const Aside = z.object({ uuid: Uuid.optional(), name: z.string().optional(), renames: z.array(Rename) })
type Aside = z.infer<typeof Aside>

/** Of all restores of this host: which VM, since when, how much; and what of it is in no point of these stores. */
export async function keptAside(stores: readonly string[]): Promise<Finding[]> {
  if (!existsSync(ASIDE_DIR)) return []
  return Promise.all(readdirSync(ASIDE_DIR).map((id) => findingOf(id, stores)))
}

async function findingOf(id: string, stores: readonly string[]): Promise<Finding> {
  const asides = asidesOf(id)
  const kept = await filesOf(asides, stores)
  const bytes = kept.reduce((total, file) => total + file.bytes, 0)
  const names = asides.flatMap(({ name }) => name ?? [])
  const since = JobId.safeParse(id).success ? ` since ${timeOfId(id).slice(0, 16).replace('T', ' ')} UTC` : ''
  const what = names.length === 0 ? 'what lay in the way' : `VM ${names.join(' and ')} as it was`
  const files = kept.map(
    ({ rename, bytes, isInNoPoint }) => `, ${rename.to} ${formatBytes(bytes)}${isInNoPoint ? ' in no point' : ''}`
  )
  return {
    kind: 'kept aside',
    what: `${what} before restore ${id}, kept${since}: ${formatBytes(bytes)} (${asideDirectory(id)}${files.join('')})`,
    remedy: `keep it until you are content with the restored VM, then: stillpoint doctor HOST --let-go ${id}`
  }
}

/** What of a restore goes. */
export interface LettingGo {
  readonly id: string
  /** Where points may have what it has put aside. */
  readonly stores?: readonly string[] | undefined
  /** Images that are in no point, by the names that they were put aside under: each is the last there is. */
  readonly also?: readonly string[] | undefined
}

/**
 * Removes what a restore has kept aside: each file that is the one which was renamed then, and that nobody needs; images that
 * no point has only if they are named. What is not removed is answered.
 */
export async function letGo(shell: Shell, { id, stores = [], also = [] }: LettingGo): Promise<LetGo> {
  if (!existsSync(asideDirectory(id))) fail({ kind: 'not-found', what: 'job', name: id, where: ASIDE_DIR })
  const report = readReport(id)
  if (report !== undefined && !isEnded(report.state))
    fail({ kind: 'vm-busy', vm: report.vm.name, by: `job ${id}`, since: report.startedAt })
  const result = { removed: [] as string[], freedBytes: 0, kept: [] as LetGo['kept'] }
  for (const { rename, bytes, isInNoPoint } of await filesOf(asidesOf(id), stores)) {
    const { to, format } = rename
    if (isInNoPoint && !also.includes(to)) {
      const because = `it is in no point of this host, and has ${formatBytes(bytes)}`
      result.kept.push({ path: to, because, isInNoPoint })
      continue
    }
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

/** A file that is kept aside still. */
interface KeptFile {
  readonly rename: Rename
  readonly bytes: number
  /** An image of which no point has any state: what is in it is nowhere else. */
  readonly isInNoPoint: boolean
}

async function filesOf(asides: readonly Aside[], stores: readonly string[]): Promise<KeptFile[]> {
  const files: KeptFile[] = []
  for (const { uuid, renames } of asides) {
    const held = await imagesInPoints(uuid, stores)
    for (const rename of renames.filter(({ to }) => existsSync(to)))
      files.push({
        rename,
        bytes: await allocatedBytes(rename.to),
        isInNoPoint: rename.target !== undefined && !held.has(rename.from)
      })
  }
  return files
}

/** Where the images of the VM lay that points have. */
async function imagesInPoints(vm: Uuid | undefined, stores: readonly string[]): Promise<ReadonlySet<string>> {
  if (vm === undefined) return new Set()
  const listings = await Promise.all([...new Set([DEFAULT_STORE, ...stores])].map((store) => listPointsOf(store, vm)))
  return new Set(
    listings.flatMap(({ points }) => points.flatMap(({ disks }) => disks.map(({ originalSource }) => originalSource)))
  )
}

async function allocatedBytes(path: string): Promise<number> {
  const file = await lstat(path).catch(() => undefined)
  if (file === undefined) return 0
  if (!file.isDirectory()) return file.blocks * 512
  return sum((await readdir(path)).map((name) => allocatedBytes(join(path, name))))
}

const sum = async (numbers: readonly Promise<number>[]): Promise<number> =>
  (await Promise.all(numbers)).reduce((total, each) => total + each, 0)
