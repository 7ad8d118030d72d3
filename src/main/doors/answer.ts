import * as z from 'zod'
import { channelsOf, type Call, type Contract, type HandlersOf } from '../../shared/contract-shape.ts'
import { failureOf, type Failure, type FailureOf } from '../../shared/failure.ts'
import { failed, succeeded, type Result } from '../../shared/result.ts'

/** Answers one question that came through a door, whatever was sent. Never rejects. */
export type Answerer = (channel: string, question: readonly unknown[]) => Promise<Result<unknown>>
/** Where bugs are written down; the window only gets the reference. */
export type BugReport = (bug: FailureOf<'bug'>) => void

type Handle = (question: unknown) => Promise<unknown>

/** The contract's calls as one function: what is not in the contract, or not as it says, is refused in words. */
export function answererOf<C extends Contract>(contract: C, handlers: HandlersOf<C>, report: BugReport): Answerer {
  const calls = new Map(callsOf(contract).map(([name, call]) => [name, { call, handle: handlerAt(handlers, name) }]))
  return async (channel, question) => {
    const found = calls.get(channel)
    if (found === undefined) return refused(`There is no call ${channel}.`)
    if (question.length > 1) return refused(`${channel} takes one question, ${question.length} came.`)
    const checked = found.call.question.safeParse(question[0])
    if (!checked.success) return refused(`${channel}: ${z.prettifyError(checked.error)}`)
    return answered(found.call, () => found.handle(checked.data), report)
  }
}

/** Names of all calls, with the schemas of their questions and answers. */
export const callsOf = (contract: Contract): readonly (readonly [name: string, call: Call])[] =>
  channelsOf(contract).flatMap(([name, channel]) => (channel.kind === 'call' ? [[name, channel] as const] : []))

async function answered(call: Call, handle: () => Promise<unknown>, report: BugReport): Promise<Result<unknown>> {
  try {
    return succeeded(call.answer.parse(await handle()))
  } catch (error) {
    return failed(forTheWindow(failureOf(error), report))
  }
}

/** A stack is for the log: the window shows the reference by which it is found there. */
export function forTheWindow(failure: Failure, report: BugReport): Failure {
  if (failure.kind !== 'bug') return failure
  report(failure)
  return { ...failure, message: '' }
}

const refused = (message: string): Result<never> => failed({ kind: 'usage', message })

/** Types guarantee that it is there; they cannot follow the name. */
export function handlerAt(handlers: object, channel: string): Handle {
  const [group = '', name = ''] = channel.split('.')
  const found = (handlers as Readonly<Record<string, Readonly<Record<string, Handle>>>>)[group]?.[name]
  if (found === undefined) throw new Error(`no handler for ${channel}`)
  return found
}
