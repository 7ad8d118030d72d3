import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import type { Asset } from '../../src/main/core/engine-on-host/engine-assets.ts'
import { Connections } from '../../src/main/core/hosts/connections.ts'
import { twinsOf } from '../../src/main/core/hosts/twins.ts'
import { decideAutostart } from '../../src/main/core/hosts/vm-autostart.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { connectHost } from '../../src/main/core/ssh/connect.ts'
import type { HostConnection } from '../../src/main/core/ssh/host-connection.ts'
import { SMALL_ANSWER_BYTES } from '../../src/main/core/ssh/small-answers.ts'
import { INVENTORY_SCRIPT } from '../../src/libvirt/inventory-script.ts'
import { parseDomainInfo } from '../../src/libvirt/domains.ts'
import type { EngineVerb } from '../../src/shared/engine-protocol.ts'
import { failureOf } from '../../src/shared/failure.ts'
import { RUNTIME_DIRS } from '../../src/shared/host-paths.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import { fakeShell, type FakeAnswer, type FakeCall } from '../../src/shell/fake.ts'
import { sha256 } from '../unit/store-points.ts'
import { cpuMsOf } from './cpu-time.ts'
import { GoodHost } from './good-host.ts'
import { flooding } from './lies.ts'
import { startPlayedSshd } from './played-sshd.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('answers of a few lines')

const MiB = 1 << 20
/** Just under what a shell takes by itself. */
const FLOOD_BYTES = Math.floor(15.9 * MiB)
const TEXTS: Readonly<Record<string, string>> = {
  'lines of one letter': 'x\n',
  'line ends': '\n',
  'right answers': 'yes\n',
  'one line': 'x'
}

/** Says one thing over and over, and knows how much of it was taken. */
class Flood {
  takenBytes = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  async *chunks({ ended }: FakeCall): AsyncGenerator<Uint8Array> {
    const chunk = Buffer.from(this.text.repeat((16 << 10) / this.text.length))
    for (; this.takenBytes < FLOOD_BYTES && !ended.aborted; this.takenBytes += chunk.length)
      yield await Promise.resolve(chunk)
  }
}

const good = new GoodHost('alpha', 1)
const machineId = 'a'.repeat(32)
const ADDRESS = { name: 'alpha', address: 'alpha', user: undefined, port: undefined, identityFile: undefined }
const vm = good.vms[0] ?? { uuid: '', name: '' }
const XML = good.inventory('mark').split(`mark xml ${vm.uuid}\n`)[1]?.split('\n')[0] ?? ''

/** What is asked of a host in passing, by a part of the script or by the verb of virsh. */
const ASKED: readonly (readonly [asked: string, part: string])[] = [
  ['known', '[ ! -e "$dir" ]'],
  ['present', 'is_right()'],
  ['choose', 'systemd-run --wait'],
  ['upload', 'gzip -dc'],
  ['sweep', 'loaded=$('],
  ['domstate', 'virsh domstate'],
  ['dominfo', 'virsh dominfo'],
  ['dumpxml', 'virsh dumpxml'],
  ['autostart', 'virsh autostart'],
  ['metadata', 'virsh metadata'],
  ['engine', '/engine/']
]
const askedBy = ({ line }: FakeCall): string => ASKED.find(([, part]) => line.includes(part))?.[0] ?? 'other'

async function rightAnswer(call: FakeCall): Promise<string> {
  const { argv } = call
  const verb = (argv[2] ?? '') as EngineVerb
  switch (askedBy(call)) {
    case 'present':
      return `x86_64\nplain\n${'no\n'.repeat((argv.length - 4) / 2)}`
    case 'choose':
      return `${RUNTIME_DIRS[0]}\n`
    case 'upload':
      await call.stdin()
      return 'put\n'
    case 'domstate':
      return 'running (booted)\n'
    case 'dominfo':
      return 'Persistent:     yes\nAutostart:      enable\nManaged save:   no\n'
    case 'dumpxml':
      return XML
    case 'engine':
      return [...resultLines(verb, good.resultOf(verb, {}))].join('')
    default:
      return argv[2] === INVENTORY_SCRIPT ? good.inventory(argv[4] ?? '') : ''
  }
}

/** A laptop that knows this host, which says something else where it is asked this. */
function laptopOf(asked: string, answer: (call: FakeCall) => FakeAnswer | string | Promise<string>): Core {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-small-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const settings = openSettings(folder)
  const addedAt = '2026-01-01T00:00:00.000Z'
  const hosts = [
    { name: 'alpha', address: 'alpha', machineId, addedAt },
    { name: 'beta', address: 'beta', addedAt }
  ]
  settings.update((before) => ({ ...before, hosts }))
  const shell = fakeShell(async (call) => (askedBy(call) === asked ? answer(call) : rightAnswer(call)))
  const connection: HostConnection = {
    address: ADDRESS,
    shell,
    state: 'connected',
    close: () => Promise.resolve()
  }
  const file = (name: string): Promise<Asset> => {
    writeFileSync(join(folder, name), name)
    return Promise.resolve({ path: join(folder, name), hash: sha256(Buffer.from(name)) })
  }
  const connections = new Connections({
    settings,
    assets: { cache: join(folder, 'cache'), engine: () => file('engine'), runtime: () => file('runtime') },
    connect: () => Promise.resolve(connection),
    onPlacing: () => undefined,
    onContact: () => Promise.resolve()
  })
  return { folder, settings, connections } as unknown as Core
}

const flooded = (asked: string, flood: Flood, where: 'stdout' | 'stderr' = 'stdout'): Core =>
  laptopOf(asked, (call) => ({ [where]: flood.chunks(call) }))

const each = (...asked: readonly string[]): (readonly [string, string])[] =>
  asked.flatMap((one) => Object.keys(TEXTS).map((what) => [one, what] as const))
const floodOf = (what: string): Flood => new Flood(TEXTS[what] ?? '')

const TOO_LARGE = { kind: 'output-too-large', limitBytes: SMALL_ANSWER_BYTES }
const failureFrom = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined, failureOf)

describe('a host that is asked for a few lines', () => {
  it.each(each('present', 'choose', 'upload'))(
    'is not listened to where it says much more: %s, %s',
    async (asked, what) => {
      for (const where of ['stdout', 'stderr'] as const)
        await tally.tried(async () => {
          const flood = floodOf(what)
          const engine = await flooded(asked, flood, where).connections.engine('alpha')
          expect(await failureFrom(engine.call('probe', {}))).toMatchObject(TOO_LARGE)
          expect(flood.takenBytes).toBeLessThan(MiB)
        })
    }
  )

  it.each(each('known'))('is not listened to where it says much more as it is added: %s, %s', async (asked, what) => {
    await tally.tried(async () => {
      const flood = floodOf(what)
      const { connections } = flooded(asked, flood)
      await connections.adopt(await connections.try(ADDRESS, undefined))
      const engine = await connections.engine('alpha')
      expect(await failureFrom(engine.call('probe', {}))).toMatchObject(TOO_LARGE)
      expect(flood.takenBytes).toBeLessThan(MiB)
    })
  })

  it.each(each('sweep'))('may say what it likes where nobody cares, and is cut short: %s, %s', async (asked, what) => {
    await tally.tried(async () => {
      const flood = floodOf(what)
      const engine = await flooded(asked, flood).connections.engine('alpha')
      expect(await engine.call('probe', {})).toMatchObject({ hostname: 'alpha' })
      expect(flood.takenBytes).toBeLessThan(MiB)
    })
  })

  it.each(each('domstate', 'autostart', 'metadata'))(
    'is refused where it says much more of the start of a VM: %s, %s',
    async (asked, what) => {
      await tally.tried(async () => {
        const flood = floodOf(what)
        const deciding = decideAutostart(flooded(asked, flood), 'alpha', vm.name, true)
        expect(await failureFrom(deciding)).toMatchObject(TOO_LARGE)
        expect(flood.takenBytes).toBeLessThan(MiB)
      })
    }
  )

  it('is heard to the end where it has much to say', async () => {
    const points = Array.from({ length: 200 }, () => good.points[0])
    const answer = [...resultLines('points', { points, broken: [], marks: {} })].join('')
    const stderr = 'a warning\n'.repeat(SMALL_ANSWER_BYTES)
    expect(answer.length).toBeGreaterThan(2 * SMALL_ANSWER_BYTES)
    const { connections } = laptopOf('engine', (call) =>
      call.argv[2] === 'points' ? { stdout: answer, stderr } : rightAnswer(call)
    )
    const engine = await connections.engine('alpha')
    expect((await engine.call('points', { stores: [] })).points).toHaveLength(200)
  })
})

describe('a host that is asked whether a VM runs there as well', () => {
  const origin = { name: 'alpha', machineId }
  const seenFrom = async (core: Core): Promise<unknown> => {
    await core.connections.connection('alpha')
    return twinsOf(core, vm.uuid, 'beta', origin)
  }

  it.each(each('domstate', 'dominfo', 'dumpxml'))(
    'counts as away where it says much more: %s, %s',
    async (asked, what) => {
      await tally.tried(async () => {
        const flood = floodOf(what)
        expect(await seenFrom(flooded(asked, flood))).toEqual({ twins: [], originAway: 'alpha' })
        expect(flood.takenBytes).toBeLessThan(MiB)
      })
    }
  )

  it('is believed about a VM with a long definition', async () => {
    const long = XML.replace('<devices>', `<description>${'x'.repeat(300 << 10)}</description><devices>`)
    expect(await seenFrom(laptopOf('dumpxml', () => long))).toMatchObject({
      twins: [{ name: vm.name, autostart: true }]
    })
  })

  it('makes no more work where each line is one that is looked for than where none is', async () => {
    await tally.tried(() => {
      const costOf = (line: string): number => {
        const text = `Persistent: no\n${line.repeat((8 * MiB) / line.length)}`
        return Math.min(...Array.from({ length: 5 }, () => cpuMsOf(() => parseDomainInfo(text))))
      }
      expect(costOf('Persistent: yes\n')).toBeLessThan(4 * costOf('\n'))
    })
  })
})

describe('a login that is asked who it is', () => {
  it.each(Object.keys(TEXTS))('is not listened to where it says much more: %s', async (what) => {
    await tally.tried(async () => {
      const flood = flooding('out', TEXTS[what] ?? '', FLOOD_BYTES)
      const played = await startPlayedSshd((command) => flood(command, () => Promise.resolve('')))
      onTestFinished(() => played.stop())
      const { address, settings, home } = played.sshd
      const questions = { unknownHostKey: () => Promise.resolve(true), passphrase: () => Promise.resolve(undefined) }
      const host = await connectHost(address, { questions, settingsDir: settings, homeDir: home })
      onTestFinished(() => host.close())
      expect(await failureFrom(host.shell.run(['true']))).toMatchObject(TOO_LARGE)
    })
  })
})
