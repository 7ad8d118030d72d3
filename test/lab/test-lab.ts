import { attachLab, type Lab } from './lab.ts'

/** The lab that this test run shares. */
export const testLab = (): Lab => attachLab(process.env['STILLPOINT_TEST_LAB'] ?? 'test')
