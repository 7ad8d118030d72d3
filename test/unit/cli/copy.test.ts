import { describe, expect, it } from 'vitest'
import { copy, restore } from '../../../src/main/core/live/errands.ts'
import type { LiveCore } from '../../../src/main/core/live/live-core.ts'
import { copyCommand } from '../../../src/main/doors/cli/commands/copy.ts'
import { EXIT } from '../../../src/main/doors/cli/exit-codes.ts'
import type { Session } from '../../../src/main/doors/cli/session.ts'
import { fail, StillpointError } from '../../../src/shared/failure.ts'
import type { Manifest } from '../../../src/shared/model/point.ts'
import { FRAME, MAGIC, makeFrame } from '../../../src/store/frames.ts'
import { AskedHosts, endOf } from '../live/asked-hosts.ts'
import { FILES, manifestOf, POINT } from '../store-points.ts'

const { 'memory.save': _, ...DISKS } = FILES
const WITH_RAM = manifestOf(FILES, { memory: { file: 'memory.save', ramBytes: 1 } })
const WITHOUT_RAM = manifestOf(DISKS)

interface Engine {
  readonly call: (verb: string, ...rest: readonly unknown[]) => Promise<unknown>
}

type Call = Engine['call']

/** `alpha` has the point with RAM, and this is what of it comes to lie on `beta`. */
function hostsWhere(
  arrived: Manifest,
  listed: readonly Manifest[] = [],
  answers: (verb: string) => void = () => undefined
): AskedHosts {
  const hosts = new AskedHosts({ alpha: [WITH_RAM], beta: listed })
  const { connections } = hosts.core as unknown as { connections: { engine: (host: string) => Promise<Engine> } }
  const ask = connections.engine
  connections.engine = async (host) => {
    const engine = await ask(host)
    const call: Call = async (verb, ...rest) => {
      if (host === 'beta') answers(verb)
      return verb === 'import' ? arrived : engine.call(verb, ...rest)
    }
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

  it('keeps what it was warned of where it failed, in the window: that names who has it otherwise', async () => {
    const hosts = new AskedHosts({ alpha: [WITH_RAM], beta: [WITHOUT_RAM], gamma: [] })
    const sent = async function* (host: string): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(MAGIC)
      const listed = Buffer.from(JSON.stringify(host === 'alpha' ? WITH_RAM : WITHOUT_RAM))
      yield makeFrame(FRAME.manifest, 0, 0, listed)
      fail({ kind: 'connection-lost', host, during: 'export' })
    }
    const { connections } = hosts.core as unknown as { connections: { engine: (host: string) => Promise<Engine> } }
    const ask = connections.engine
    connections.engine = async (host) => {
      const engine = await ask(host)
      const call: Call = async (verb, question, options) => {
        if (verb !== 'import') return engine.call(verb, question, options)
        for await (const _chunk of (options as { stream: AsyncIterable<Uint8Array> }).stream);
        return WITH_RAM
      }
      return { ...engine, call, exportPoint: () => sent(host) }
    }
    const live = await hosts.live()
    const job = await endOf(live, (await copy(live, POINT, 'gamma')).id)
    expect(job).toMatchObject({
      state: 'failed-clean',
      failure: { kind: 'connection-lost', host: 'alpha' },
      warnings: [expect.stringContaining(`stillpoint copy beta/${POINT} --to gamma`)]
    })
  })
})

const RESTORE = { point: POINT, to: 'beta', mode: 'boot', replace: false } as const
const gone = (verb: string, when: string): void => {
  if (verb === when) throw new StillpointError({ kind: 'not-found', what: 'point', name: POINT })
}

/** Resolves when the job has been handed to its host, or has failed here. */
const handedOver = (live: LiveCore, id: string): Promise<void> =>
  new Promise((resolve) => {
    const stop = live.jobs.all.listen((jobs) => {
      if (jobs.find((job) => job.id === id)?.isHere === true) return
      resolve()
      queueMicrotask(() => stop())
    })
  })

describe('a point that is copied for a restore', () => {
  const NOTICE = {
    host: 'beta',
    severity: 'warning',
    title: 'The point for the restore of web <1> was copied to beta, with a warning',
    text: expect.stringMatching(/^The copy has no RAM: .*\.$/) as string,
    acknowledged: false
  }

  it('is told as it arrived, though the job of the host knows nothing of that', async () => {
    const live = await hostsWhere(WITHOUT_RAM).live()
    await handedOver(live, (await restore(live, RESTORE)).id)
    expect(live.notices.all.value).toMatchObject([NOTICE])
  })

  it('is told so where the host was thought to have it', async () => {
    const live = await hostsWhere(WITHOUT_RAM, [WITH_RAM], (verb) => gone(verb, 'read-small')).live()
    await restore(live, RESTORE)
    expect(live.notices.all.value).toMatchObject([NOTICE])
  })

  it('is told so where the restore itself comes to nothing', async () => {
    const live = await hostsWhere(WITHOUT_RAM, [], (verb) => gone(verb, 'submit')).live()
    expect(await endOf(live, (await restore(live, RESTORE)).id)).toMatchObject({ state: 'failed-clean' })
    expect(live.notices.all.value).toMatchObject([NOTICE])
  })

  it('is not told of where it arrived whole', async () => {
    const live = await hostsWhere(WITH_RAM).live()
    await handedOver(live, (await restore(live, RESTORE)).id)
    expect(live.notices.all.value).toEqual([])
  })
})
