import { rmSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { pointsCommand } from '../../../src/main/doors/cli/commands/points.ts'
import type { Perform } from '../../../src/main/doors/cli/run-program.ts'
import type { Session } from '../../../src/main/doors/cli/session.ts'
import { idAt, jobAt, PaperLaptop, pointAt } from '../live/paper-laptop.ts'

let laptop: PaperLaptop
afterEach(() => rmSync(laptop.folder, { recursive: true }))

/** What `stillpoint points` says, and gives to scripts. */
async function said(): Promise<{ lines: string[]; notes: string[]; result: unknown }> {
  const all = { lines: [] as string[], notes: [] as string[], result: undefined as unknown }
  const out = {
    json: false,
    line: (lines: string | string[]) => void all.lines.push(...[lines].flat()),
    note: (note: string) => void all.notes.push(note),
    result: (result: unknown) => void (all.result = result)
  }
  const done = new Promise<void>((resolve, reject) => {
    const perform = (_: unknown, run: (session: Session) => Promise<unknown>): void =>
      void run({ core: laptop.core, out } as unknown as Session).then(() => resolve(), reject)
    pointsCommand(perform).parse([], { from: 'user' })
  })
  await done
  return all
}

it('says of which points the host that they were taken on has never told', async () => {
  laptop = new PaperLaptop(['alpha', 'beta'])
  await laptop.history.addJobs([jobAt(5, 'alpha')])
  laptop.lists('alpha', [pointAt(30)])
  laptop.lists('beta', [pointAt(30), pointAt(5), pointAt(2), pointAt(1)])
  const { lines, notes, result } = await said()
  const saying = lines.filter((line) => line.includes('alpha never told of it'))
  expect(saying.map((line) => line.split(' ')[0])).toEqual([idAt(2), idAt(1)])
  expect(notes).toEqual([
    'alpha/web <1>: Host beta has 2 points of it that alpha never told of: they can be restored, but do not count.'
  ])
  expect((result as { points: { notToldBy?: string }[] }).points.map(({ notToldBy }) => notToldBy)).toEqual([
    undefined,
    undefined,
    'alpha',
    'alpha'
  ])
})

it('says nothing of what a host that does not answer has told', async () => {
  laptop = new PaperLaptop(['alpha', 'beta'])
  laptop.lists('beta', [pointAt(2)])
  const { lines, notes } = await said()
  expect(lines.join('\n')).not.toContain('never told')
  expect(notes.join('\n')).not.toContain('never told')
})
