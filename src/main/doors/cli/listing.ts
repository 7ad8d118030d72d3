import { describeFailure } from '../../../shared/failure-words.ts'
import { formatTime } from '../../../shared/format.ts'
import type { Unreachable } from '../../core/jobs/jobs.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { Output } from './output.ts'

/** Says which hosts are missing from a list, and why. For machines they are part of the result. */
export function noteUnreachable(
  out: Output,
  hosts: readonly (Unreachable & { readonly asOf?: string | undefined })[]
): void {
  if (out.json) return
  for (const { host, failure, asOf } of hosts) {
    const { title, nextStep } = describeFailure(failure)
    const known = asOf === undefined ? '' : ` What it had is shown as of ${formatTime(asOf)}.`
    out.note([`${host}: ${title}.${known}`, ...stepsOf(nextStep)], 'warning')
  }
}

const stepsOf = (nextStep: string): string[] => (nextStep === '' ? [] : nextStep.split('\n').map((line) => `  ${line}`))

/** A list that lacks hosts is done with warnings; one that lacks the only host asked for has failed. */
export function exitOfListing(unreachable: readonly unknown[], onlyOne: boolean): ExitCode {
  if (unreachable.length === 0) return EXIT.done
  return onlyOne ? EXIT.failed : EXIT.warnings
}
