import * as z from 'zod'
import type { Failure } from './failure.ts'

/** Where a failure crosses a wire it is checked for its kind only; words are made where it is shown. */
export const FailureData = z.looseObject({ kind: z.string() }).transform((value) => value as unknown as Failure)
