import { describe, expect, it, vi } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { factsOf, LiveHosts, vmOf } from '../../src/main/core/live/live-hosts.ts'
import type { Notices } from '../../src/main/core/live/notices.ts'
import { openPushes } from '../../src/main/doors/pushes.ts'
import { LookAnswer, uuidsIn } from '../../src/libvirt/look-answer.ts'
import { inSlices } from '../../src/libvirt/in-slices.ts'
import { takeInventory } from '../../src/libvirt/inventory.ts'
import { parseBlockJob } from '../../src/libvirt/block-jobs.ts'
import { parseJob } from '../../src/libvirt/domain-jobs.ts'
import { parseDomainInfo, parseNamedDomains, parseState } from '../../src/libvirt/domains.ts'
import { parseStopResume } from '../../src/libvirt/events.ts'
import { parseVersions } from '../../src/libvirt/host.ts'
import { parseMemoryStats } from '../../src/libvirt/memory-stats.ts'
import { rangeNumbers } from '../../src/libvirt/placement.ts'
import { parseRoutes } from '../../src/libvirt/routes.ts'
import { parseSecrets } from '../../src/libvirt/secrets.ts'
import { parseSessionVms } from '../../src/libvirt/session-vms.ts'
import { bytesOf } from '../../src/libvirt/sizes.ts'
import { contract } from '../../src/shared/contract.ts'
import { failureOf } from '../../src/shared/failure.ts'
import { MOST } from '../../src/shared/model/host-limits.ts'
import { Uuid } from '../../src/shared/model/ids.ts'
import { HostFacts, HostView, VmView } from '../../src/shared/views/host-view.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { eventually } from '../patience.ts'
import { cpuMsOf } from './cpu-time.ts'
import { definition, failureFrom, GOOD, isSound, look, MARK, numbersIn, ODD, printed, twoVms } from './look-text.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('the look at a host')

/** The good VM is as it is, and what is shown of host and VMs fits what a window may be told. */
function expectGoodOneShown(text: string): ReturnType<typeof look> {
  const inventory = look(text)
  expect(inventory.domains.find(({ uuid }) => uuid === GOOD)).toMatchObject({
    name: 'good',
    state: 'running',
    vcpus: 2
  })
  expect(numbersIn(inventory).filter((number) => !isSound(number))).toEqual([])
  expect(HostFacts.safeParse(factsOf(inventory)).error).toBeUndefined()
  for (const domain of inventory.domains) expect(VmView.safeParse(vmOf(domain)).error).toBeUndefined()
  return inventory
}

const NUMBERS = [
  ['a word', 'abc'],
  ['nothing', ''],
  ['blanks', '   '],
  ['NaN', 'NaN'],
  ['Infinity', 'Infinity'],
  ['an exponent', '1e999'],
  ['400 digits', '9'.repeat(400)],
  ['one more than is exact', '9007199254740993'],
  ['a negative number', '-1'],
  ['negative zero', '-0'],
  ['hexadecimal', '0x10'],
  ['a fraction', '1.5'],
  ['a sign', '+5'],
  ['digits of another script', '١٢٣'],
  ['wide digits', '１２'],
  ['two numbers', '1 2'],
  ['separators', '1_000'],
  ['a big integer', '10n']
] as const

const disk = "<disk type='file' device='disk'><source file='/srv/a.img'/><target dev='vda'/></disk>"
const withDisk = definition('odd', ODD, `<memory>1</memory><devices>${disk}</devices>`)

const PLACES: readonly (readonly [string, (number: string) => Record<string, string>])[] = [
  ['RAM', (n) => ({ [`xml ${ODD}`]: definition('odd', ODD, `<memory>${n}</memory>`) })],
  ['RAM in TiB', (n) => ({ [`xml ${ODD}`]: definition('odd', ODD, `<memory unit='TiB'>${n}</memory>`) })],
  ['processors', (n) => ({ [`xml ${ODD}`]: definition('odd', ODD, `<vcpu>${n}</vcpu>`) })],
  ['its id', (n) => ({ [`xml ${ODD}`]: definition('odd', ODD).replace("id='7'", `id='${n}'`) })],
  ['RAM beside a broken definition', (n) => ({ [`xml ${ODD}`]: '<', [`info ${ODD}`]: `Max memory:     ${n} KiB` })],
  ['processors beside a broken definition', (n) => ({ [`xml ${ODD}`]: '<', [`info ${ODD}`]: `CPU(s):         ${n}` })],
  ['the processors of the host', (n) => ({ cpus: n })],
  ['the RAM of the host', (n) => ({ meminfo: `MemTotal:  ${n} kB\nMemAvailable:  ${n} kB` })],
  ['its load', (n) => ({ loadavg: `${n} 0.1 0.1 1/1 1` })],
  ['its load, as a fraction', (n) => ({ loadavg: `${n}.${n} 0.1 0.1 1/1 1` })],
  ['the size of a file system', (n) => ({ df: `/dev/a ${n} 1 2 3% /\n/dev/b 1 ${n} 2 3% /srv` })],
  ['the room on a file system', (n) => ({ df: `/dev/a 4 1 ${n} 3% /\n/dev/b 1 1 2 ${n}% /srv` })],
  [
    'the size of a disk',
    (n) => ({ [`xml ${ODD}`]: withDisk, [`stats ${ODD}`]: `  block.0.name=vda\n  block.0.capacity=${n}` })
  ],
  [
    'what a disk takes',
    (n) => ({ [`xml ${ODD}`]: withDisk, [`stats ${ODD}`]: `  block.0.name=vda\n  block.0.physical=${n}` })
  ],
  [
    'the number of a disk',
    (n) => ({ [`xml ${ODD}`]: withDisk, [`stats ${ODD}`]: `  block.${n}.name=vda\n  block.${n}.capacity=1` })
  ],
  ['the kind of a job', (n) => ({ [`job ${ODD}`]: `Job type:         ${n}\n` })],
  ['what a job does', (n) => ({ [`job ${ODD}`]: `Job type:         2\noperation: ${n}\n` })]
]

describe('numbers that are none', () => {
  it.each(PLACES)('are put right where they are read: %s', async (_place, sections) => {
    for (const [, number] of NUMBERS)
      await tally.tried(() => {
        const { domains } = expectGoodOneShown(printed(twoVms(sections(number))))
        expect(domains.map(({ uuid }) => uuid)).toEqual([ODD, GOOD])
      })
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'EiB', '', 'ＫiＢ', 'GiB GiB'])(
    'do not come of a unit: %j',
    (unit) =>
      tally.tried(() => {
        expect(isSound(bytesOf('5', unit))).toBe(true)
        expectGoodOneShown(
          printed(twoVms({ [`xml ${ODD}`]: definition('odd', ODD, `<memory unit='${unit}'>5</memory>`) }))
        )
      })
  )
})

const LONG = 'x'.repeat(100_000)
const many = (count: number, of: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => of(n)).join('')

describe('too much of something', () => {
  it.each<[string, Record<string, string>]>([
    ['a name', { [`xml ${ODD}`]: definition(LONG, ODD) }],
    ['a name beside a broken definition', { [`xml ${ODD}`]: '<', [`info ${ODD}`]: `Name:           ${LONG}` }],
    ['a definition', { [`xml ${ODD}`]: definition('odd', ODD, `<title>${'x'.repeat(300_000)}</title>`) }],
    ['tags', { [`xml ${ODD}`]: definition('odd', ODD, '<a/>'.repeat(20_000)) }],
    ['disks', { [`xml ${ODD}`]: definition('odd', ODD, `<devices>${'<disk/>'.repeat(11_000)}</devices>`) }],
    ['the target of a disk', { [`xml ${ODD}`]: withDisk.replace('vda', LONG) }],
    ['the path of a disk', { [`xml ${ODD}`]: withDisk.replace('/srv/a.img', `/${LONG}`) }],
    ['folders of a path', { [`xml ${ODD}`]: withDisk.replace('/srv/a.img', '/a'.repeat(50_000)) }],
    ['the format of a disk', { [`xml ${ODD}`]: withDisk.replace('<target', `<driver type='${LONG}'/><target`) }],
    ['the type of a disk', { [`xml ${ODD}`]: withDisk.replace("type='file'", `type='${LONG}'`) }],
    [
      'shared folders',
      { [`xml ${ODD}`]: definition('odd', ODD, `<devices>${'<filesystem/>'.repeat(11_000)}</devices>`) }
    ],
    [
      'the path of a shared folder',
      {
        [`xml ${ODD}`]: definition('odd', ODD, `<devices><filesystem><source dir='/${LONG}'/></filesystem></devices>`)
      }
    ],
    ['snapshots', { [`snapshots ${ODD}`]: 'snap\n'.repeat(20_000) }],
    ['the name of a snapshot', { [`snapshots ${ODD}`]: LONG }],
    ['checkpoints', { [`checkpoints ${ODD}`]: 'check\n'.repeat(20_000) }],
    ['the reason of a state', { [`state ${ODD}`]: `paused (${LONG})` }],
    ['a state', { [`state ${ODD}`]: LONG }],
    ['figures of disks', { [`stats ${ODD}`]: many(20_000, (n) => `  block.${n}.name=${n}\n`) }],
    ['figures of a job', { [`job ${ODD}`]: `Job type: 2\n${many(20_000, (n) => `a${'b'.repeat(n % 50)}: 1\n`)}` }],
    ['the name of the host', { hostname: LONG }],
    ['its machine id', { 'machine-id': LONG }],
    ['its processor', { cpuinfo: `model name : ${LONG}` }],
    ['its system', { os: `PRETTY_NAME="${LONG}"` }],
    ['its architecture', { architecture: LONG }],
    ['its libvirt', { version: `Using library: libvirt ${'1.'.repeat(5000)}` }],
    ['its time zone', { 'time-zone': `/usr/share/zoneinfo/${LONG}` }],
    ['file systems', { df: many(20_000, (n) => `/dev/a 1 1 1 1% /m${n}\n`) }],
    ['the place of a file system', { df: `/dev/a 1 1 1 1% /${LONG}` }],
    ['the name of a file system', { df: `/dev/${LONG} 1 1 1 1% /` }],
    ['VMs of users', { 'session-vms': many(5000, (n) => `anna\t/home/anna/.config/libvirt/qemu/v${n}.xml\n`) }],
    ['the name of a VM of a user', { 'session-vms': `anna\t/${LONG}.xml\n` }],
    ['the name of a user', { 'session-vms': `${LONG}\t/a.xml\n` }],
    ['drivers', { 'missing-drivers': 'rbd\n'.repeat(50_000) }],
    ['words in the list', { list: `${ODD}\n${GOOD}\n${'x '.repeat(100_000)}` }],
    ['repeats in the list', { list: `${ODD}\n${GOOD}\n`.repeat(3000) }]
  ])('is cut, and the rest is shown: %s', (_what, sections) =>
    tally.tried(() => {
      const { domains } = expectGoodOneShown(printed(twoVms(sections)))
      expect(domains.map(({ uuid }) => uuid)).toEqual([ODD, GOOD])
      expect(domains[0]?.name.length).toBeLessThanOrEqual(MOST.name)
    })
  )

  it('is said of a VM, with why', async () => {
    for (const [sections, said] of [
      [{ [`xml ${ODD}`]: definition('odd', ODD, `<title>${'x'.repeat(400_000)}</title>`) }, 'larger than the 384 KiB'],
      [{ [`xml ${ODD}`]: definition('odd', ODD, '<a/>'.repeat(20_000)) }, 'more than 18000 tags and attributes'],
      [{ [`xml ${ODD}`]: definition('odd', ODD, `<devices>${'<disk/>'.repeat(11_000)}</devices>`) }, '10600 more disks']
    ] as const)
      await tally.tried(() => {
        const [odd] = expectGoodOneShown(printed(twoVms(sections))).domains
        expect(odd?.limits.join()).toContain(said)
        expect(odd?.name).toBe('odd')
      })
  })

  it('is said of a host with more VMs than are shown', () =>
    tally.tried(() => {
      const uuids = Array.from({ length: 1500 }, (_, n) => `${ODD.slice(0, -4)}${String(n).padStart(4, '0')}`)
      const vms = Object.fromEntries(uuids.map((uuid) => [`state ${uuid}`, 'shut off']))
      const inventory = expectGoodOneShown(printed({ ...twoVms(vms), list: [GOOD, ...uuids].join('\n') }))
      expect(inventory.domains.length).toBeLessThanOrEqual(MOST.vms)
      expect(factsOf(inventory).limits?.join()).toContain('1501 VMs')
    }))

  it('of all VMs together hides disks of those at the end, with why, and no VM', () =>
    tally.tried(() => {
      const uuids = Array.from({ length: 60 }, (_, n) => `${ODD.slice(0, -4)}${String(n).padStart(4, '0')}`)
      const large = (uuid: string): string =>
        definition('large', uuid, `<devices>${disk.replace('a.img', 'x'.repeat(3000)).repeat(40)}</devices>`)
      const vms = Object.fromEntries(uuids.map((uuid) => [`xml ${uuid}`, large(uuid)]))
      const { domains } = expectGoodOneShown(printed({ ...twoVms(vms), list: [...uuids, GOOD].join('\n') }))
      expect(domains).toHaveLength(61)
      expect(domains.at(-2)?.limits.join()).toContain('its host says too much of its VMs')
      expect(JSON.stringify(domains).length).toBeLessThan(3 * MOST.detail)
    }))
})

describe('sections that are torn', () => {
  const whole = printed(twoVms({}))
  it.each<[string, string]>([
    ['nothing', ''],
    ['one line end', '\n'],
    ['the mark alone', MARK],
    ['the mark again and again', `${MARK} `.repeat(10_000)],
    ['lines of the mark without names', `\n${MARK} `.repeat(10_000)],
    ['no end', whole.replace(`\n${MARK} end\n`, '')],
    ['no beginning', whole.replace(`\n${MARK} begin\n`, '')],
    ['another mark', whole.replaceAll(MARK, 'mark-y')],
    ['a mark that does not begin its line', whole.replaceAll(`\n${MARK}`, ` ${MARK}`)],
    ['a name without an end', `\n${MARK} begin${'x'.repeat(1_000_000)}`],
    ['half of itself', whole.slice(0, whole.length / 2)]
  ])('are bad output of the host where there is %s', (_what, text) =>
    tally.tried(() => {
      expect(failureFrom(() => look(text))).toMatchObject({ kind: 'bad-output' })
    })
  )

  const again = (name: string, text: string): string =>
    whole.replace(`\n${MARK} end`, `\n${MARK} ${name}\n${text}\n\n${MARK} end`)
  it.each<[string, string]>([
    ['a section a second time', again(`xml ${GOOD}`, '<domain/>')],
    ['a state a second time', again(`state ${GOOD}`, 'crashed')],
    ['a list a second time', again('list', '')],
    ['a status a second time', again('list-status', '1')],
    ['a section that nobody asked for', again('passwd', 'root:x:0:0')],
    ['a section of a VM that is not listed', again(`xml ${GOOD.replace('2', '3')}`, definition('x', GOOD))],
    ['a section of no VM', again('xml ../../etc', '<domain/>')],
    ['a section with three words', again(`xml ${GOOD} x`, '<domain/>')],
    ['a section named like a prototype', again('__proto__', 'x')],
    ['a section named constructor', again('constructor', 'x')],
    ['line ends of another system', whole.replaceAll('running (booted)', 'running (booted)\r')],
    ['the mark in a name', again(`info ${ODD}`, `Name: ${MARK} end`)],
    ['noise before it', `Welcome!\u001b[2J\n${LONG}\n${whole}`],
    ['noise behind it', `${whole}${LONG}`],
    ['a third VM without anything', whole.replace(GOOD, `${GOOD}\n33333333-2222-4333-8444-555555555555`)],
    ['words of an error in the list', whole.replace(GOOD, `error: ${GOOD} is odd\n${GOOD}`)],
    ['a UUID in capitals', whole.replace(GOOD, `${GOOD}\n${ODD.replaceAll('1', 'A')}`)]
  ])('hide no good one: %s', (_what, text) => tally.tried(() => void expectGoodOneShown(text)))

  it.each([': ', 'x '])('are found among many words that cannot be any, which nobody looks at closer: %j', (word) =>
    tally.tried(() => {
      const looked = vi.spyOn(Uuid, 'safeParse')
      expect(uuidsIn(`${word.repeat(100_000)}\n${ODD}\n${GOOD}\n`)).toEqual([ODD, GOOD])
      expect(looked).toHaveBeenCalledTimes(2)
      looked.mockRestore()
    })
  )

  it.each([1, 2, 3, 7, 64, 4096])('are the same in pieces of %d bytes', (size) =>
    tally.tried(() => {
      const answer = new LookAnswer(MARK)
      const bytes = Buffer.from(whole)
      for (let at = 0; at < bytes.length; at += size) answer.take(bytes.subarray(at, at + size))
      answer.end()
      expect(answer.text(`xml ${GOOD}`).trim()).toBe(definition('good', GOOD))
      expect(answer.text('list').trim()).toBe(`${ODD}\n${GOOD}`)
      expect(answer.has('end')).toBe(true)
    })
  )

  it.each([
    ['an overlong zero', [0xc0, 0x80]],
    ['half of a pair', [0xed, 0xa0, 0x80]],
    ['no character at all', [0xff, 0xfe]],
    ['more than there are characters', [0xf5, 0x80, 0x80, 0x80]],
    ['half of a character', [0xe2, 0x82]],
    ['a continuation alone', [0x80]],
    ['Latin letters', [0x63, 0x61, 0x66, 0xe9]]
  ])('hide the VM alone whose definition is no UTF-8: %s', (_what, bytes) =>
    tally.tried(async () => {
      const shell = fakeShell(({ argv }) => {
        const text = printed(twoVms({ [`xml ${ODD}`]: definition('@@', ODD) }), argv[4])
        const [before = '', behind = ''] = text.split('@@')
        return { stdout: Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(behind)]) }
      })
      const { domains } = await takeInventory(shell)
      expect(domains).toMatchObject([
        { uuid: ODD, name: 'odd', disks: [] },
        { name: 'good', limits: [] }
      ])
      expect(domains[0]?.limits.join()).toContain('it is not UTF-8')
    })
  )
})

const TORN = [
  '',
  '\n',
  '\0',
  'error: what',
  LONG,
  ' '.repeat(100_000),
  '\n'.repeat(100_000),
  'a: b: c: d',
  ODD,
  `${ODD} `,
  `${ODD}${' '.repeat(100_000)}x`,
  'type=\n cur=\n end=',
  ' type=constructor\n cur=1e9\n end=NaN',
  ` type=Block Copy\n cur=${'9'.repeat(400)}\n end=${'9'.repeat(400)}\n bandwidth=${'9'.repeat(400)}`,
  `Job type:         2\noperation: ${'9'.repeat(400)}\nmemory_dirty_rate: ${'9'.repeat(20)}\nmemory_page_size: ${'9'.repeat(20)}\ndowntime: ${'9'.repeat(400)}`,
  `actual ${'9'.repeat(400)}\nrss -1`,
  '0-65536,'.repeat(20_000),
  'Iface\tDestination\n'.repeat(1000),
  'running (',
  'running ('.repeat(10_000),
  'Persistent:',
  'Persistent: maybe\n'.repeat(10_000)
]

/** Each reads a table that some program of a host prints. */
const READERS: readonly (readonly [string, (text: string) => unknown])[] = [
  ['virsh domstate', parseState],
  ['virsh dominfo', parseDomainInfo],
  ['virsh list', parseNamedDomains],
  ['virsh domjobinfo', parseJob],
  ['virsh blockjob', (text) => parseBlockJob(text, () => true)],
  ['virsh version', parseVersions],
  ['virsh dommemstat', parseMemoryStats],
  ['virsh secret-list', parseSecrets],
  ['virsh qemu-monitor-event', parseStopResume],
  ['the VMs of users', parseSessionVms],
  ['the routes', parseRoutes],
  ['a set of processors', rangeNumbers]
]

describe('tables that are torn', () => {
  it.each(READERS)('are read as far as they make sense, or are bad output: %s', async (_what, read) => {
    for (const text of TORN)
      await tally.tried(() => {
        let answer: unknown
        const failure = failureFrom(() => (answer = read(text)))
        expect(failure === undefined || failure.kind === 'bad-output').toBe(true)
        expect(numbersIn(answer).filter((number) => !isSound(number))).toEqual([])
      })
  })
})

async function* flood(mark: string, mebibytes: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`\n${mark} begin\n\n${mark} list\n${ODD}\n\n${mark} xml ${ODD}\n`)
  const chunk = Buffer.alloc(1024 * 1024, '<')
  for (let n = 0; n < mebibytes; n++) yield await Promise.resolve(chunk)
  yield Buffer.from(`\n\n${mark} list-status\n0\n\n${mark} end\n\n`)
}

describe('a host that prints without end', () => {
  it('is given up, and said to have printed too much', () =>
    tally.tried(async () => {
      const shell = fakeShell(({ argv }) => ({ stdout: flood(argv[4] ?? '', 1024) }))
      await expect(takeInventory(shell)).rejects.toMatchObject({ failure: { kind: 'output-too-large' } })
    }))

  it('is given up as well where it complains without end', () =>
    tally.tried(async () => {
      const shell = fakeShell(({ argv }) => ({ stdout: printed(twoVms({}), argv[4]), stderr: flood('', 1024) }))
      await expect(takeInventory(shell)).rejects.toMatchObject({ failure: { kind: 'output-too-large' } })
    }))

  it('within the limit is read, and a definition of 60 MiB hides its own VM alone', () =>
    tally.tried(async () => {
      const shell = fakeShell(({ argv }) => ({ stdout: flood(argv[4] ?? '', 60) }))
      const { domains } = await takeInventory(shell)
      expect(domains).toMatchObject([{ uuid: ODD, disks: [] }])
    }))

  it('is given up where reading it takes too long, in words', () =>
    tally.tried(async () => {
      function* withoutEnd(): Generator<undefined, never> {
        for (;;) yield
      }
      await expect(inSlices(withoutEnd(), 'reading what evil says of its VMs', 1)).rejects.toMatchObject({
        failure: { kind: 'timeout', what: 'reading what evil says of its VMs' }
      })
    }))

  it('is given up by the look as well, once it has read for 20 seconds and not before', () =>
    tally.tried(async () => {
      const uuids = Array.from({ length: 60 }, (_, n) => `${ODD.slice(0, -4)}${String(n).padStart(4, '0')}`)
      const shell = fakeShell(({ argv }) => printed({ ...twoVms({}), list: uuids.join('\n') }, argv[4]))
      const lookWithin = async (msOfEachVm: number): Promise<unknown> => {
        // It is looked at twice behind each VM.
        let clock = 0
        const now = vi.spyOn(performance, 'now').mockImplementation(() => (clock += msOfEachVm / 2))
        return takeInventory(shell)
          .catch(failureOf)
          .finally(() => now.mockRestore())
      }
      expect(await lookWithin(200)).toMatchObject({ domains: [] })
      expect(await lookWithin(500)).toEqual({
        kind: 'timeout',
        what: 'reading what fake host says of its VMs',
        afterMs: 20_000
      })
    }))

  it('lets others have a turn while its VMs are read', () =>
    tally.tried(async () => {
      const large = definition('large', ODD, `<devices>${disk.repeat(1000)}</devices>`)
      const uuids = Array.from({ length: 40 }, (_, n) => `${ODD.slice(0, -4)}${String(n).padStart(4, '0')}`)
      const shell = fakeShell(({ argv }) =>
        printed(
          { ...twoVms(Object.fromEntries(uuids.map((uuid) => [`xml ${uuid}`, large]))), list: uuids.join('\n') },
          argv[4]
        )
      )
      let turns = 0
      const clock = setInterval(() => (turns += 1), 1)
      await takeInventory(shell)
      clearInterval(clock)
      expect(turns).toBeGreaterThan(10)
    }))
})

/** Two hosts in the live core, the one as it should be, the other saying these things. */
function twoHosts(says: (mark: string) => string | AsyncIterable<Uint8Array>) {
  const shells = {
    evil: fakeShell(({ argv }) => (argv[0] === 'sh' && argv[3] === 'sh' && argv[4] ? { stdout: says(argv[4]) } : '')),
    good: fakeShell(({ argv }) => (argv[0] === 'sh' && argv[4] ? printed(twoVms({}), argv[4]) : ''))
  }
  const connection = (name: 'evil' | 'good') => Promise.resolve({ shell: shells[name] })
  const core = { connections: { connection, drop: () => Promise.resolve() } } as unknown as Core
  const hosts = new LiveHosts(core, { add: () => undefined, addAll: () => undefined } as unknown as Notices, {
    left: () => undefined,
    contact: () => new Promise<void>(() => undefined),
    moved: () => Promise.resolve(),
    down: () => undefined,
    listed: () => undefined
  })
  const bugs: unknown[] = []
  const part = { hosts: { changed: contract.hosts.changed } }
  const handlers = { hosts: { changed: (listener: (value: never) => void) => hosts.all.listen(listener as never) } }
  const pushes = openPushes(part, handlers as never, (bug) => bugs.push(bug))
  hosts.follow(['evil', 'good'].map((name) => ({ name, address: name, addedAt: '2026-11-29T12:00:00.000Z' })))
  const seen = (): HostView[] => JSON.parse(pushes.latest('hosts.changed')?.json ?? '[]') as HostView[]
  return { hosts, bugs, seen, stop: () => [hosts, pushes].forEach((each) => each.stop()) }
}

/** One VM with so many disks, each in a folder of its own. */
const inFolders = (count: number, where = '/srv'): string => {
  const disks = many(
    count,
    (n) => `<disk type='file' device='disk'><source file='${where}/${n}/x'/><target dev='v${n}'/></disk>`
  )
  return definition('odd', ODD, `<memory>1</memory><devices>${disks}</devices>`)
}

/** With file systems that hold none of them, which is only seen at the end of their names. */
function lookAt(folders: number, fileSystems: number): () => unknown {
  const begin = `/${'s'.repeat(40)}`
  const df = many(fileSystems, (n) => `x 4 1 3 1% ${begin}${n}\n`)
  const text = printed(twoVms({ [`xml ${ODD}`]: inFolders(folders, `${begin}${'s'.repeat(40)}`), df }))
  return () => look(text)
}

describe('the file systems of a host', () => {
  it('are not each compared with each folder that images are in', async () => {
    await tally.tried(() => {
      const costOf = (folders: number, fileSystems: number): number =>
        Math.min(...[1, 2, 3, 4, 5].map(() => cpuMsOf(lookAt(folders, fileSystems))))
      const [both, each] = [costOf(250, 4000), costOf(250, 1) + costOf(1, 4000)]
      expect(both).toBeLessThan(3 * each)
    })
  })

  it.each([
    ['one within the other', '/dev/a 9 1 1 1% /\n/dev/b 9 1 2 1% /srv\n/dev/c 9 1 3 1% /srv/0', 3],
    ['in whatever order', '/dev/c 9 1 3 1% /srv/0\n/dev/b 9 1 2 1% /srv\n/dev/a 9 1 1 1% /', 3],
    ['two in one place', '/dev/a 9 1 4 1% /srv\n/dev/b 9 1 2 1% /srv', 4],
    ['with names that only begin alike', '/dev/a 9 1 1 1% /\n/dev/b 9 1 2 1% /srv/0-0\n/dev/c 9 1 3 1% /srv/0.0', 1],
    ['one behind another that ends', '/dev/b 9 1 2 1% /srv\n/dev/c 9 1 3 1% /srv/-\n/dev/d 9 1 4 1% /srv/-/0', 2],
    ['below the folder', '/dev/b 9 1 2 1% /srv\n/dev/c 9 1 3 1% /srv/0/x', 2],
    ['elsewhere', '/dev/b 9 1 2 1% /mnt', undefined]
  ])('are told apart: %s', (_what, df, freeBytes) =>
    tally.tried(() => {
      const { space } = look(printed(twoVms({ [`xml ${ODD}`]: inFolders(1), df })))
      expect(space.find(({ path }) => path === '/srv/0')?.freeBytes).toBe(freeBytes)
    })
  )
})

describe('two hosts, one of them hostile', () => {
  it.each<[string, (mark: string) => string | AsyncIterable<Uint8Array>, object]>([
    ['nothing at all', () => '', { state: 'down', failure: { kind: 'bad-output' } }],
    ['a gibibyte', (mark) => flood(mark, 1024), { state: 'down', failure: { kind: 'output-too-large' } }],
    [
      'numbers that are none',
      (mark) =>
        printed(twoVms({ [`xml ${ODD}`]: definition('odd', ODD, '<memory>abc</memory><vcpu>1e999</vcpu>') }), mark),
      { state: 'up' }
    ],
    [
      'comments without end',
      (mark) => printed(twoVms({ [`xml ${ODD}`]: '<!--'.repeat(60_000) }), mark),
      { state: 'up' }
    ],
    [
      'names without end',
      (mark) => printed(twoVms({ hostname: LONG, [`xml ${ODD}`]: definition(LONG, ODD) }), mark),
      { state: 'up' }
    ],
    [
      'blanks for file systems',
      (mark) => printed(twoVms({ df: `/dev/a 1 ${' '.repeat(200_000)}` }), mark),
      { state: 'up' }
    ],
    [
      'libvirt that refuses at length',
      (mark) => printed(twoVms({ 'list-status': '1', version: LONG }), mark),
      { state: 'down', failure: { kind: 'unsupported-host' } }
    ]
  ])('the good one is right in what the window hears, whatever the other says: %s', (_what, says, evil) =>
    tally.tried(async () => {
      const { bugs, seen, stop } = twoHosts(says)
      await eventually(() => {
        expect(seen().find(({ name }) => name === 'good')).toMatchObject({
          state: 'up',
          vms: [{ name: 'odd' }, { name: 'good' }]
        })
        expect(seen().find(({ name }) => name === 'evil')).toMatchObject(evil)
      })
      stop()
      expect(bugs).toEqual([])
    })
  )

  const host: HostView = { name: 'evil', address: 'evil', addedAt: '2026-11-29T12:00:00.000Z', state: 'up', vms: [] }
  const facts = factsOf(look(printed(twoVms({}))))
  const vm = vmOf(look(printed(twoVms({}))).domains[0] as never)
  const odd = (change: Partial<VmView>): Partial<HostView> => ({
    vms: [
      { ...vm, ...change },
      { ...vm, uuid: GOOD, name: 'fine' }
    ]
  })
  it.each<[string, Partial<HostView>, string]>([
    ['RAM that is no number', odd({ ramBytes: NaN }), 'up'],
    ['RAM without end', odd({ ramBytes: Infinity }), 'up'],
    ['negative RAM', odd({ ramBytes: -1 }), 'up'],
    ['processors that are no number', odd({ vcpus: NaN }), 'up'],
    ['a name without end', odd({ name: LONG }), 'up'],
    ['a state without end', odd({ state: LONG }), 'up'],
    ['an agent that nobody knows', odd({ agent: 'evil' as never }), 'up'],
    ['a flag that is none', odd({ autostart: 'yes' as never }), 'up'],
    ['disks that are no list', odd({ disks: 'vda' as never }), 'up'],
    [
      'a disk of an odd size',
      odd({ disks: [{ target: 'vda', device: 'disk', type: 'file', format: 'raw', capacityBytes: NaN }] }),
      'up'
    ],
    ['sentences without end', odd({ limits: Array.from({ length: 1000 }, () => LONG) }), 'up'],
    ['facts that are no numbers', { facts: { ...facts, cpus: NaN } }, 'down'],
    ['negative room', { facts: { ...facts, store: { path: '/', freeBytes: -1, totalBytes: 1 } } }, 'down'],
    ['a name of itself without end', { facts: { ...facts, hostname: LONG } }, 'down'],
    ['a time that is none', { asOf: 'yesterday' }, 'down'],
    ['a state that nobody knows', { state: 'evil' as never }, 'down'],
    ['too many VMs', { vms: Array.from({ length: 3000 }, () => vm) }, 'up']
  ])(
    'what got past all that hides no other host, is shown as such, and is written down once: %s',
    (_what, change, state) =>
      tally.tried(() => {
        const listeners: ((hosts: unknown) => void)[] = []
        const bugs: unknown[] = []
        const handlers = {
          hosts: { changed: (listener: (hosts: unknown) => void) => (listeners.push(listener), () => undefined) }
        }
        const pushes = openPushes({ hosts: { changed: contract.hosts.changed } }, handlers as never, (bug) =>
          bugs.push(bug)
        )
        for (const _ of 'again')
          listeners[0]?.([
            { ...host, ...change },
            { ...host, name: 'good' }
          ])
        const [shown, good] = JSON.parse(pushes.latest('hosts.changed')?.json ?? '') as HostView[]
        expect(good).toEqual({ ...host, name: 'good' })
        expect(shown).toMatchObject({ name: 'evil', state })
        if (state === 'down') expect(shown?.failure).toMatchObject({ kind: 'bad-output', what: 'the look at evil' })
        else if (shown?.vms.length === 2)
          expect(shown.vms).toMatchObject([
            { uuid: ODD, state: 'no state', limits: [expect.any(String)] },
            { name: 'fine' }
          ])
        expect(bugs).toHaveLength(1)
      })
  )
})
