import { attachLab, type Lab } from './lab.ts'

/** Which lab the test files share: the one named by STILLPOINT_LAB, or one of their own. */
export const sharedLabName = () => process.env['STILLPOINT_LAB'] ?? 'test'

/** The lab that vitest-setup.ts has set up, or found up. */
export function sharedLab(): Lab {
  return attachLab(sharedLabName())
}
