import { attachLab, startLab, type Lab } from './lab.ts'
import { sharedLabName } from './shared-lab.ts'

/** One lab for all test files. A lab that is up already is used as it is and left up, which saves the next run time. */
export async function setup(): Promise<() => Promise<void>> {
  if (isUp(sharedLabName())) return () => Promise.resolve()
  const lab: Lab = await startLab({ name: sharedLabName(), trixie: process.env['STILLPOINT_LAB_TRIXIE'] === '1' })
  return () => lab.stop()
}

function isUp(name: string): boolean {
  try {
    return attachLab(name).hosts.every((host) => host.isOn)
  } catch {
    return false
  }
}
