import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { reserveAtStart, spaceAt } from '../../store/free-space.ts'
import { isCode } from '../../store/file-io.ts'
import { entriesOf } from '../../store/point-files.ts'
import { removeStaleLock, withHostLock } from '../jobs/host-lock.ts'
import { noteInLock, notesOf, releaseNoted } from '../jobs/noted-lock.ts'
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

/** What was claimed is written, or will not be. */
export const releaseClaim = (id: string): Promise<void> => releaseNoted(claimName(id))

/** What a job that was killed has claimed. Safe to do again. */
export async function forgetClaim(id: string): Promise<void> {
  await removeStaleLock(claimName(id))
}

interface SpaceNeed {
  readonly space: string
  readonly folder: string
  readonly needs: Need[]
}

async function spacesOf(needs: readonly Need[]): Promise<SpaceNeed[]> {
  const spaces = new Map<string, SpaceNeed>()
  for (const need of needs) {
    const folder = await existingFolder(need.folder)
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

/** Nobody makes one meanwhile. One that cannot be read is of another engine's making, or ends just now. */
async function claimsOfOthers(id: string | undefined): Promise<Claim[]> {
  const notes = await notesOf(PREFIX, id === undefined ? undefined : claimName(id))
  return notes.flatMap((note) => Claimed.safeParse(note).data?.claims ?? [])
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
  const claims = spaces.map(({ space, needs }): Claim => ({
    space,
    bytes: sum(needs.map(({ likelyBytes }) => likelyBytes)),
    files: [...new Set(needs.flatMap(({ files }) => files))]
  }))
  await noteInLock(claimName(id), `job ${id}`, { claims })
}
