import type { Failure } from './failure.ts'

/** What crosses between window and core: errors are data there, never exceptions. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure }

export const succeeded = <T>(value: T): Result<T> => ({ ok: true, value })
export const failed = (failure: Failure): Result<never> => ({ ok: false, failure })
