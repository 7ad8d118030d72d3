import type { Shell } from '../shared/shell.ts'
import { namesOf } from './snapshot.ts'
import { virsh } from './virsh.ts'
import { attribute, childAt, parseXml, textOf } from './xml.ts'

/**
 * Folders of libvirt's active storage pools: those that keep images as files. None where libvirt has no storage driver: whoever
 * asks then knows of fewer folders, never of more.
 */
export async function poolFolders(shell: Shell): Promise<string[]> {
  const listed = await virsh(shell, ['pool-list', '--name'], { expect: [0, 1] }) // 1: no storage driver
  const folders: string[] = []
  for (const name of listed.exitCode === 0 ? namesOf(listed.stdout) : []) {
    const result = await virsh(shell, ['pool-dumpxml', '--pool', name], { expect: [0, 1] }) // 1: gone meanwhile
    if (result.exitCode === 0) folders.push(...folderIn(result.stdout))
  }
  return folders
}

const KEEP_FILES = ['dir', 'fs', 'netfs', 'gluster', 'vstorage']

function folderIn(xml: string): string[] {
  const pool = parseXml(xml, 'storage pool XML').documentElement ?? undefined
  const path = textOf(childAt(pool, 'target', 'path'))
  return path !== undefined && path.startsWith('/') && KEEP_FILES.includes(attribute(pool, 'type') ?? '') ? [path] : []
}
