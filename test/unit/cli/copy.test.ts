import { describe, expect, it } from 'vitest'
import { copy } from '../../../src/main/core/live/errands.ts'
import { copyCommand } from '../../../src/main/doors/cli/commands/copy.ts'
import { EXIT } from '../../../src/main/doors/cli/exit-codes.ts'
import type { Session } from '../../../src/main/doors/cli/session.ts'
import type { Manifest } from '../../../src/shared/model/point.ts'
import { AskedHosts, endOf } from '../live/asked-hosts.ts'
import { FILES, manifestOf, POINT } from '../store-points.ts'

const { 'memory.save': _, ...DISKS } = FILES
const WITH_RAM = manifestOf(FILES, { memory: { file: 'memory.save', ramBytes: 1 } })
const WITHOUT_RAM = manifestOf(DISKS)

interface Engine {
  readonly call: (verb: string, ...rest: readonly unknown[]) => Promise<unknown>
}

/** `alpha` has the point with RAM, and this is what of it comes to lie on `beta`. */
function hostsWhere(arrived: Manifest): AskedHosts {
  const hosts = new AskedHosts({ alpha: [WITH_RAM], beta: [] })
  const { connections } = hosts.core as unknown as { connections: { engine: (host: string) => Promise<Engine> } }
  const ask = connections.engine
  connections.engine = async (host) => {
    const engine = await ask(host)
    const call: Engine['call'] = async (verb, ...rest) => (verb === 'import' ? arrived : engine.call(verb, ...rest))
    return { ...engine, call }
  }
  return hosts
}

interface Said {
  readonly lines: string[]
  readonly notes: string[]
  result: unknown
  exit: unknown
}

async function copySaid({ core }: AskedHosts): Promise<Said> {
  const said: Said = { lines: [], notes: [], result: undefined, exit: undefined }
  const out = {
    json: false,
    line: (line: string) => void said.lines.push(line),
    note: (note: string) => void said.notes.push(note),
    progress: () => undefined,
    result: (result: unknown) => void (said.result = result)
  }
  const session = { core, out, interrupts: { signal: new AbortController().signal } } as unknown as Session
  await new Promise<void>((resolve, reject) => {
    const perform = (_options: unknown, run: (session: Session) => Promise<unknown>): void =>
      void run(session).then((exit) => resolve(void (said.exit = exit)), reject)
    copyCommand(perform).parse([POINT, '--to', 'beta'], { from: 'user' })
  })
  return said
}

describe('a point that was copied', () => {
  it('is said to be whole where it is, with what a script is told', async () => {
    const { lines, notes, result, exit } = await copySaid(hostsWhere(WITH_RAM))
    expect(lines.join()).toContain('is on beta too, and arrived whole.')
    expect(notes).toEqual([])
    expect(result).toMatchObject({ hasMemory: true, places: ['alpha', 'beta'] })
    expect(exit).toBe(EXIT.done)
  })

  it('is told as it arrived where its RAM did not come, in the terminal', async () => {
    const { lines, notes, result, exit } = await copySaid(hostsWhere(WITHOUT_RAM))
    expect(lines.join()).toContain('without its RAM')
    expect(notes.join()).toContain('The copy has no RAM')
    expect(result).toMatchObject({ hasMemory: false, point: { hasMemory: false } })
    expect(exit).toBe(EXIT.warnings)
  })

  it('is told as it arrived where its RAM did not come, in the window', async () => {
    const live = await hostsWhere(WITHOUT_RAM).live()
    const job = await endOf(live, (await copy(live, POINT, 'beta')).id)
    expect(job).toMatchObject({
      state: 'done-with-warnings',
      warnings: [expect.stringContaining('The copy has no RAM')]
    })
  })
})
