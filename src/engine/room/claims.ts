import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as z from 'zod'
import { RUN_DIR } from '../../shared/host-paths.ts'
import { reserveAtStart, spaceAt } from '../../store/free-space.ts'
import { isCode } from '../../store/file-io.ts'
import { entriesOf } from '../../store/point-files.ts'
import { lockPath, tryHostLock, withHostLock, type HostLock } from '../jobs/host-lock.ts'
import { existingFolder, mountAt, spaceOf } from './file-systems.ts'

/** What a job will write somewhere. */
export interface Need {
  /** The folder, which need not be there yet. */
  readonly folder: string
  /** In the operator's words: `the copy of the disks`. */
  readonly forWhat: string
  /** By what is known of the VM now. */
  readonly likelyBytes: number
  /** If everything grows as much as it can. */
  readonly worstBytes: number
  /** Files and folders that will hold it: what they take already is no longer to come. */
  readonly files: readonly string[]
}

/** A file system that has too little for a job, or might have. */
export interface Shortage {
  readonly path: string
  /** The folders of the needs that it is short of. */
  readonly folders: readonly string[]
  readonly forWhat: string
  readonly neededBytes: number
  readonly freeBytes: number
  /** Of what is free, this is for jobs that are under way. */
  readonly claimedBytes: number
  /** And this stays free. */
  readonly reserveBytes: number
  /** Also what is likely does not fit, not only the worst. */
  readonly isCertain: boolean
  readonly missingBytes: number
}

const Claim = z.object({ space: z.string(), bytes: z.number().nonnegative(), files: z.array(z.string()) })
type Claim = z.infer<typeof Claim>
const Claimed = z.object({ claims: z.array(Claim) })

/** All jobs of this host in turn: two that look at the same free bytes must not both take them. */
const IN_TURN = 'room'
const PREFIX = 'room-'
const claimName = (id: string): string => `${PREFIX}${id}`

/**
 * Sees whether there is room, besides what other jobs of this host will still write, and claims it for this process. The
 * claim ends with the process, however that ends. Nothing is claimed where too little is certain.
 */
export function claimRoom(id: string, needs: readonly Need[]): Promise<Shortage[]> {
  return withHostLock(IN_TURN, `job ${id}`, async () => {
    const spaces = await spacesOf(needs)
    const shortages = await shortagesIn(spaces, await claimsOfOthers(id))
    if (!shortages.some(({ isCertain }) => isCertain)) await writeClaim(id, spaces)
    return shortages
  })
}

/** The same without a claim: for a restore that nobody has begun. */
export function lookForRoom(needs: readonly Need[]): Promise<Shortage[]> {
  return withHostLock(IN_TURN, 'a look at the room', async () =>
    shortagesIn(await spacesOf(needs), await claimsOfOthers(undefined))
  )
}

/** What a job that was killed has claimed. Safe to do again. */
export async function forgetClaim(id: string): Promise<void> {
  if (existsSync(lockPath(claimName(id)))) await (await tryHostLock(claimName(id), 'recovery'))?.release()
}

interface SpaceNeed {
  readonly space: string
  readonly folder: string
  readonly needs: Need[]
}

async function spacesOf(needs: readonly Need[]): Promise<SpaceNeed[]> {
  const spaces = new Map<string, SpaceNeed>()
  for (const need of needs) {
    const folder = existingFolder(need.folder)
    const mount = await mountAt(folder)
    const space = mount === undefined ? folder : spaceOf(mount)
    const found = spaces.get(space) ?? { space, folder, needs: [] }
    found.needs.push(need)
    spaces.set(space, found)
  }
  return [...spaces.values()]
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)

async function shortagesIn(spaces: readonly SpaceNeed[], others: readonly Claim[]): Promise<Shortage[]> {
  const shortages: Shortage[] = []
  for (const { space, folder, needs } of spaces) {
    const { freeBytes, totalBytes } = await spaceAt(folder)
    const claimedBytes = sum(await Promise.all(others.filter((claim) => claim.space === space).map(stillToCome)))
    const reserveBytes = Math.ceil(reserveAtStart(totalBytes))
    const available = freeBytes - claimedBytes - reserveBytes
    const likely = Math.ceil(sum(needs.map(({ likelyBytes }) => likelyBytes)))
    const worst = Math.ceil(sum(needs.map(({ worstBytes }) => worstBytes)))
    const isCertain = likely > available
    const neededBytes = isCertain ? likely : worst
    if (neededBytes <= available) continue
    const forWhat = [...new Set(needs.map((need) => need.forWhat))].join(' and ')
    const missingBytes = neededBytes - available
    shortages.push({
      path: folder,
      folders: needs.map((need) => need.folder),
      forWhat,
      neededBytes,
      freeBytes,
      claimedBytes,
      reserveBytes,
      isCertain,
      missingBytes
    })
  }
  return shortages
}

/** Claims of processes that live. Nobody makes one meanwhile. */
async function claimsOfOthers(id: string | undefined): Promise<Claim[]> {
  const names = readdirSync(RUN_DIR)
    .filter((name) => name.startsWith(PREFIX) && name.endsWith('.lock'))
    .map((name) => basename(name, '.lock'))
  const claims: Claim[] = []
  for (const name of names) {
    if (id !== undefined && name === claimName(id)) continue
    const stale = await tryHostLock(name, 'a look whose it is')
    if (stale === undefined) claims.push(...readClaims(name))
    else await stale.release()
  }
  return claims
}

/** One that cannot be read is of another engine's making, or ends just now. */
function readClaims(name: string): Claim[] {
  try {
    return Claimed.parse(JSON.parse(readFileSync(lockPath(name), 'utf8'))).claims
  } catch {
    return []
  }
}

async function stillToCome({ bytes, files }: Claim): Promise<number> {
  return Math.max(0, bytes - sum(await Promise.all(files.map(allocatedBytes))))
}

/** What a file, or all in a folder, takes on disk. Nothing, if it is not there. */
export async function allocatedBytes(path: string): Promise<number> {
  try {
    const stats = await lstat(path)
    if (!stats.isDirectory()) return stats.blocks * 512
    let all = 0
    for await (const entry of entriesOf(path)) all += (await lstat(join(path, entry))).blocks * 512
    return all
  } catch (error) {
    // A file that goes while we look is no longer in anybody's way.
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return 0
    throw error
  }
}

async function writeClaim(id: string, spaces: readonly SpaceNeed[]): Promise<void> {
  const name = claimName(id)
  const lock = claimed.get(name) ?? (await tryHostLock(name, `job ${id}`))
  if (lock === undefined) return // another process of the same job has it
  const claims = spaces.map(({ space, needs }): Claim => {
    return {
      space,
      bytes: sum(needs.map(({ likelyBytes }) => likelyBytes)),
      files: [...new Set(needs.flatMap(({ files }) => files))]
    }
  })
  writeFileSync(lockPath(name), JSON.stringify({ by: `job ${id}`, since: new Date().toISOString(), claims }))
  if (claimed.size === 0) process.once('exit', removeClaims)
  claimed.set(name, lock)
}

/** Of this process. Their locks end with it. */
const claimed = new Map<string, HostLock>()

/** A lock that nobody holds any more does no harm, but it is not left lying about. */
function removeClaims(): void {
  for (const name of claimed.keys()) rmSync(lockPath(name), { force: true })
}

/** What was claimed is written, or will not be. */
export async function releaseClaim(id: string): Promise<void> {
  const lock = claimed.get(claimName(id))
  claimed.delete(claimName(id))
  await lock?.release()
}
