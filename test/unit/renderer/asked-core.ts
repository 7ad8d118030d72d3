import { contract, type Bridge } from '../../../src/shared/contract.ts'
import { mapValues, type Contract } from '../../../src/shared/contract-shape.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import { failed, succeeded, type Result } from '../../../src/shared/result.ts'

export interface Asked {
  readonly channel: string
  readonly question: unknown
  readonly succeeds: (value?: unknown) => Promise<void>
  readonly fails: (failure: Failure) => Promise<void>
}

/** A core that answers when the test says so: to see what a window makes of answers that come late or never. */
export function askedCore(): { readonly bridge: Bridge; readonly asked: Asked[]; last: (channel: string) => Asked } {
  const asked: Asked[] = []
  const hear = (channel: string) => (question: unknown) =>
    new Promise<Result<unknown>>((resolve) => {
      const answer = async (result: Result<unknown>): Promise<void> => {
        resolve(result)
        await settled()
      }
      asked.push({
        channel,
        question,
        succeeds: (value) => answer(succeeded(value)),
        fails: (failure) => answer(failed(failure))
      })
    })
  const bridge = mapValues(contract as Contract, (group, name) =>
    mapValues(group, (_, verb) => hear(`${name}.${verb}`))
  )
  const last = (channel: string): Asked => {
    const found = asked.findLast((each) => each.channel === channel)
    if (found === undefined) throw new Error(`${channel} was not asked; ${asked.map((a) => a.channel).join(', ')} were`)
    return found
  }
  return { bridge: bridge as unknown as Bridge, asked, last }
}

/** Lets everything that waits for an answer go on. Not by a timer: those may be fake. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
