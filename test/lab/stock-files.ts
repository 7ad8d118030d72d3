import { basename } from 'node:path'
import type { QemuUser } from './root-tree.ts'

/**
 * Test files for which QEMU runs as Debian ships it, which is how most operators have it; for the others it runs as root,
 * as some do. Every kind of job is seen on both.
 */
const STOCK = [
  'adopt',
  'backup',
  'busy',
  'copy',
  'debian13',
  'firmware',
  'freeze',
  'hosts',
  'names',
  'needs-restore',
  'odd-disks',
  'other-disks',
  'others-act',
  'policy',
  'postgres',
  'preflight',
  'recovery',
  'recovery-host',
  'replace',
  'replace-undo',
  'restore',
  'retention',
  'room',
  'twin',
  'undo-killed'
]
export const STOCK_FILES: readonly string[] = STOCK.map((name) => `${name}.test.ts`)

/** As whom QEMU runs while a test file has the lab. STILLPOINT_LAB_QEMU=stock or =root has all files run on one of them. */
export function qemuUserFor(file: string, wish = process.env['STILLPOINT_LAB_QEMU']): QemuUser {
  if (wish === 'stock' || wish === 'root') return wish
  return STOCK_FILES.includes(basename(file)) ? 'stock' : 'root'
}
