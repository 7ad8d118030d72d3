import { rmSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { listCommand } from '../../../src/main/doors/cli/commands/policy-list.ts'
import type { Session } from '../../../src/main/doors/cli/session.ts'
import { EXIT } from '../../../src/main/doors/cli/exit-codes.ts'
import type { Policy } from '../../../src/shared/model/policy.ts'
import { firstPolicies, PolicyListing, type PolicyState } from '../../../src/shared/views/policy-view.ts'
import { PaperLaptop } from '../live/paper-laptop.ts'
import { policyOf } from '../made-policies.ts'

let laptop: PaperLaptop
afterEach(() => rmSync(laptop.folder, { recursive: true }))

/** What the command says of what the host has, to people and to scripts. */
async function listed(policies: readonly PolicyState[], leftOut?: number) {
  laptop = new PaperLaptop(['alpha'])
  const said = PolicyListing.parse({
    policies,
    leftOut,
    broken: [],
    timeZone: 'UTC',
    parallel: 1,
    channels: {},
    outbox: []
  })
  const engine = { call: () => Promise.resolve(said) }
  const core = { ...laptop.core, connections: { engine: () => Promise.resolve(engine) } }
  const notes: string[] = []
  let result: unknown
  const out = {
    json: false,
    line: () => undefined,
    note: (note: string) => void notes.push(note),
    result: (value: unknown) => void (result = value)
  }
  const exit = await new Promise((resolve, reject) => {
    listCommand((_, run) => void run({ core, out } as unknown as Session).then(resolve, reject)).parse([], {
      from: 'user'
    })
  })
  return { notes, result, exit }
}

const states = (count: number, more: (n: number) => Partial<Policy> = () => ({})): PolicyState[] =>
  Array.from({ length: count }, (_, n) => ({ policy: policyOf({ id: n.toString(16).padStart(12, '0'), ...more(n) }) }))

it('says how many schedules of a host are not shown, to scripts too', async () => {
  const { shown, leftOut } = firstPolicies(states(101))
  const { notes, result, exit } = await listed(shown, leftOut)
  expect(notes).toEqual([
    'alpha has 1 more schedule than the 100 that are shown of a host: it runs, but what it promises is not watched from here; put more VMs into fewer schedules.'
  ])
  expect(result).toMatchObject({ leftOut: [{ host: 'alpha', count: 1 }] })
  expect(exit).toBe(EXIT.warnings)
})

it('says which stores of a host are too many to be asked, to scripts too', async () => {
  const { notes, result, exit } = await listed(states(24, (n) => ({ store: `/srv/${n}` })))
  expect(notes).toEqual([
    'alpha has more stores than the 20 that are asked of a host: the points in /srv/19, /srv/20, /srv/21 and 2 more are not shown, and count for no VM. Let several schedules share a store. Stores that no schedule uses any more are forgotten when the host is taken out (stillpoint host remove alpha) and added again.'
  ])
  const storesLeftOut = Array.from({ length: 5 }, (_, n) => `/srv/${n + 19}`)
  expect(result).toMatchObject({ storesLeftOut: [{ host: 'alpha', storesLeftOut }] })
  expect(exit).toBe(EXIT.warnings)
})
