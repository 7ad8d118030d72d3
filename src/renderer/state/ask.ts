import { failureOf } from '../../shared/failure.ts'
import { failed, type Result } from '../../shared/result.ts'

/** The answer, whatever became of the way to the core: a door that broke is a failure like others. */
export async function ask<T>(question: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await question()
  } catch (error) {
    return failed(failureOf(error))
  }
}
