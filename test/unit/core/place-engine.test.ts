import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EngineAssets } from '../../../src/main/core/engine-on-host/engine-assets.ts'
import { placeEngine, type UnitTrial } from '../../../src/main/core/engine-on-host/place-engine.ts'
import { PROTOCOL_VERSION } from '../../../src/shared/engine-protocol.ts'
import { enginePath, RUNTIME_DIRS, runtimePath } from '../../../src/shared/host-paths.ts'
import { fakeShell, type FakeCall, type FakeShell } from '../../../src/shell/fake.ts'

let cache = ''
beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'stillpoint place '))))
afterEach(() => rmSync(cache, { recursive: true, force: true }))

const [STATE, PROGRAMS] = RUNTIME_DIRS
const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex')
const [E0, E1, X86, ARM] = ['e0', 'e1', 'r-x86_64', 'r-aarch64'].map(hashOf) as [string, string, string, string]
/** Each is what its name says. */
const asset = (content: string): { path: string; hash: string } => {
  const path = join(cache, content)
  writeFileSync(path, content)
  return { path, hash: hashOf(content) }
}
const assets = (): EngineAssets => ({
  cache,
  engine: () => Promise.resolve(asset('e1')),
  runtime: (_, machine) => Promise.resolve(asset(`r-${machine}`))
})

interface PaperHost {
  readonly files: Set<string>
  /** Folders below which its systemd starts nothing. */
  readonly closed: readonly string[]
  readonly hasSelinux?: boolean
  readonly machine?: string
}

/** A host on paper, with the four scripts that are sent and the engine that was put there. */
function shellOf(host: PaperHost): FakeShell {
  const { files, closed, hasSelinux = false, machine = 'x86_64' } = host
  const isClosed = (path: string): boolean => closed.some((dir) => path.startsWith(dir))
  const script = (text: string, args: readonly string[]): string => {
    if (text.includes('uname -m')) {
      const answers = args.filter((_, index) => index % 2 === 0).map((path) => (files.has(path) ? 'yes' : 'no'))
      return [machine, hasSelinux ? 'selinux' : 'plain', ...answers].join('\n')
    }
    if (text.includes('gzip -dc')) {
      files.add(args[1] ?? '')
      return 'put'
    }
    if (text.includes('echo known'))
      return args.some((dir) => [...files].some((path) => path.startsWith(dir))) ? 'known' : ''
    if (text.includes('.compiled') && args[0] !== undefined && ['new', 'known'].includes(args[0]))
      for (const path of args.slice(4)) files.delete(path)
    if (text.includes('.trial.'))
      return args.find((dir) => !isClosed(dir) && !(hasSelinux && dir.startsWith('/var'))) ?? ''
    return ''
  }
  const engine = (node: string, verb: string | undefined): string =>
    verb === 'probe'
      ? `{"result":${JSON.stringify({ protocol: PROTOCOL_VERSION, engine: '1', bootId: 'b', hostname: 'h', machineId: 'm' })}}\n`
      : `{"result":${isClosed(node) ? '{"obstacle":{"reason":"closed","fix":"open it"}}' : '{}'}}\n`
  return fakeShell((call: FakeCall) =>
    call.argv[0] === 'sh' ? script(call.argv[2] ?? '', call.argv.slice(4)) : engine(call.argv[0], call.argv[2])
  )
}

const place = async (host: PaperHost, trial?: UnitTrial): Promise<{ node: string; trials: number; sent: number }> => {
  const shell = shellOf(host)
  const { node } = await placeEngine('alpha', shell, assets(), () => undefined, trial)
  const sent = shell.calls.filter(({ argv }) => argv[2]?.includes('gzip -dc')).length
  return { node, sent, trials: shell.lines.filter((line) => line.endsWith(' try-unit')).length }
}

describe('putting the engine on a host', () => {
  it('has it started once by systemd when it is new there, and not again', async () => {
    const files = new Set<string>()
    const node = runtimePath(X86)
    expect(await place({ files, closed: [] })).toEqual({ node, sent: 2, trials: 1 })
    expect(await place({ files, closed: [] })).toEqual({ node, sent: 0, trials: 0 })
  })

  it('has it started at each adding of a host, also where it lies there already', async () => {
    const files = new Set([enginePath(E1), runtimePath(X86)])
    expect(await place({ files, closed: [] }, 'always')).toMatchObject({ sent: 0, trials: 1 })
  })

  it('puts the runtime below /usr where systemd starts nothing below /var, and finds it there', async () => {
    const files = new Set<string>()
    const host = { files, closed: ['/var'] }
    expect(await place(host)).toMatchObject({ node: runtimePath(X86, PROGRAMS), sent: 2 })
    expect(await place(host)).toMatchObject({ node: runtimePath(X86, PROGRAMS), sent: 0 })
  })

  it('puts it below /usr on a host with SELinux, where another one lies below /var from before', async () => {
    const files = new Set([enginePath(E1), runtimePath(X86, STATE)])
    expect(await place({ files, closed: [], hasSelinux: true })).toMatchObject({
      node: runtimePath(X86, PROGRAMS),
      sent: 1
    })
  })

  it('finds it again on a host with SELinux that has no other place than below /var', async () => {
    const host = { files: new Set<string>(), closed: ['/usr'], hasSelinux: true }
    expect(await place(host)).toEqual({ node: runtimePath(X86, STATE), sent: 2, trials: 1 })
    expect(await place(host)).toEqual({ node: runtimePath(X86, STATE), sent: 0, trials: 0 })
  })

  it('moves it when a host that is added anew has been told since to start nothing below /var', async () => {
    const files = new Set([enginePath(E1), runtimePath(X86)])
    const added = await place({ files, closed: ['/var'] }, 'always')
    expect(added).toEqual({ node: runtimePath(X86, PROGRAMS), sent: 1, trials: 2 })
    expect(await place({ files, closed: ['/var'] })).toMatchObject({ node: added.node, sent: 0 })
  })

  it('is refused where systemd starts it nowhere, with what mends it', async () => {
    const nowhere = { files: new Set<string>(), closed: ['/var', '/usr'] }
    const refusal = { failure: { kind: 'unsupported-host', host: 'alpha', reason: 'closed', fix: 'open it' } }
    await expect(place(nowhere)).rejects.toMatchObject(refusal)
    await expect(place(nowhere, 'always')).rejects.toMatchObject(refusal)
  })

  it('leaves a host that is added and refused as it was: nothing of this add, and all that was there', async () => {
    const before = [enginePath(E0), runtimePath(X86)]
    for (const were of [[], before, [...before, enginePath(E1)]]) {
      const files = new Set(were)
      await expect(place({ files, closed: ['/var', '/usr'] }, 'always')).rejects.toThrow('closed')
      expect([...files]).toEqual(were)
    }
  })

  it('leaves a host that is known what it has: it is asked again soon', async () => {
    const files = new Set<string>()
    await expect(place({ files, closed: ['/var', '/usr'] })).rejects.toThrow('closed')
    expect(files.size).toBe(2)
  })

  it('takes the runtime of the host’s own processor', async () => {
    const files = new Set<string>()
    const host = { files, closed: [], machine: 'aarch64' }
    expect(await place(host)).toMatchObject({ node: runtimePath(ARM), sent: 2 })
    expect(await place(host)).toMatchObject({ node: runtimePath(ARM), sent: 0 })
  })
})
