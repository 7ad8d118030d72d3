import { rmSync } from 'node:fs'
import { MantineProvider } from '@mantine/core'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { afterEach, describe, expect, it } from 'vitest'
import { showCommand } from '../../src/main/doors/cli/commands/points.ts'
import { PointFacts } from '../../src/renderer/features/vm/point-facts.tsx'
import { groupsOf } from '../../src/renderer/features/restore/point-groups.ts'
import { safeText } from '../../src/shared/safe-text.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import { pointsSaid } from '../unit/cli/points-said.ts'
import { hostView, idAt, PaperLaptop, pointAt, vmView } from '../unit/live/paper-laptop.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('hosts that points say they were taken on')
const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

/** Names that are no host of ours, though some of them look as if they were. */
const UNKNOWN = [
  'nobody',
  'Good',
  'good ',
  ' good',
  'g\u043e\u043ed',
  'good\u200b',
  'good.example.org',
  'good:/srv',
  ''
]

/** A host that lists a point which it says was taken on a host of that name. */
function listing(host: string): PaperLaptop {
  const laptop = new PaperLaptop(['good', 'bad'])
  laptops.push(laptop)
  laptop.lists('good', [])
  laptop.lists('bad', [pointAt(1, { host: { name: host, machineId: 'e'.repeat(32) } })])
  return laptop
}

async function viewOf(laptop: PaperLaptop): Promise<PointView> {
  const { points } = await laptop.sees([hostView('good', { vms: [vmView()] }), hostView('bad')])
  const [view] = points?.points ?? []
  if (view === undefined) throw new Error('no point is shown')
  return view
}

/** On the page of its VM, and where a point is chosen for a restore. */
const inTheWindow = (point: PointView): string[] => [
  renderToStaticMarkup(createElement(MantineProvider, {}, createElement(PointFacts, { point, manifest: undefined }))),
  ...groupsOf([point], '').map(({ host }) => safeText(host))
]

describe('a host that a point says it was taken on', () => {
  it.each(UNKNOWN)('is told as the word of the point in the window, where it is none of ours: %j', async (host) => {
    await tally.tried(async () => {
      const view = await viewOf(listing(host))
      expect(view).toMatchObject({ host, isHostUnknown: true })
      for (const shown of inTheWindow(view)) expect(shown).toContain(`says: ${safeText(host)}`)
    })
  })

  it.each(UNKNOWN)('is told as the word of the point in the terminal, where it is none of ours: %j', async (host) => {
    await tally.tried(async () => {
      const { lines, result } = await pointsSaid(listing(host))
      expect(lines.join('\n')).toContain(`  says: ${safeText(host)}/web <1>  `)
      expect(result).toMatchObject({ points: [{ host, isHostUnknown: true }] })
      const shown = await pointsSaid(listing(host), showCommand, [idAt(1)])
      expect(shown.lines[0]?.endsWith(`, which says: taken on ${host}`)).toBe(true)
      expect(shown.result).toMatchObject({ isHostUnknown: true, point: { isHostUnknown: true } })
    })
  })

  it.each(['good', 'bad'])('is called by its name where it is one of ours: %s', async (host) => {
    const view = await viewOf(listing(host))
    expect(view).not.toHaveProperty('isHostUnknown')
    expect(inTheWindow(view).join('\n')).not.toContain('says:')
    const { lines, result } = await pointsSaid(listing(host))
    expect(lines.join('\n')).toContain(`  ${host}/web <1>  `)
    expect(JSON.stringify(result)).not.toContain('isHostUnknown')
  })

  it('is told as the word of the point from when that host is taken out', async () => {
    const laptop = listing('good')
    expect(await viewOf(laptop)).not.toHaveProperty('isHostUnknown')
    laptop.core.settings.update((before) => ({ ...before, hosts: before.hosts.filter(({ name }) => name === 'bad') }))
    expect(await viewOf(laptop)).toMatchObject({ isHostUnknown: true })
  })
})
