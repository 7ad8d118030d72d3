import { readFile, lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { localShell } from '../../shell/local.ts'

const [BY_GROUP, BY_ALL, STICKY] = [0o020, 0o002, 0o1000]

/** Users and groups that distributions run QEMU and libvirt by, and let its operators be in; the latter are root anyway. */
const OF_LIBVIRT = ['root', 'libvirt', 'libvirt-qemu', 'libvirt-admin', 'qemu', 'kvm', 'tss']

/**
 * Who besides root and libvirt could exchange a file in this folder, resolved, while it is written: as ssh asks of the folders of
 * its keys, up to the root. In words; undefined: nobody.
 */
export async function othersWhoWriteTo(folder: string): Promise<string | undefined> {
  const [users, groups] = await Promise.all(['/etc/passwd', '/etc/group'].map(idsOfLibvirt))
  const self = process.geteuid?.() ?? 0
  for (let at = folder; at !== '/'; at = dirname(at)) {
    const stats = await lstat(at).catch(() => undefined)
    if (stats === undefined) return `nobody can tell who may write to ${at}`
    const { uid, gid, mode } = stats
    if (uid !== self && users?.has(uid) !== true) return `${at} belongs to user ${uid}`
    // What is in a sticky folder only its owner renames; the folder asked about is one to make files in.
    if (at !== folder && (mode & STICKY) !== 0) continue
    if ((mode & BY_ALL) !== 0) return `everybody may write to ${at}`
    if ((mode & BY_GROUP) === 0) continue
    if (groups?.has(gid) !== true) return `group ${gid} may write to ${at}`
    if (await hasAccessList(at)) return `others may write to ${at} by its access list`
  }
  return undefined
}

/** Whether a file of that user is root's, libvirt's or that of its VMs. */
export const isOfLibvirt = async (uid: number): Promise<boolean> =>
  uid === (process.geteuid?.() ?? 0) || (await idsOfLibvirt('/etc/passwd')).has(uid)

/** Numbers of those names. */
async function idsOfLibvirt(file: string): Promise<ReadonlySet<number>> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'))
  return new Set([0, ...lines.flatMap(([name = '', , id]) => (OF_LIBVIRT.includes(name) ? [Number(id)] : []))])
}

/** Where a folder has one, the bits of its group are the most that anybody on the list may do; `ls` marks it with a plus. */
async function hasAccessList(folder: string): Promise<boolean> {
  const listed = await localShell()
    .run(['ls', '-ld', '--', folder])
    .catch(() => undefined)
  return listed !== undefined && /^\S{10}\+/.test(listed.stdout)
}
