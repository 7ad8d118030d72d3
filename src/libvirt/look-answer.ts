import { GrowingBytes } from '../shared/growing-bytes.ts'
import { Uuid } from '../shared/model/ids.ts'
import { MOST } from '../shared/model/host-limits.ts'

const KIB = 1024
/** libvirt itself sends no definition above 4 MiB: whoever prints more than this is no host with many VMs. */
export const LARGEST_OUTPUT = 64 * KIB * KIB
/** Of a host with a thousand VMs. */
const MOST_KEPT = 16 * KIB * KIB
/** The longest is a word and a UUID. */
const LONGEST_NAME = 80

/** Most bytes of each section about the host. */
const OF_HOST: ReadonlyMap<string, number> = new Map([
  ['begin', 0],
  ['hostname', KIB],
  ['machine-id', KIB],
  ['boot-id', KIB],
  ['os', 16 * KIB],
  ['architecture', KIB],
  ['cpus', KIB],
  ['cpuinfo', 4 * KIB],
  ['meminfo', 4 * KIB],
  ['loadavg', KIB],
  ['time-zone', 4 * KIB],
  ['df', 256 * KIB],
  ['session-vms', 128 * KIB],
  ['missing-drivers', 4 * KIB],
  ['no-virsh', KIB],
  ['version', 16 * KIB],
  ['list', 256 * KIB],
  ['list-status', KIB],
  ['end', KIB]
])

/** The definition of a VM that runs with 300 disks, each with limits of its own. */
export const LONGEST_DEFINITION = 384 * KIB

/** Most bytes of each section about one VM. */
const OF_VM: ReadonlyMap<string, number> = new Map([
  ['state', 4 * KIB],
  ['info', 16 * KIB],
  ['xml', LONGEST_DEFINITION],
  ['snapshots', 128 * KIB],
  ['checkpoints', 128 * KIB],
  ['job', 16 * KIB],
  ['stats', 256 * KIB]
])

/**
 * What a look prints, cut into its sections as it comes: a line of the mark and the section's name begins each. Of a section no
 * more is kept than such a one can have; the first of a name counts; what no look asks for is not kept at all. So whatever a host
 * prints takes 16 MiB of memory at most, and no more time than its length.
 */
export class LookAnswer {
  private readonly begin: Buffer
  private readonly sections = new Map<string, Buffer>()
  private vms: ReadonlySet<string> = new Set()
  private readonly cutSections = new Set<string>()
  /** Not looked through yet. */
  private rest = Buffer.from('\n')
  private name: string | undefined = ''
  private body = new GrowingBytes(0)
  /** Somebody has asked for such a section. */
  private isWanted = false
  private left = MOST_KEPT
  private first = Buffer.alloc(0)

  constructor(mark: string) {
    this.begin = Buffer.from(`\n${mark} `)
  }

  take(chunk: Uint8Array): void {
    if (this.first.length < KIB) this.first = Buffer.concat([this.first, chunk.subarray(0, KIB)])
    this.rest = Buffer.concat([this.rest, chunk])
    while (this.name === undefined ? this.readName() : this.readBody()) continue
  }

  end(): void {
    if (this.name === undefined) this.open(this.rest.toString('utf8').trim())
    else this.body.add(this.rest)
    this.close()
    this.rest = Buffer.alloc(0)
  }

  has(name: string): boolean {
    return this.sections.has(name)
  }

  text(name: string): string {
    // Its first line end is that of the line with its name.
    return this.sections.get(name)?.toString('utf8').replace(/^\n/, '') ?? ''
  }

  /** It was longer than it can be, and its end is missing. */
  isCut(name: string): boolean {
    return this.cutSections.has(name)
  }

  /** What it began with, for a message. */
  beginning(): string {
    return this.first.toString('utf8')
  }

  private readName(): boolean {
    const end = this.rest.indexOf(0x0a)
    if (end === -1 && this.rest.length <= LONGEST_NAME) return false
    this.open(this.rest.toString('utf8', 0, end === -1 ? LONGEST_NAME : end).trim())
    // The line end may begin the next mark: an empty section.
    this.rest = this.rest.subarray(Math.max(end, 0))
    return true
  }

  private readBody(): boolean {
    const next = this.rest.indexOf(this.begin)
    const end = next === -1 ? Math.max(this.rest.length - this.begin.length + 1, 0) : next
    this.body.add(this.rest.subarray(0, end))
    this.rest = this.rest.subarray(next === -1 ? end : next + this.begin.length)
    if (next === -1) return false
    this.close()
    this.name = undefined
    return true
  }

  private open(name: string): void {
    this.name = name
    const most = this.sections.has(name) ? undefined : this.mostOf(name)
    this.isWanted = most !== undefined
    this.body = new GrowingBytes(Math.min(most ?? 0, this.left))
  }

  private close(): void {
    const { name, body, isWanted } = this
    if (name === undefined || !isWanted || this.sections.has(name)) return
    this.sections.set(name, body.taken())
    this.left -= body.length
    if (body.isFull) this.cutSections.add(name)
    if (name === 'list') this.vms = new Set(uuidsIn(this.text(name)).slice(0, MOST.vms))
  }

  /** Undefined: nobody has asked for such a section. */
  private mostOf(name: string): number | undefined {
    const [word = '', uuid] = name.split(' ')
    if (uuid === undefined) return OF_HOST.get(word)
    const most = OF_VM.get(word)
    return this.vms.has(uuid) && name === `${word} ${uuid}` ? most : undefined
  }
}

const UUID_CHARACTERS = 36

/** Each once, in order. Whatever else stands there in great numbers is not worth a closer look. */
export const uuidsIn = (list: string): Uuid[] => [
  ...new Set(
    list.split(/\s+/).filter((word): word is Uuid => word.length === UUID_CHARACTERS && Uuid.safeParse(word).success)
  )
]
