import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { attachLab, startLab } from './lab.ts'

/**
 * One lab for all test files, named by STILLPOINT_TEST_LAB or "test". A lab that is up already is used
 * as it is and stays up, which makes the next run start at once. The engine is built as it is in the checkout.
 */
export async function setup(): Promise<() => Promise<void>> {
  execFileSync(process.execPath, [join(import.meta.dirname, '../../scripts/build-node.mjs')], { stdio: 'inherit' })
  const name = process.env['STILLPOINT_TEST_LAB'] ?? 'test'
  if (isUp(name)) return () => Promise.resolve()
  const lab = await startLab({ name, trixie: true })
  return () => lab.stop()
}

function isUp(name: string): boolean {
  try {
    return attachLab(name).hosts.every((host) => host.isOn)
  } catch {
    return false
  }
}
