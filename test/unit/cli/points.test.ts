import { rmSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { idAt, jobAt, PaperLaptop, pointAt } from '../live/paper-laptop.ts'
import { pointsSaid } from './points-said.ts'

let laptop: PaperLaptop
afterEach(() => rmSync(laptop.folder, { recursive: true }))

it('says of which points the host that they were taken on has never told', async () => {
  laptop = new PaperLaptop(['alpha', 'beta'])
  await laptop.history.addJobs([jobAt(5, 'alpha')])
  laptop.lists('alpha', [pointAt(30)])
  laptop.lists('beta', [pointAt(30), pointAt(5), pointAt(2), pointAt(1)])
  const { lines, notes, result } = await pointsSaid(laptop)
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
  const { lines, notes } = await pointsSaid(laptop)
  expect(lines.join('\n')).not.toContain('never told')
  expect(notes.join('\n')).not.toContain('never told')
})
