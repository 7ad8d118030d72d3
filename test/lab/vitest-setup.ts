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
  if (isUp(name)) {
    await forgetKeptAside(name)
    return () => Promise.resolve()
  }
  const lab = await startLab({ name, trixie: true })
  return () => lab.stop()
}

/** What restores of earlier files have replaced is nothing that a doctor should tell this one of. */
async function forgetKeptAside(name: string): Promise<void> {
  for (const host of attachLab(name).hosts) await host.must('rm -rf /var/lib/stillpoint/aside')
}

function isUp(name: string): boolean {
  try {
    return attachLab(name).hosts.every((host) => host.isOn)
  } catch {
    return false
  }
}
