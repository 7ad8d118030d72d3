import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { failureOf, isFailure } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import type { Shell } from '../../shared/shell.ts'
import { listSecrets, type Secret } from '../../libvirt/secrets.ts'
import { dropStep, isSidecar, jobOf } from '../capture/capture-plan.ts'
import { entriesWithLate } from '../capture/late-journal.ts'
import { dropKey, SECRETS, undefineByHand } from '../capture/overlay-keys.ts'
import { isGone } from '../evidence/presence.ts'
import { secretUser } from '../evidence/secret-users.ts'
import { openJobs } from '../jobs/job-directory.ts'
import { BackupTrace } from '../recover/trace.ts'
import type { Finding } from './doctor.ts'

/**
 * Keys of ours that libvirt has though their overlay is gone and no VM names them. An overlay that its own job has removed
 * needs its key no more; one that was moved, or put aside with its VM, may.
 */
export async function lostKeys(shell: Shell): Promise<Finding[]> {
  const secrets = await secretsHere(shell).catch((error: unknown) => [unseen('which keys libvirt has', error)])
  const findings = await Promise.all(
    secrets.map(async (secret) =>
      'kind' in secret
        ? secret
        : findingOf(shell, secret).catch((error: unknown) => unseen(`whose key ${secret.usage} is`, error))
    )
  )
  return findings.flatMap((finding) => finding ?? [])
}

/** A host that has nothing to keep secrets has none of ours, nor has one whose secrets nobody serves, if none on its disk is. */
const secretsHere = (shell: Shell): Promise<(Secret | Finding)[]> =>
  listSecrets(shell).catch(async (error: unknown) => {
    if (!isFailure(error, 'command-failed')) throw error
    const { stderr } = error.failure
    if (HAS_NO_SECRETS.test(stderr) || (IS_NOT_THERE.test(stderr) && !(await hasOursOnDisk()))) return []
    throw error
  })

/** Source: virSecretListAllSecrets, with VIR_ERR_NO_SUPPORT, in libvirt's virerror.c. */
const HAS_NO_SECRETS = /this function is not supported by the connection driver/
/** virtqemud asks a daemon for it that this host may not have. */
const IS_NOT_THERE = /virtsecretd-sock': No such file/

async function hasOursOnDisk(): Promise<boolean> {
  const names = await readdir(SECRETS).catch(() => [])
  const texts = names.filter((name) => name.endsWith('.xml')).map((name) => readFile(join(SECRETS, name), 'utf8'))
  return (await Promise.all(texts)).some((text) => text.includes('.stillpoint-'))
}

function unseen(what: string, error: unknown): Finding {
  const { title, explanation } = describeFailure(failureOf(error))
  return { kind: 'key', what: `it could not be seen ${what}`, remedy: `look again later: ${title}. ${explanation}` }
}

async function findingOf(shell: Shell, { uuid, usage }: Secret): Promise<Finding | undefined> {
  const path = usage.replace(/^volume /, '')
  if (!isSidecar(path) || openJobs().includes(jobOf(path))) return undefined
  const trace = new BackupTrace(entriesWithLate(jobOf(path)))
  const disk = trace.plan?.disks.find(
    ({ sidecar, encryption }) => sidecar === path && encryption?.overlaySecret === uuid
  )
  // What may be mounted again is not gone.
  const isThere = !(await isGone(path, '', disk?.mountPoint).catch(() => false))
  if (isThere || (await secretUser(shell, uuid, path)) !== undefined) return undefined
  const what = `libvirt has the key (secret ${uuid}) of the overlay ${path}, which is not there`
  if (disk === undefined || !trace.announcedSincePlan(dropStep(disk.target)))
    return { kind: 'key', what, remedy: undefineByHand(uuid, disk?.encryption) }
  const remedy = 'remove it: all that the overlay held was in its image when it went'
  return { kind: 'key', what, remedy, repair: () => dropKey(shell, disk) }
}
