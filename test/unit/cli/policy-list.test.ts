import { rmSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { listCommand } from '../../../src/main/doors/cli/commands/policy-list.ts'
import type { Session } from '../../../src/main/doors/cli/session.ts'
import { EXIT } from '../../../src/main/doors/cli/exit-codes.ts'
import { firstPolicies, PolicyListing } from '../../../src/shared/views/policy-view.ts'
import { PaperLaptop } from '../live/paper-laptop.ts'
import { policyOf } from '../made-policies.ts'

let laptop: PaperLaptop
afterEach(() => rmSync(laptop.folder, { recursive: true }))

it('says how many schedules of a host are not shown, to scripts too', async () => {
  laptop = new PaperLaptop(['alpha'])
  const all = Array.from({ length: 101 }, (_, n) => ({ policy: policyOf({ id: n.toString(16).padStart(12, '0') }) }))
  const { shown, ...more } = firstPolicies(all)
  const said = PolicyListing.parse({
    policies: shown,
    ...more,
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
  expect(notes).toEqual([
    'alpha has 1 more schedule than the 100 that are shown of a host: it runs, but what it promises is not watched from here; put more VMs into fewer schedules.'
  ])
  expect(result).toMatchObject({ leftOut: [{ host: 'alpha', count: 1 }] })
  expect(exit).toBe(EXIT.warnings)
})
