import { randomBytes } from 'node:crypto'
import { WATCH_FOLDERS } from '../../src/main/core/live/folder-script.ts'
import { INVENTORY_SCRIPT } from '../../src/libvirt/inventory-script.ts'
import { engineVerbs, PROTOCOL_VERSION, type EngineVerb, type ResultOf } from '../../src/shared/engine-protocol.ts'
import { newTimeSortedId } from '../../src/shared/model/ids.ts'
import type { JobReport, JournalEntry } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'
import type { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { fakeManifest } from '../e2e/fake-manifest.ts'
import { policyOf, runOf } from '../unit/made-policies.ts'
import { startPlayedSshd, type Command, type PlayedSshd } from './played-sshd.ts'
import type { KnownHost } from './watched-core.ts'

/** What a controller asks of a host: the engine's verbs, and the scripts that need no engine. */
export type Asked = EngineVerb | 'inventory' | 'folders' | 'events' | 'present' | 'upload' | 'login' | 'other'

export interface PlayedVm {
  readonly uuid: string
  readonly name: string
  state: 'running' | 'shut off'
}

export const newId = (): string => newTimeSortedId(new Date(), (bytes) => randomBytes(bytes))

/** A host on paper behind a real sshd: it answers rightly whatever a controller asks, and changes when it is told to. */
export class GoodHost {
  readonly name: string
  readonly vms: PlayedVm[]
  readonly jobs: JobReport[] = []
  readonly runs: RunReport[] = []
  readonly points: Manifest[] = []
  /** How often each was asked. */
  readonly looks = new Map<Asked, number>()
  private readonly serial: number
  private played: PlayedSshd | undefined
  private beside: PlayedSshd | undefined
  protected readonly watchers = { folders: new Set<Command>(), events: new Set<Command>() }

  constructor(name: string, serial: number) {
    this.name = name
    this.serial = serial
    this.vms = ['shop', 'mail', 'build'].map((vm, n) => ({
      uuid: `${String(serial).padStart(8, '0')}-0000-4000-8000-00000000000${n}`,
      name: `${name}-${vm}`,
      state: 'running'
    }))
    this.takePoint()
    this.addJob('done')
    this.addRun()
  }

  async start(): Promise<void> {
    this.played = await startPlayedSshd((command) => this.hear(command, true))
  }

  /** For another core, whose looks are not counted. */
  async openBeside(): Promise<KnownHost> {
    this.beside = await startPlayedSshd((command) => this.hear(command, false))
    return { name: this.name, sshd: this.beside.sshd }
  }

  async stop(): Promise<void> {
    await Promise.all([this.played?.stop(), this.beside?.stop()])
  }

  get sshd(): PlayedSshd['sshd'] {
    if (this.played === undefined) throw new Error(`${this.name} is not there yet`)
    return this.played.sshd
  }

  /** A VM starts or stops, and libvirt says so. */
  turn(vm: PlayedVm): void {
    vm.state = vm.state === 'running' ? 'shut off' : 'running'
    this.say('events', `event 'lifecycle' for domain '${vm.name}': Started Booted\n`)
  }

  /** A job begins, or one that another computer began ends, and its folder has moved. */
  addJob(state: JobReport['state'], more: Partial<JobReport> = {}): JobReport {
    const job = jobReport(this.vms[0] ?? { uuid: '', name: '' }, state, more)
    this.jobs.push(job)
    this.say('folders', 'jobs\n')
    return job
  }

  addRun(more: Partial<RunReport> = {}): RunReport {
    const run = runOf({ id: newId(), host: this.name, policy: { id: policyId(this.serial), name: 'nightly' }, ...more })
    this.runs.push(run)
    this.say('folders', 'runs\n')
    return run
  }

  takePoint(): Manifest {
    const id = newId()
    const vm = this.vms[0] ?? { uuid: '', name: '' }
    const view = { id, vm: { uuid: vm.uuid, name: vm.name }, host: this.name, takenAt: new Date().toISOString() }
    const made = {
      ...{ method: 'live' as const, hasMemory: false, disks: [], sizeBytes: 1 << 30, pauseMs: 12, warnings: [] },
      ...{ places: [], marks: { pinned: false } }
    }
    const point = fakeManifest({ ...view, ...made })
    this.points.push(point)
    return point
  }

  /** To whoever watches, as often as they watch. */
  say(where: 'folders' | 'events', text: string): void {
    for (const command of this.watchers[where]) void command.out(text)
  }

  /** Each command that comes. */
  protected async hear(command: Command, isCounted: boolean): Promise<void> {
    const asked = askedBy(command.argv)
    if (isCounted) this.looks.set(asked, (this.looks.get(asked) ?? 0) + 1)
    if (asked === 'import' || asked === 'upload') await this.answer(asked, command)
    else {
      const question = drained(command.input)
      await this.answer(asked, command, question)
    }
  }

  protected async answer(asked: Asked, command: Command, question?: Promise<string>): Promise<void> {
    await command.begin()
    await this.answerRightly(asked, command, question)
  }

  protected async answerRightly(asked: Asked, command: Command, question?: Promise<string>): Promise<void> {
    if (asked === 'folders' || asked === 'events') {
      this.watch(asked, command)
      return
    }
    if (asked in engineVerbs) await this.engine(asked as EngineVerb, command, question)
    else await command.out(await this.plain(asked, command))
    command.exit(0)
  }

  private watch(where: 'folders' | 'events', command: Command): void {
    this.watchers[where].add(command)
    void command.over.then(() => this.watchers[where].delete(command))
    if (where === 'folders') void command.out('.\n')
  }

  private async plain(asked: Asked, command: Command): Promise<string> {
    if (asked === 'login') return '0\n'
    if (asked === 'inventory') return this.inventory(command.argv[4] ?? '')
    if (asked === 'present') return `x86_64\nplain\n${'yes\n'.repeat((command.argv.length - 4) / 2)}`
    if (asked !== 'upload') return ''
    await drained(command.input)
    return 'put\n'
  }

  private async engine(verb: EngineVerb, command: Command, question?: Promise<string>): Promise<void> {
    const asked = question === undefined ? await lineOf(command.input) : ((await question).split('\n')[0] ?? '')
    if (verb === 'export') {
      await command.out('a stream of a point that nobody looks into')
      return
    }
    const said = JSON.parse(asked === '' ? '{}' : asked) as Question
    if (verb === 'follow') await this.tellJournal(command, said)
    if (verb === 'verify' || verb === 'import') await command.out(line({ event: progress }))
    await command.out(line({ result: this.resultOf(verb, said) }))
  }

  private async tellJournal(command: Command, { id = '', from = 0 }: Question): Promise<void> {
    const report = this.jobs.find((job) => job.id === id)
    for (const entry of report === undefined ? [] : journalOf(report).slice(from))
      await command.out(line({ event: entry }))
  }

  /** What an engine would say. */
  resultOf<V extends EngineVerb>(verb: V, question: Question): ResultOf<V> {
    return this.results(question)[verb] as ResultOf<V>
  }

  private results(question: Question): { readonly [V in EngineVerb]: ResultOf<V> | undefined } {
    const { id = newId() } = question
    const report = this.jobs.find((job) => job.id === id) ?? this.jobs[0]
    const policy = this.policies().policies[0]?.policy
    return {
      probe: {
        ...{ protocol: PROTOCOL_VERSION, engine: '0'.repeat(64), bootId: this.bootId },
        ...{ hostname: this.name, machineId: this.machineId }
      },
      'try-unit': {},
      submit: { id },
      follow: report,
      cancel: report,
      jobs: afterOf(this.jobs, question),
      points: { points: [...this.points], broken: [], marks: {} },
      verify: { point: id, good: true, checkedBytes: 1 << 20, problems: [], notes: [] },
      delete: { freedBytes: 1 << 20 },
      mark: { pinned: true },
      'read-small': { manifest: '{}', domain: '<domain/>', host: '{}' },
      preflight: [{ check: 'room', state: 'ok', text: 'there is room' }],
      export: undefined,
      'import-state': { have: {} },
      import: this.points[0],
      policies: this.policies(),
      'policy-put': policy,
      'policy-remove': { removed: [] },
      'policy-run': { run: newId() },
      runs: afterOf(this.runs, question),
      'prune-plan': { vms: [], freesBytes: 0, trash: { points: 0, bytes: 0 } },
      parallel: {},
      'channels-put': {},
      'channels-test': { text: 'sent' },
      recover: [],
      doctor: [],
      'let-go': { removed: [], freedBytes: 0, kept: [] },
      'remove-all': { removed: [] }
    }
  }

  private get machineId(): string {
    return String(this.serial).padStart(32, '0')
  }

  private get bootId(): string {
    return `${String(this.serial).padStart(8, '0')}-1111-4111-8111-111111111111`
  }

  private policies(): PolicyListing {
    const policy = policyOf({ id: policyId(this.serial), hostName: this.name })
    return {
      ...{ policies: [{ policy, nextRunAt: '2099-01-01T02:00:00.000Z' }], broken: [], timeZone: 'Europe/Rome' },
      ...{ parallel: 1, channels: {}, outbox: [] }
    }
  }

  /** As the script of the inventory prints it. */
  inventory(mark: string): string {
    const sections: [string, string][] = [
      ['begin', ''],
      ['hostname', this.name],
      ['machine-id', this.machineId],
      ['boot-id', this.bootId],
      ['os', 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"'],
      ['architecture', 'x86_64'],
      ['cpus', '16'],
      ['cpuinfo', 'model name\t: A processor'],
      ['meminfo', 'MemTotal:       65859584 kB\nMemAvailable:   43858432 kB'],
      ['loadavg', '0.52 0.58 0.59 1/467 12345'],
      ['time-zone', '/usr/share/zoneinfo/Europe/Rome'],
      [
        'df',
        `Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/vda1 1000000000000 400000000000 600000000000 40% /`
      ],
      ['session-vms', ''],
      ['missing-drivers', ''],
      ['version', 'Using library: libvirt 11.3.0\nRunning hypervisor: QEMU 10.0.2'],
      ['list', this.vms.map(({ uuid }) => uuid).join('\n')],
      ['list-status', '0'],
      ...this.vms.flatMap((vm) => sectionsOf(vm)),
      ['end', '']
    ]
    return sections.map(([name, text]) => `\n${mark} ${name}\n${text}\n`).join('')
  }
}

interface Question {
  readonly id?: string
  readonly from?: number
  readonly after?: string
  readonly limit?: number
}

export const line = (value: unknown): string => `${JSON.stringify(value)}\n`
const progress = { phase: 'copying vda', doneBytes: 1, totalBytes: 2 }
const policyId = (serial: number): string => serial.toString(16).padStart(12, '0')

export const jobReport = (
  { uuid, name }: Pick<PlayedVm, 'uuid' | 'name'>,
  state: JobReport['state'],
  more: Partial<JobReport> = {}
): JobReport => ({
  id: newId(),
  kind: 'backup',
  host: 'as it is called there',
  vm: { uuid, name },
  state,
  startedAt: new Date().toISOString(),
  ...(state !== 'running' && { endedAt: new Date().toISOString() }),
  pauses: [],
  pauseMs: 12,
  phases: [],
  warnings: [],
  ...more
})

/** An entry that begins, and one that ends where it has. */
export function journalOf(report: JobReport): JournalEntry[] {
  const { id, startedAt: at, vm } = report
  const spec = {
    ...{ kind: 'backup' as const, vm: vm.uuid, vmName: vm.name, hostName: report.host, store: '/srv/points' },
    ...{ budgetMs: 300, onBusy: 'pause' as const }
  }
  const begin: JournalEntry = { n: 0, at, type: 'begin', id, spec, bootId: 'boot', engine: '0'.repeat(64) }
  return report.endedAt === undefined ? [begin] : [begin, { n: 1, at: report.endedAt, type: 'end', report }]
}

const afterOf = <T extends { readonly id: string }>(all: readonly T[], { after = '', limit = 200 }: Question): T[] =>
  all
    .filter(({ id }) => id > after)
    .slice(-limit)
    .reverse()

function sectionsOf({ uuid, name, state }: PlayedVm): [string, string][] {
  const id = state === 'running' ? " id='1'" : ''
  const disk = `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/var/lib/libvirt/images/${name}.qcow2'/><target dev='vda' bus='virtio'/></disk>`
  return [
    [`state ${uuid}`, `${state} (${state === 'running' ? 'booted' : 'shutdown'})`],
    [`info ${uuid}`, `Name:           ${name}\nCPU(s):         2\nMax memory:     1048576 KiB\nPersistent:     yes`],
    [
      `xml ${uuid}`,
      `<domain type='kvm'${id}><name>${name}</name><uuid>${uuid}</uuid><memory unit='KiB'>1048576</memory><vcpu>2</vcpu><devices>${disk}</devices></domain>`
    ],
    [`stats ${uuid}`, `  block.0.name=vda\n  block.0.capacity=${1 << 30}\n  block.0.physical=${1 << 29}`]
  ]
}

/** By the program and its script. */
function askedBy(argv: readonly string[]): Asked {
  const [program = '', second = '', third = ''] = argv
  if (program === 'id') return 'login'
  if (program === 'virsh') return 'events'
  if (third === INVENTORY_SCRIPT) return 'inventory'
  if (third === WATCH_FOLDERS[2]) return 'folders'
  if (second.includes('/engine/') && third in engineVerbs) return third as EngineVerb
  if (third.includes('is_right()')) return 'present'
  if (third.includes('gzip -dc')) return 'upload'
  return 'other'
}

export async function drained(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of input) if ((bytes += chunk.byteLength) < 1 << 20) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function lineOf(input: AsyncIterable<Uint8Array>): Promise<string> {
  return (await drained(input)).split('\n')[0] ?? ''
}
