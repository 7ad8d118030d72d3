import { failureFrom } from '../../shared/failure-data.ts'
import type { Failure } from '../../shared/failure.ts'
import { describeFailure, type FailureWords } from '../../shared/failure-words.ts'
import { safeJson, safeLines } from '../../shared/safe-text.ts'
import { windowNextStep } from './next-steps.ts'

export interface FailureShown extends FailureWords {
  /** For a mail or a bug report: the words, and below them the failure as the program has it. */
  readonly details: string
}

/** A failure as the window shows it. Names in it may come from hosts, so nothing invisible gets through. */
export function failureShown(told: Failure): FailureShown {
  const failure = failureFrom(told)
  const { title, explanation, ...words } = describeFailure(failure)
  const nextStep = windowNextStep(failure) ?? words.nextStep
  const [safeTitle, safeExplanation, safeNext] = [safeLines(title), safeLines(explanation), safeLines(nextStep)]
  const details = [safeTitle, safeExplanation, safeNext, safeJson(failure, 2)]
  return {
    title: safeTitle,
    explanation: safeExplanation,
    nextStep: safeNext,
    details: details.filter((part) => part !== '').join('\n\n')
  }
}
