import { isFailure } from '../../src/shared/failure.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { waitFor } from './run.ts'

/** A host comes back to a job that it cannot put right within two minutes, on a machine that may be busy. */
export const NEXT_TRY_MS = 600_000

/** The host goes on trying to put an earlier job right, and holds its VM meanwhile. */
export const betweenTries = (run: () => Promise<JobReport>): Promise<JobReport> =>
  waitFor(
    'the VM to be free',
    () =>
      run().catch((error: unknown) => {
        if (isFailure(error, 'vm-busy')) return undefined
        throw error
      }),
    { timeoutMs: NEXT_TRY_MS, everyMs: 500 }
  )
