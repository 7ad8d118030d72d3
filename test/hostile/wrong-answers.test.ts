import { describe, it } from 'vitest'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { engineVerbs, type EngineVerb } from '../../src/shared/engine-protocol.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { failureOf } from '../../src/shared/failure.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { judge } from './attacks.ts'
import type { Outcome } from './core-process.ts'
import { GoodHost, line } from './good-host.ts'
import { tallyOf } from './tally.ts'
import { takenAs, toldOf, wrongAnswers } from './wrong-answers.ts'

const tally = tallyOf('answers with one thing wrong')
const [good, liar] = [new GoodHost('good', 1), new GoodHost('hostile', 2)]
const id = liar.jobs[0]?.id ?? ''
const others = {
  host: good.name,
  id: good.jobs[0]?.id ?? '',
  uuid: good.vms[0]?.uuid ?? '',
  vm: good.vms[0]?.name ?? ''
}
/** An export is a stream, of which nothing is read as an answer. */
const VERBS = (Object.keys(engineVerbs) as EngineVerb[]).filter((verb) => verb !== 'export')

async function outcomeOf(verb: EngineVerb, said: unknown): Promise<Outcome> {
  const shell = fakeShell(() => ({ stdout: line({ result: said }) }))
  const question = { id, from: 0, stores: ['/srv/points'], store: '/srv/points', point: id, have: {} }
  try {
    const answer = await engineCall({ shell, host: liar.name, node: '/n', engine: '/e' }, verb, question as never)
    return { is: 'answer', ...toldOf(answer), heldMs: 0 }
  } catch (error) {
    const failure = failureOf(error)
    const { title, explanation, nextStep } = describeFailure(failure)
    return { is: 'failure', failure, words: [title, explanation, nextStep], heldMs: 0 }
  }
}

describe('an answer of an engine that has one thing wrong in it', () => {
  it.each(VERBS)('is refused, or put right and nothing else, wherever that is: %s', async (verb) => {
    for (const { value } of wrongAnswers(liar.resultOf(verb, { id }), others))
      await tally.tried(async () =>
        judge(await outcomeOf(verb, value), liar.name, { digest: takenAs(verb, value, liar.name) })
      )
  })
})
